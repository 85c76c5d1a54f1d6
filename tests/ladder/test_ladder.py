"""The rungs of the pooling ladder: what they are bound to, their densities, their equations."""

import json
from dataclasses import replace
from functools import partial

import jax
import numpy as np
import numpyro
import pytest
import xarray as xr
from numpyro import handlers
from numpyro.infer.util import potential_energy, unconstrain_fn
from scipy import stats

from tadpool.engine.nuts import hold_out
from tadpool.errors import UserError
from tadpool.files import plugins
from tadpool.fitting import prediction
from tadpool.ladder import likelihoods
from tadpool.ladder.cell_sums import Cells
from tadpool.ladder.data_facts import by_row, gathered
from tadpool.ladder.equations import equations
from tadpool.ladder.first_estimates import working
from tadpool.modelling import binding, densities, references
from tadpool.modelling.design import Design
from tadpool.modelling.families import FAMILIES, LOG, Parameter
from tadpool.modelling.rungs import RUNGS
from tadpool.reporting.html.markup import mathml
from tadpool.reporting.sections.pooling_scales import Scale
from tests.made import starts

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
        "beta_binomial": rng.integers(0, 6, rows),
        "ordered": rng.integers(0, 4, rows),
        "ordered_probit": rng.integers(0, 4, rows),
        "categorical": rng.integers(0, 4, rows),
        "beta": rng.beta(2.0, 3.0, rows),
        "ordered_beta": rng.beta(2.0, 3.0, rows),
        "von_mises": rng.vonmises(0.5, 3.0, rows),
    }.get(family, rng.poisson(20.0, rows))
    if FAMILIES[family].link.name == "log" and "number" in FAMILIES[family].columns:
        outcome = np.exp(2 + 0.5 * rng.normal(size=rows))
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
    own |= {"offset": "known", "trials": "tries" if "trials" in FAMILIES[family].roles else None}
    own |= {"exposure": "days" if "exposure" in FAMILIES[family].roles else None}
    return {**own, **changes}, dataset


# Each way in which families differ within a rung; `test_likelihoods.py` has them all.
SEVERAL = (
    "normal",
    "student",
    "bernoulli",
    "binomial",
    "poisson",
    "negative_binomial",
    "ordered",
    "lognormal",
    "gamma",
)
LADDER = [name for name, family in FAMILIES.items() if family.predictors]
PAIRS = [
    *(("partial", family) for family in SEVERAL),
    *((rung, "normal") for rung in RUNGS if rung != "partial"),
]


@pytest.mark.parametrize(("rung", "family"), PAIRS)
def test_a_rung_has_the_density_that_its_equations_say(rung, family):
    """At a draw from the prior, every site against SciPy; and the names and dims of its sites."""
    chosen, dataset = made(family)
    assert RUNGS[rung].inapplicable(Design.from_json(chosen)) is None
    reference = {"name": rung, "design": chosen}
    bound = binding.bind(reference, dataset)
    signature = references.signature(reference)
    assert set(signature.variables) <= set(bound.inputs)
    assert bound.outcomes == signature.outcomes == (("x", "y") if rung == "latent_mundlak" else ("y",))
    separate = ("school",) if rung == "unpooled" else ()
    dims = {"y": ("row",), "beta_site": ("site",), "beta_treated_school" if separate else "beta_treated": separate}
    assert dims.items() <= bound.dims.items()

    @jax.jit
    def drawn(key, arguments):
        inputs = {name: value for name, value in arguments.items() if name not in bound.outcomes}
        sites = densities.simulate(bound, key, {}, inputs)
        trace = densities.conditioned_trace(bound, {name: sites[name] for name in bound.latents}, arguments)
        sampled = {name: site for name, site in trace.items() if site["type"] == "sample"}
        return sites, {name: site["fn"].log_prob(site["value"]) for name, site in sampled.items()}

    with numpyro.validation_enabled(False):
        sites, found = jax.tree.map(np.asarray, drawn(jax.random.key(5), {**bound.data, **bound.hyperparameters}))
    plain = {name for name in sites if not name.endswith("_decentered")} - set(bound.outcomes)
    assert sorted(RUNGS[rung].sites(Design.from_json(chosen))) == sorted(plain)
    expected = priors(rung, family, sites) | {"y": likelihood(rung, family, dataset, sites)}
    if rung == "latent_mundlak":
        means = sites["mean_x_school"][dataset.school_index.values]
        expected["x"] = stats.norm.logpdf(dataset.x, means, sites["sigma_within_x"])
    assert set(found) - set(expected) <= {"shares_grade", "beta_site", "cutpoints"}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-9, err_msg=name)


def units(family):
    """Location and standard deviation of the outcome and of the numbers, from the table itself."""
    dataset = made(family)[1]
    rows = {"x": dataset.x.values, "size": dataset["size"].values[dataset.school_index.values]}
    y = dataset.y.values - (dataset.known.values if family in ("normal", "student") else 0)
    found = {name: (values.mean(), values.std()) for name, values in rows.items()}
    if family == "lognormal":
        return found | {"y": ((np.log(y) - dataset.known.values).mean(), 1.0)}
    if family == "gamma":
        return found | {"y": (np.log(y.sum() / np.exp(dataset.known).sum().item()), 1.0)}
    if family in ("poisson", "negative_binomial"):
        return found | {"y": (np.log(y.sum() / (dataset.days * np.exp(dataset.known)).sum().item()), 1.0)}
    return found | {"y": (y.mean(), y.std()) if family in ("normal", "student") else (0.0, 1.0)}


def priors(rung, family, sites):
    """Log prior densities by site, as far as they are of one kind in all rungs."""
    (location, scale), (_, x), (_, size) = (units(family)[name] for name in ("y", "x", "size"))
    normal = {"alpha": (location, 1.5 * scale), "alpha_school": (location, 1.5 * scale), "beta_x": (0, scale / x)}
    normal |= {"beta_treated": (0, scale), "beta_size": (0, scale / size), "range_grade": (0, scale)}
    normal |= {"beta_x_school": (0, scale / x), "beta_treated_school": (0, scale), "beta_mean_treated": (0, scale)}
    normal |= {"beta_mean_x": (0, scale / x), "mean_x": (units(family)["x"][0], 1.5 * x)}
    exponential = {"sigma": scale, "sigma_school": scale, "sigma_year": scale, "sigma_x_school": scale / x}
    exponential |= {"sigma_treated_school": scale, "sigma_between_x": 1.5 * x, "sigma_within_x": 1.5 * x}
    known = {name: stats.norm.logpdf(sites[name], *of) for name, of in normal.items() if name in sites}
    if rung != "unpooled":  # elsewhere it is computed, from what is standard normal
        known = {name: value for name, value in known.items() if not name.endswith("_school")}
    known |= {name: stats.expon.logpdf(sites[name], scale=of) for name, of in exponential.items() if name in sites}
    standardized = [name for name in sites if name.endswith("_decentered")]
    known |= {name: stats.norm.logpdf(sites[name]) for name in standardized}
    for name, mean in {"alpha_school": sites.get("alpha", 0.0), "delta_year": 0.0}.items():
        if name in sites and rung != "unpooled" and f"{name}_decentered" not in standardized:
            known[name] = stats.norm.logpdf(sites[name], mean, sites[f"sigma_{name.partition('_')[2]}"])
    if "nu" in sites:
        known["nu"] = stats.gamma.logpdf(sites["nu"], 2, scale=10)
    for name in {"overdispersion", "variation"} & set(sites):
        known[name] = stats.halfnorm.logpdf(sites[name])
    if "partial_correlations_school" in sites:  # LKJ(2) of three effects: Beta(2.5), Beta(2.5), Beta(2) on (-1, 1)
        shapes = np.array([2.5, 2.5, 2.0])
        each = stats.beta.logpdf((sites["partial_correlations_school"] + 1) / 2, shapes, shapes) - np.log(2)
        known["partial_correlations_school"] = each.sum()
    return known


def likelihood(rung, family, dataset, sites):
    """Log likelihood of each row, from the values of all sites."""
    school, rows = (
        dataset.school_index.values,
        {name: dataset[name].values for name in ("x", "treated", "grade", "known")},
    )
    rows |= {"size": dataset["size"].values[school], "site": dataset.site_index.values}
    eta = (
        sites["alpha"]
        if rung == "pooled" and family != "ordered"
        else sites["alpha_school"][school]
        if rung != "pooled"
        else 0
    )
    eta = eta + rows["known"] + sites["beta_site"][rows["site"]] + sites["beta_grade"][rows["grade"]]
    if "delta_year" in sites:
        eta = eta + sites["delta_year"][dataset.year_index.values]
    for name in ("x", "treated", "size"):
        beta = sites[f"beta_{name}_school"][school] if f"beta_{name}_school" in sites else sites[f"beta_{name}"]
        apart = rows[name] - units(family)[name][0] if name != "treated" else rows[name]
        eta = eta + beta * apart
        if f"beta_mean_{name}" in sites:
            means = np.bincount(school, apart)[school] / np.bincount(school)[school]
            if rung == "latent_mundlak" and name == "x":
                means = sites["mean_x_school"][school] - units(family)["x"][0]
            eta = eta + sites[f"beta_mean_{name}"] * means
    y, p = dataset.y.values, 1 / (1 + np.exp(-eta))
    if family in ("normal", "student"):
        nu = sites.get("nu", np.inf)
        return (
            stats.norm.logpdf(y, eta, sites["sigma"])
            if family == "normal"
            else stats.t.logpdf(y, nu, eta, sites["sigma"])
        )
    if family in ("bernoulli", "binomial"):
        return stats.binom.logpmf(y, dataset.tries.values if family == "binomial" else 1, p)
    if family == "ordered":
        above = [1.0, *(1 / (1 + np.exp(-(eta - cut))) for cut in sites["cutpoints"]), 0.0]
        share = np.array([np.broadcast_to(above[k] - above[k + 1], len(y)) for k in range(4)])
        return np.log(share[y, np.arange(len(y))])
    if family == "lognormal":
        return stats.lognorm.logpdf(y, sites["sigma"], scale=np.exp(eta))
    if family == "gamma":
        return stats.gamma.logpdf(y, sites["shape"], scale=np.exp(eta) / sites["shape"])
    rate = dataset.days.values * np.exp(eta)
    if family == "poisson":
        return stats.poisson.logpmf(y, rate)
    return stats.nbinom.logpmf(y, sites["phi"], sites["phi"] / (sites["phi"] + rate))


def test_new_rows_are_predicted_with_the_scales_of_the_data():
    """Without noise a new school's row is the population's line, whose predictor is centred at the
    fitted data's mean."""
    chosen, dataset = made("normal", predictors=PREDICTORS[:1], slopes=[], offset=None)
    bound = binding.bind({"name": "partial", "design": chosen}, dataset)
    drawn = {
        "alpha": [3.0, 4.0],
        "beta_x": [0.5, 1.0],
        **dict.fromkeys(("sigma", "sigma_school", "sigma_year"), [1e-9] * 2),
    }
    posterior = xr.Dataset({name: (("chain", "draw"), np.array([values])) for name, values in drawn.items()})
    posterior["delta_year_decentered"] = (("chain", "draw", "year"), np.zeros((1, 2, 4)))
    rows = [{"x": 7.0, "year": 2002}, {"x": 9.0, "year": 2003}]
    tree = prediction.predict_rows(bound, posterior, "school", "new school", "row", rows, np.array([1, 2], np.uint32))
    apart = np.array([7.0, 9.0]) - dataset.x.values.mean()
    expected = [[[3.0 + 0.5 * apart[0], 3.0 + 0.5 * apart[1]], [4.0 + apart[0], 4.0 + apart[1]]]]
    np.testing.assert_allclose(tree["predictions"]["y"], expected, atol=1e-6)
    assert tree["predictions"]["alpha_school"].sizes["school"] == 1


@pytest.mark.parametrize("family", LADDER)
@pytest.mark.parametrize("rung", RUNGS)
def test_equations_can_be_shown_with_and_without_the_numbers_of_the_data(rung, family):
    chosen, dataset = made(family)
    design = Design.from_json(chosen)
    for facts in (None, gathered(rung, design, dataset, True, "here")):
        text = equations(rung, design, {"alpha_scale": 2.0}, facts)
        assert "<math" in mathml(text, "block")
        assert text.count("&") == text.count("\\\\\n") + 1
        assert ("s_y" in text) == (facts is None and family in ("normal", "student"))


@pytest.mark.parametrize(
    ("mean", "sd", "shown"),
    [
        (2007.0, 10.0, "_i - 2007)"),
        (-0.324, 0.7, "_i + 0.324)"),
        (1.7e9 + 4, 5.5, "_i - 1700000004)"),
        (5.02, 2.0, "_i - 5.02)"),
    ],
)
def test_equations_show_where_a_predictor_lies_as_exactly_as_it_varies(mean, sd, shown):
    chosen, dataset = made("normal")
    x = (dataset["x"] - dataset["x"].mean()) / dataset["x"].std()
    design, dataset = Design.from_json(chosen), dataset.assign(x=mean + sd * x)
    assert shown in equations("partial", design, {}, gathered("partial", design, dataset, True, "here"))


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
    design = Design.from_json(made("normal", **changes)[0])
    assert words in RUNGS[rung].inapplicable(design)
    assert RUNGS["pooled"].inapplicable(design) is None


def test_a_name_is_a_reference_too():
    assert references.name("frogs_multilevel") == "frogs_multilevel"
    assert references.design_of("frogs_multilevel") is None
    assert references.signature("frogs_multilevel") == plugins.signature(plugins.find("models", "frogs_multilevel"))
    assert not references.signature("frogs_multilevel").designed


def test_hyperparameters_are_those_of_the_family():
    signature = references.signature({"name": "partial", "design": made("poisson")[0]})
    assert set(signature.hyperparameters) == {
        "alpha_location", "alpha_scale", "beta_scale", "group_scale", "sd_prior", "scaled", "parametrization", "collapse"
    }  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_a_design_goes_to_json_and_back(family):
    design = Design.from_json(made(family)[0])
    assert Design.from_json(json.loads(json.dumps(design.to_json()))) == design
    assert design.to_json()["family"] == family


def test_a_family_without_a_record_is_refused():
    with pytest.raises(KeyError, match="no family is named 'skewed'; the families are normal, student"):
        Design.from_json({**made("normal")[0], "family": "skewed"})


def unsupported(**changes):
    """A design of a family that the table of families has and no other place, and data for it."""
    chosen, dataset = made("normal", offset=None)
    design = Design.from_json(chosen)
    return replace(design, family=replace(design.family, name="skewed", **changes)), dataset


def test_no_family_or_link_is_treated_as_another_one():
    """Each place that computes by family or link says which it lacks, where it might go on with the
    identity link."""
    design, dataset = unsupported(link=replace(LOG, name="probit"))
    with pytest.raises(KeyError, match="no first estimates for the link 'probit' of the family 'skewed'"):
        working(design, by_row(design, dataset), [])
    with pytest.raises(KeyError, match="probit"):
        Scale(design, dataset["y"]).link(0.5)
    with pytest.raises(KeyError, match="the family 'skewed' has no likelihood"):
        likelihoods.distribution(design.family, np.zeros(3), {})
    with pytest.raises(KeyError, match="no log likelihood from sums over cells for the family 'skewed'"):
        Cells(np.zeros(3, int), np.zeros(1, int), dict, []).joint_log_density(design.family, {})
    shape = Parameter("shape", "k", "Skewed", (("shape_scale", 1.0),))
    with pytest.raises(KeyError, match="the parameter 'shape' of the family 'skewed' has no prior"):
        likelihoods.own_parameters(
            replace(design.family, parameters=(shape,)), {"shape_scale": 1.0}, "half_normal", 1.0, 1.0, 0
        )


@pytest.mark.parametrize(
    ("family", "values", "words"),
    [
        ("normal", 3.0, "the same value in all rows"),
        ("poisson", 0.5, "no counts"),
        ("ordered", -1, "no counts"),
        ("gamma", 0.0, "values that are not above 0, as the family gamma needs"),
        ("hurdle_lognormal", 0.0, "values that are nowhere above 0, as the family"),
        ("hurdle_lognormal", -1.0, "not 0 or more"),
        ("beta", 1.0, "not between 0 and 1, both excluded"),
        ("ordered_beta", 45.0, "not between 0 and 1"),
        ("von_mises", 90.0, "not angles between -pi and pi"),
    ],
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
    """The density of the rows beside SciPy's: no common sigma, no index, and the school's own
    standard error."""
    chosen, dataset = schools()
    for rung, site in (("pooled", "alpha"), ("unpooled", "alpha_school"), ("partial", "alpha_school")):
        bound = binding.bind({"name": rung, "design": chosen}, dataset)
        assert "sigma" not in bound.latents
        assert references.signature({"name": rung, "design": chosen}).variables == ("stderr",)
        trace = handlers.trace(handlers.seed(bound.function, 0)).get_trace(**bound.data, **bound.hyperparameters)
        expected = stats.norm.logpdf(dataset["effect"], trace[site]["value"], dataset["stderr"])
        found = trace["effect"]["fn"].log_prob(dataset["effect"].values)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_equations_of_known_standard_errors_have_no_sigma():
    chosen, dataset = schools()
    design = Design.from_json(chosen)
    text = equations("partial", design, {}, gathered("partial", design, dataset, True, "here"))
    assert "\\mathrm{Normal}(\\mu_i, \\mathrm{stderr}_i)" in text
    assert "\\\\\n\\sigma &" not in text


@pytest.mark.parametrize("rung", [rung for rung in RUNGS if rung != "pooled"])
def test_rows_that_are_groups_of_their_own_need_standard_errors_to_be_told_from_noise(rung):
    design = Design.from_json(schools(standard_error=None)[0])
    reason = RUNGS[rung].inapplicable(design)
    assert reason.startswith("needs several rows to each school, or their errors, to tell")
    assert "`standard_error` of effect names the column" in reason
    assert RUNGS["pooled"].inapplicable(design) is None


def test_the_parametrization_weighs_known_standard_errors():
    """Shrinkage of eight schools: their own estimates say little, those with a hundredth of the
    errors nearly all."""
    chosen, dataset = schools()
    design = Design.from_json(chosen)
    weak = gathered("partial", design, dataset, True, "here")["effects"]["alpha_school"]
    sharp = dataset.assign(stderr=dataset["stderr"] / 100)
    strong = gathered("partial", design, sharp, True, "here")["effects"]["alpha_school"]
    assert not weak["centred"]
    assert strong["centred"]
    assert strong["reliability"] > 0.99


COLLAPSIBLE = [
    ("partial_slopes", "normal"),
    ("latent_mundlak", "normal"),
    ("partial", "binomial"),
    ("mundlak", "poisson"),
]


@pytest.mark.parametrize(("rung", "family"), COLLAPSIBLE)
def test_sums_over_cells_are_the_log_likelihood_of_the_rows_that_are_kept(rung, family):
    """Density and gradient at a point, of 1,000 weighted rows with a third held out, against one
    term for each row."""
    chosen, dataset = made(family, rows=1000)
    if family != "normal":  # numbers that few rows share would make a cell of each
        dataset["x"], dataset["known"] = dataset["x"].round(-1), dataset["known"].round(-1)
        chosen["predictors"] = PREDICTORS[:2]
    dataset["w"] = ("row", np.random.default_rng(3).random(1000))
    weights = {"y": "w"} if rung != "partial" else {}
    bound = binding.bind({"name": rung, "design": chosen, "weights": weights}, dataset)
    assert bound.facts["cells"]["collapsed"]
    arguments = {**bound.data, **bound.hyperparameters}
    with numpyro.validation_enabled(False):
        drawn = densities.simulate(bound, jax.random.key(3), {}, {**bound.inputs, **bound.hyperparameters})
        z = unconstrain_fn(bound.function, (), arguments, {name: drawn[name] for name in bound.latents})
    z = {name: z[name] for name in bound.latents}
    held_out = {"y": np.random.default_rng(2).random(1000) < 1 / 3}

    def potential(z, joint):
        with hold_out(held_out=held_out, joint=joint):
            return potential_energy(bound.function, (), arguments, z)

    (expected, slope), (found, own_slope) = (
        jax.jit(jax.value_and_grad(partial(potential, joint=joint)))(z) for joint in (False, True)
    )
    assert float(found) == pytest.approx(float(expected), rel=1e-11)
    for name, value in slope.items():
        np.testing.assert_allclose(own_slope[name], value, rtol=1e-8, atol=1e-8 * np.abs(value).max(), err_msg=name)


def test_a_row_to_predict_has_the_medians_of_the_data_where_it_says_nothing():
    """Medians of the standard errors, the lower one of two; a new school's effect under its own
    name, as its prior has it."""
    chosen, dataset = schools()
    bound = binding.bind({"name": "partial", "design": chosen}, dataset)
    draws = {"alpha": np.full((1, 400), 8.0), "sigma_school": np.full((1, 400), 0.001)}
    posterior = xr.Dataset({name: (("chain", "draw"), value) for name, value in draws.items()})
    key = np.array([1, 2], np.uint32)
    tree = prediction.predict_rows(bound, posterior, "school", "new school", "school", [{}], key)
    assert tree["predictions_constant_data"]["stderr"].values.tolist() == [11.0]
    assert tree["predictions"]["effect"]["school"].values.tolist() == ["new school"]
    np.testing.assert_allclose(tree["predictions"]["alpha_school"], 8.0, atol=0.01)
    stated = prediction.predict_rows(bound, posterior, "school", "new school", "school", [{"stderr": 5.0}], key)
    assert stated["predictions_constant_data"]["stderr"].values.tolist() == [5.0]
    ratio = stated["predictions"]["effect"].std() / tree["predictions"]["effect"].std()
    np.testing.assert_allclose(ratio, 5 / 11, rtol=0.01)  # the same key: the same standardized noise


def test_a_row_to_predict_has_the_most_frequent_category():
    chosen, dataset = made("normal", groups=["school"], slopes=[])
    bound = binding.bind({"name": "partial", "design": chosen}, dataset)
    typical = prediction.typical_row(bound)
    counts = np.bincount(dataset["site_index"])
    assert typical["site"] == dataset["site"].values[counts.argmax()]
    assert typical["treated"] == round(float(dataset["treated"].mean()))
    assert typical["size"] == np.quantile(dataset["size"], 0.5, method="lower")
    assert "school" not in typical


def in_other_units(family, dataset, outcome, predictor):
    """Data with the numbers in other units: the outcome and its offset, or the exposure; and the
    predictors."""
    factors = {"x": predictor, "size": predictor}
    if family in ("normal", "student"):
        factors |= {"y": outcome, "known": outcome}
    elif FAMILIES[family].link.name == "log":
        factors["days" if "exposure" in FAMILIES[family].roles else "y"] = outcome
    return dataset.assign({name: dataset[name] * factor for name, factor in factors.items()})


def unit_of(site, family, outcome, predictor):
    """What a value of a site is multiplied by, in other units."""
    own = outcome if family in ("normal", "student") else 1.0
    if site in ("nu", "shares_grade") or site.endswith("_decentered") or "correlation" in site:
        return 1.0
    if site.startswith(("mean_x", "sigma_between_x", "sigma_within_x")):
        return predictor
    numbers = ("beta_x", "beta_size", "beta_mean_x", "sigma_x_school")
    return own / predictor if site.startswith(numbers) else own


FACTORS = [(1e-12, 1.0), (1e12, 1.0), (1.0, 1e-12), (1.0, 1e12), (1e12, 1e-12), (1e4, 365.25)]
RAW = [("partial_slopes", "normal"), ("partial", "poisson")]


@pytest.mark.parametrize(
    ("rung", "family", "scaled"), [*((*pair, True) for pair in PAIRS), *((*pair, False) for pair in RAW)]
)
def test_the_sampler_sees_the_same_in_all_units(rung, family, scaled):
    """At points where chains start: values of sites up to their unit and, where priors are in units
    of the data, the density up to a constant and its gradient."""
    chosen, dataset = made(family)
    design, reference = Design.from_json(chosen), {"name": rung, "design": chosen}
    bound = binding.bind(reference, dataset, {"scaled": scaled})
    hyperparameters = {**references.signature(reference).hyperparameters, "scaled": scaled}
    static = {name: value for name, value in hyperparameters.items() if not isinstance(value, float)}
    at_start = jax.jit(
        partial(starts.values, bound.function, bound.latents), compiler_options={"xla_backend_optimization_level": 0}
    )
    found = []
    for factors in [(1.0, 1.0), *FACTORS]:
        rows = in_other_units(family, dataset, *factors)
        parts = plugins.load("models", rung).bound(design, rows, static, None)
        assert {name: each["centred"] for name, each in parts.facts["effects"].items()} == {
            name: each["centred"] for name, each in bound.facts["effects"].items()
        }
        data = {name: rows[name].values if name in rows else value for name, value in bound.data.items()}
        found.append(jax.tree.map(np.asarray, at_start({**data, **parts.arrays, **bound.hyperparameters})))
    values, gradients, energies = found[0]
    for factors, (own, slopes, energy) in zip(FACTORS, found[1:], strict=True):
        for name, value in values.items():
            logs = name in ("alpha", "alpha_school") and FAMILIES[family].link.name == "log"
            shift = logs * np.log(factors[0]) * (1 if "exposure" in FAMILIES[family].roles else -1)
            unit, size = unit_of(name, family, *factors), 1e-9 * np.abs(value).max()
            np.testing.assert_allclose(own[name] / unit + shift, value, rtol=1e-9, atol=size, err_msg=name)
        if scaled:
            for name, slope in gradients.items():
                size = 1e-9 * (1 + np.abs(slope).max())
                np.testing.assert_allclose(slopes[name], slope, rtol=1e-9, atol=size, err_msg=name)
            np.testing.assert_allclose(np.ptp(energy - energies), 0, atol=1e-9 * np.abs(energies).max())


def test_a_centred_effect_can_be_reparametrized():
    """The remedy knows the ladder's own distributions as those with a location and a scale."""
    chosen, dataset = made("normal")
    bound = binding.bind({"name": "partial", "design": chosen}, dataset, {"parametrization": "centred"})
    latents = binding.latents(binding.reparametrized(bound, ["alpha_school"]), {**bound.data, **bound.hyperparameters})
    assert set(bound.latents) ^ set(latents) == {"alpha_school", "alpha_school_decentered"}


def test_censored_outcomes_have_the_likelihood_of_survival_times():
    """Exponential times: events times the log of the rate, less the rate times the whole time; and
    an interval. Families without a distribution function have no such role."""
    chosen, dataset = made("exponential", predictors=[], slopes=[], offset=None, groups=["school"])
    dataset["status"] = ("row", np.r_[np.tile([0, 1], 29), [2, -1]])
    dataset["end"] = ("row", 2 * dataset["y"].values)
    chosen |= {"censored": "status", "interval_end": "end"}
    assert not FAMILIES["poisson"].bounded
    with pytest.raises(UserError, match="no variable has their upper ends"):
        binding.bind({"name": "pooled", "design": chosen | {"interval_end": None}}, dataset)
    with pytest.raises(UserError, match="an interval of y ends below its value"):
        binding.bind({"name": "pooled", "design": chosen}, dataset.assign(end=dataset["y"]))
    bound = binding.bind({"name": "pooled", "design": chosen}, dataset)
    arguments = {**bound.data, **bound.hyperparameters}
    trace = densities.conditioned_trace(bound, {"alpha": np.array(1.7)}, arguments)
    found = trace["y"]["fn"].log_prob(dataset["y"].values)
    rate, times = np.exp(-1.7), dataset["y"].values
    survival = 29 * np.log(rate) - rate * times[:58].sum()
    last = np.log(np.exp(-rate * times[58]) - np.exp(-2 * rate * times[58])), np.log(-np.expm1(-rate * times[59]))
    assert float(found.sum()) == pytest.approx(survival + sum(last), rel=1e-12)


def test_truncated_outcomes_have_their_share_of_the_density():
    chosen, dataset = made("normal", predictors=[], slopes=[], offset=None, groups=["school"], truncated=[None, 30.0])
    bound = binding.bind({"name": "pooled", "design": chosen}, dataset)
    arguments = {**bound.data, **bound.hyperparameters}
    trace = densities.conditioned_trace(bound, {"alpha": np.array(29.0), "sigma": np.array(8.0)}, arguments)
    expected = stats.norm.logpdf(dataset["y"], 29, 8) - stats.norm.logcdf(30, 29, 8)
    np.testing.assert_allclose(trace["y"]["fn"].log_prob(dataset["y"].values), expected, rtol=1e-12)
    with pytest.raises(UserError, match="beyond the ends of `truncated`"):
        binding.bind({"name": "pooled", "design": chosen | {"truncated": [12.0, None]}}, dataset)
