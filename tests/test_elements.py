"""Names of elements are made in one place."""

import numpy as np
import xarray as xr

from tadpool.elements import element_labels, element_names


def test_elements_are_named_by_labels_or_positions_in_c_order():
    values = np.zeros((2, 3, 2, 2))
    coords = {"chain": range(2), "draw": range(3), "group": ["a, b", "c"]}
    site = xr.DataArray(values, coords, ("chain", "draw", "group", "alpha_dim_0"), "alpha")
    assert element_names(site) == ["alpha[a, b, 0]", "alpha[a, b, 1]", "alpha[c, 0]", "alpha[c, 1]"]
    assert element_labels(site)[0] == ("a, b", "0"), "a label may look like two"
    assert element_names(site, ("chain", "draw", "group")) == ["alpha[0]", "alpha[1]"]


def test_a_scalar_has_the_name_of_its_site():
    site = xr.DataArray(np.zeros((2, 3)), dims=("chain", "draw"), name="mu")
    assert element_names(site) == ["mu"]
    assert element_labels(site) == [()]
