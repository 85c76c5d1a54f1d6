"""The coordinates of effects that several groups have: a change of variables that leaves the
posterior as it is, and makes its coordinates independent and equally certain."""

import itertools
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from arviz_stats.base import array_stats
from numpyro.infer.util import constrain_fn, log_density, potential_energy

from benchmarks.formula import CASES
from tadpool import ROOT
from tadpool.engine import lanes
from tadpool.formula.coordinates import shears
from tadpool.modelling.distributions import StretchedMean
from tadpool.verification import exact_comparisons
from tests.made import formulas

NUMBER, GROUP = {"kind": "number"}, {"kind": "group"}
ORDERED = {"kind": "ordered", "levels": ["low", "middle", "high"]}
COLUMNS = {
    "y": NUMBER,
    "o": ORDERED,
    "x": NUMBER,
    "z": NUMBER,
    "t": {"kind": "categorical"},
    "g": GROUP,
    "h": GROUP,
    "k": GROUP,
}
ROWS = 60


def table():
    """Rows of two crossed groups, g and h, and of members of k that lie within those of g."""
    rng = np.random.default_rng(4)
    g, h, k = np.arange(ROWS) % 6, rng.permutation(ROWS) % 4, rng.integers(3, size=ROWS)
    x = 5 + 2 * rng.normal(size=ROWS)
    return pd.DataFrame(
        {
            "y": 40 + 5 * rng.normal(size=6)[g] + 5 * rng.normal(size=4)[h] + rng.normal(size=ROWS),
            "x": x,
            "o": np.array(ORDERED["levels"])[np.digitize(x + g + rng.normal(size=ROWS), [6, 9])],
            "z": 0.9 * x + 0.1 * rng.normal(size=ROWS),
            "t": [f"t{i}" for i in g // 2],
            "g": [f"g{i}" for i in g],
            "h": [f"h{i}" for i in h],
            "k": [f"{i}.{j}" for i, j in zip(g, k, strict=True)],
        }
    )


def bind(formula, parametrization="centred", **entry):
    table().to_csv("t.csv", index=False)
    hyperparameters = {"parametrization": parametrization}
    return formulas.bound("t.csv", COLUMNS, {"formula": formula, "hyperparameters": hyperparameters, **entry})


CROSSED = "y ~ x + (1 | g) + (1 | h)"
SEVERAL = {
    "the larger group first": CROSSED,
    "the smaller group first": "y ~ x + (1 | h) + (1 | g)",
    "nested": "y ~ 1 + (1 | g/k)",
    "nested and crossed": "y ~ x + (1 | h) + (1 | g) + (1 | k)",
    "slopes": "y ~ x + (x || g) + (x || h)",
    "slopes of one and intercepts of the other": "y ~ x + (1 | g) + (x || h)",
    "no common coefficients": "y ~ 0 + (x || g) + (x || h)",
    "correlated columns": "y ~ x * z + t + (1 | g) + (1 | h)",
    "correlated columns without an intercept": "y ~ 0 + t + x + z + (x || h)",
    "cutpoints": "o ~ x * z + (1 | g) + (1 | h)",
    "cutpoints and one group": "o ~ x + (x || g)",
    "more members than rows can tell": "y ~ x + (1 | g:h) + (1 | k)",
}


@pytest.mark.parametrize("parametrization", ["centred", "non_centred"])
@pytest.mark.parametrize("name", SEVERAL)
def test_the_posterior_is_the_same_in_all_coordinates(folder, name, parametrization, monkeypatch):
    """In other coordinates the log density differs by a constant and by logarithms of standard
    deviations and of differences between cutpoints, at points on (-2, 2)."""
    monkeypatch.setattr("tadpool.formula.coordinates.DENSE", 0.5 if "more" in name else 2)
    bound = bind(SEVERAL[name], parametrization)
    arguments = {**bound.data, **bound.hyperparameters}

    def apart(key):
        shapes = jax.eval_shape(lambda: start(bound, arguments))
        keys = dict(zip(shapes, jax.random.split(key, len(shapes)), strict=True))
        z = {site: jax.random.uniform(keys[site], leaf.shape, minval=-2, maxval=2) for site, leaf in shapes.items()}
        sites = constrain_fn(bound.function, (), arguments, z)
        spreads = sum(jnp.log(value) for site, value in sites.items() if site.startswith("sigma"))
        spreads += jnp.log(jnp.diff(sites["cutpoints"])).sum() if "cutpoints" in sites else 0.0
        density = log_density(bound.function, (), arguments, sites)[0]
        return potential_energy(bound.function, (), arguments, z) + density + spreads, density

    run = jax.jit(jax.vmap(apart), compiler_options={"xla_backend_optimization_level": 0})
    found, densities = run(jax.random.split(jax.random.key(1), 5))
    assert np.ptp(densities) > 10
    np.testing.assert_allclose(found - found[0], 0, atol=1e-9 * np.abs(densities).max())


def start(bound, arguments):
    from numpyro.infer.util import initialize_model

    return initialize_model(jax.random.key(0), bound.function, model_kwargs=arguments).param_info.z


def test_shears_take_off_what_least_squares_gives_to_the_coefficients_after():
    """A coefficient's least squares given those before it, with those after it free, by normal
    equations, term by term."""
    rng = np.random.default_rng(5)
    terms = [list(rng.normal(size=(columns, ROWS)) @ rng.normal(size=(ROWS, ROWS))) for columns in (1, 2, 1)]
    weights = rng.uniform(1, 3, ROWS)
    found = shears(terms, weights)
    columns, ends = np.concatenate(terms).T, [0, 1, 3, 4]
    squares = columns.T @ (weights[:, None] * columns)
    expected = np.zeros((4, 4))
    for first, last in itertools.pairwise(ends):
        given_before = np.linalg.solve(squares[first:, first:], squares[first:, :first])
        expected[first:last, :first] = given_before[: last - first]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_stretched_mean_is_linear_and_its_own_inverse_with_the_factor_inverted():
    x = np.array([[1.0, 4.0, -2.0], [0.5, 0.0, 7.0]])
    transform = StretchedMean(5.0)
    y = transform(x)
    np.testing.assert_allclose(y.mean(1), 5 * x.mean(1))
    np.testing.assert_allclose(y - y.mean(1, keepdims=True), x - x.mean(1, keepdims=True))
    np.testing.assert_allclose(transform.inv(y), x)
    jacobian = jax.jacobian(transform)(x[0])
    np.testing.assert_allclose(transform.log_abs_det_jacobian(x[0], y[0]).sum(), np.linalg.slogdet(jacobian)[1])


def test_effects_of_one_group_have_the_coordinates_that_they_had(folder):
    """Nothing is stretched or shifted where no other group has effects of the same column."""
    for formula in ("y ~ x + (x | g)", "y ~ x + (1 | g) + (0 + x | h)"):
        (predictor,) = bind(formula).function.keywords["formula:bound"].predictors
        assert predictor.in_turn == list(predictor.groups)
        assert "formula:stretches" not in bind(formula).data


def test_means_are_stretched_by_their_share_of_the_standard_error(folder):
    """Of the smaller of two crossed groups, whose mean the data do not tell from the intercept."""
    bound = bind(CROSSED)
    known = bound.facts["effects"]["delta_h"]
    assert bound.function.keywords["formula:bound"].stretched == ("delta_h",)
    np.testing.assert_allclose(bound.data["formula:stretches"], [np.sqrt(known["between"] / known["within"])])


MIXING = {
    "penicillin": (CASES["penicillin"]["formula"], 9),
    "penicillin, the larger group last": ("diameter ~ 1 + (1 | sample) + (1 | plate)", 9),
    "epil": (CASES["epil"]["formula"], 13),
    "trolley": (CASES["trolley"]["formula"], 17),
    "epil, powers": ("y ~ base + I(base**2) + I(base**3) + (1 | subject)", 17),
}
"""The formula, and more leapfrog steps than an iteration takes."""


@pytest.mark.parametrize("name", MIXING)
def test_chains_mix(folder, name):
    """The smallest effective sample size of 4,000 draws is above 1,000, bulk and tail; without the
    coordinates it is 20 to 40 with crossed groups (penicillin), about 250 with correlated columns
    (epil)."""
    formula, steps = MIXING[name]
    case = CASES[name.split(",")[0]]
    if name == "trolley":
        responses = pd.read_csv(ROOT / "data" / "trolley_responses.csv").query("participant % 10 == 0")
        responses.merge(pd.read_csv(ROOT / "data" / "trolley_cases.csv")).to_csv("t.csv", index=False)
    else:
        shutil.copy(ROOT / "tests" / "formula" / "data" / f"{name.split(',')[0]}.csv", "t.csv")
    entry = {key: case[key] for key in ("family",) if key in case}
    bound = formulas.bound("t.csv", case["columns"], {"formula": formula, **entry})
    result = exact_comparisons.sampled(bound, lanes.Sampler(300, 1000, 0.8, 10))
    posterior = result.groups["posterior"]
    of = {"chain_axis": 0, "draw_axis": 1}
    for values in posterior.data_vars.values():
        for draws in np.moveaxis(values.values.reshape(4, 1000, -1), 2, 0):
            assert array_stats.ess(draws, method="bulk", **of) > 1000
            assert array_stats.ess(draws, method="tail", prob=(0.05, 0.95), **of) > 1000
    assert result.result.stats["n_steps"].mean() < steps
