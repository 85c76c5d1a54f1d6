"""The rungs of the pooling ladder: what they are bound to, their densities, their equations."""

import numpy as np
import pytest
import xarray as xr
from numpyro import handlers
from scipy import stats

from tadpool import binding, design, plugins
from tadpool.errors import UserError
from tadpool.ladder.equations import equations
from tadpool.ladder.facts import gathered
from tadpool.reporting.markup import mathml

EVERYTHING = {"outcome": "y", "unit": "row", "trials": None, "exposure": None, "offset": None, "standard_error": None}
PREDICTORS = [
    {"name": "x", "kind": "number"},
    {"name": "treated", "kind": "binary"},
    {"name": "site", "kind": "categorical"},
    {"name": "grade", "kind": "ordered"},
    {"name": "size", "kind": "number", "per": "school"},
]


def made(family, rows=60, **changes):
    """A design with predictors of every kind and two groups, and data for it."""
    rng = np.random.default_rng(1)
    school = np.concatenate([np.arange(6), rng.integers(0, 6, rows - 6)])
    outcome = {
        "normal": 10 + 3 * rng.normal(size=rows),
        "student": 10 + 3 * rng.normal(size=rows),
        "bernoulli": rng.integers(0, 2, rows),
        "binomial": rng.integers(0, 6, rows),
        "ordered": rng.integers(0, 4, rows),
    }.get(family, rng.poisson(20.0, rows))
    dataset = xr.Dataset(
        {
            "y": ("row", outcome),
            "x": ("row", 5 + 2 * rng.normal(size=rows)),
            "treated": ("row", rng.integers(0, 2, rows)),
            "site_index": ("row", rng.integers(0, 3, rows)),
            "grade": ("row", rng.integers(0, 4, rows)),
            "size": ("school", 100 + 30 * rng.normal(size=6)),
            "school_index": ("row", school),
            "year_index": ("row", rng.integers(0, 4, rows)),
            "tries": ("row", rng.integers(6, 9, rows)),
            "days": ("row", rng.uniform(5, 9, rows)),
            "known": ("row", rng.normal(size=rows)),
        },
        coords={
            "row": np.arange(1, rows + 1),
            "school": list("abcdef"),
            "year": [2001, 2002, 2003, 2004],
            "site": ["north", "south", "west"],
            "grade_level": ["d", "c", "b", "a"],
        },
    )
    own = {
        **EVERYTHING,
        "family": family,
        "groups": ["school", "year"],
        "predictors": PREDICTORS,
        "slopes": ["x", "treated"],
    }
    own |= {"offset": "known", "trials": "tries" if family == "binomial" else None}
    own |= {"exposure": "days" if family in ("poisson", "negative_binomial") else None}
    return {**own, **changes}, dataset


PAIRS = [
    *(("partial", family) for family in design.FAMILIES),
    *((rung, "normal") for rung in design.RUNGS if rung != "partial"),
]


@pytest.mark.parametrize(("rung", "family"), PAIRS)
def test_a_rung_is_bound_to_what_its_design_names(rung, family):
    chosen, dataset = made(family)
    assert design.applies(rung, chosen) is None
    reference = {"name": rung, "design": chosen}
    bound = binding.bind(reference, dataset)
    signature = design.signature(reference)
    assert signature.designed
    assert set(signature.variables) <= set(bound.inputs)
    assert bound.outcomes == signature.outcomes == (("x", "y") if rung == "latent_mundlak" else ("y",))
    assert bound.dims["y"] == ("row",)
    assert ("alpha" in bound.latents) == (rung != "unpooled" and family != "ordered")
    named = {name.removesuffix("_decentered") for name in bound.latents}
    assert ("alpha_school" in named) == (rung != "pooled")
    assert ("delta_year" in named) == (rung not in ("pooled", "unpooled"))
    assert bound.dims["beta_site"] == ("site",)
    assert bound.dims["beta_treated_school" if rung == "unpooled" else "beta_treated"] == (
        ("school",) if rung == "unpooled" else ()
    )


@pytest.mark.parametrize("family", design.FAMILIES)
@pytest.mark.parametrize("rung", design.RUNGS)
def test_equations_can_be_shown_with_and_without_the_numbers_of_the_data(rung, family):
    chosen, dataset = made(family)
    for facts in (None, gathered(rung, chosen, dataset, True, "here")):
        text = equations(rung, chosen, {"alpha_scale": 2.0}, facts)
        assert "<math" in mathml(text, "block")
        assert text.count("&") == text.count("\\\\\n") + 1
        assert ("s_y" in text) == (facts is None and family in ("normal", "student"))


@pytest.mark.parametrize(
    ("rung", "changes", "words"),
    [
        ("partial", {"groups": []}, "needs a group"),
        ("partial_slopes", {"slopes": []}, "slope varies by school"),
        ("mundlak", {"predictors": PREDICTORS[2:]}, "varies within school"),
        ("latent_mundlak", {"predictors": PREDICTORS[1:]}, "a number, that varies within school"),
        ("mundlak", {"groups": ["row"]}, "several rows to each row"),
    ],
)
def test_a_rung_that_is_no_model_for_a_design_says_why(rung, changes, words):
    chosen, _ = made("normal", **changes)
    assert words in design.applies(rung, chosen)
    assert design.applies("pooled", chosen) is None


def test_a_name_is_a_reference_too():
    assert design.name("frogs_multilevel") == "frogs_multilevel"
    assert design.of("frogs_multilevel") is None
    assert design.signature("frogs_multilevel") == plugins.signature(plugins.find("models", "frogs_multilevel"))
    assert not design.signature("frogs_multilevel").designed


def test_hyperparameters_are_those_of_the_family():
    signature = design.signature({"name": "partial", "design": made("poisson")[0]})
    assert set(signature.hyperparameters) == {
        "alpha_location", "alpha_scale", "beta_scale", "group_scale", "sd_prior", "scaled", "parametrization", "collapse"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("family", "values", "words"),
    [("normal", 3.0, "the same value in all rows"), ("poisson", 0.5, "no counts"), ("ordered", -1, "no counts")],
)
def test_an_outcome_that_is_none_of_its_family_is_refused(family, values, words):
    chosen, dataset = made(family)
    dataset["y"] = ("row", np.full(60, values))
    with pytest.raises(UserError, match=words):
        binding.bind({"name": "pooled", "design": chosen}, dataset)


def schools(**changes):
    """Eight schools (Rubin 1981): estimates with known standard errors, each row a school."""
    rows = {"effect": [28.0, 8, -3, 7, -1, 1, 18, 12], "stderr": [15.0, 10, 16, 11, 9, 11, 10, 18]}
    dataset = xr.Dataset(
        {name: ("school", np.array(values)) for name, values in rows.items()}, coords={"school": list("ABCDEFGH")}
    )
    own = {"family": "normal", "outcome": "effect", "unit": "school", "groups": ["school"], "standard_error": "stderr"}
    return {**EVERYTHING, **own, "predictors": [], "slopes": [], **changes}, dataset


def test_rows_may_be_the_members_of_a_group_and_have_known_standard_errors():
    """The density of the rows beside SciPy's: no common sigma, no index, and the school's own standard error."""
    chosen, dataset = schools()
    for rung, site in (("pooled", "alpha"), ("unpooled", "alpha_school"), ("partial", "alpha_school")):
        bound = binding.bind({"name": rung, "design": chosen}, dataset)
        assert "sigma" not in bound.latents
        assert design.signature({"name": rung, "design": chosen}).variables == ("stderr",)
        values = np.linspace(0.0, 14.0, bound.sizes[site])
        given = {name: np.ones(bound.sizes[name]) for name in bound.latents} | {site: values.squeeze()}
        given = {name: value.squeeze() if bound.sizes[name] == 1 else value for name, value in given.items()}
        function = handlers.substitute(handlers.condition(bound.function, given), given)
        trace = handlers.trace(handlers.seed(function, 0)).get_trace(**bound.data, **bound.hyperparameters)
        mean = trace[site]["value"]
        expected = stats.norm.logpdf(dataset["effect"], mean, dataset["stderr"])
        found = trace["effect"]["fn"].log_prob(dataset["effect"].values)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_equations_of_known_standard_errors_have_no_sigma():
    chosen, dataset = schools()
    text = equations("partial", chosen, {}, gathered("partial", chosen, dataset, True, "here"))
    assert "\\mathrm{Normal}(\\mu_i, \\mathrm{stderr}_i)" in text
    assert "\\\\\n\\sigma &" not in text


@pytest.mark.parametrize("rung", design.RUNGS[1:])
def test_rows_that_are_groups_of_their_own_need_standard_errors_to_be_told_from_noise(rung):
    chosen, _ = schools(standard_error=None)
    assert "needs several rows to each school, or `standard_error`" in design.applies(rung, chosen)
    assert design.applies("pooled", chosen) is None


def test_the_parametrization_weighs_known_standard_errors():
    """Shrinkage of eight schools: their own estimates say little, those with a hundredth of the errors nearly all."""
    chosen, dataset = schools()
    weak = gathered("partial", chosen, dataset, True, "here")["effects"]["alpha_school"]
    sharp = dataset.assign(stderr=dataset["stderr"] / 100)
    strong = gathered("partial", chosen, sharp, True, "here")["effects"]["alpha_school"]
    assert not weak["centred"]
    assert strong["centred"]
    assert strong["reliability"] > 0.99
