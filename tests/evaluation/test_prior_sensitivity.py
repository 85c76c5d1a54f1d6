"""Power-scaling sensitivities against closed forms, and what they say of models whose answer is
known."""

import json

import numpy as np
import pytest
import xarray as xr
from numpyro.infer.util import compute_log_probs
from scipy.special import expit
from scipy.stats import gamma, norm, poisson

from tadpool.evaluation import power_scaling, prior_sensitivity
from tadpool.files import contracts, io, plugins
from tadpool.fitting import fit_job, sampling
from tadpool.fitting.job import Job
from tadpool.fitting.prior_job import sample_prior
from tadpool.loading import preparation
from tadpool.modelling import binding
from tadpool.modelling.entry import Entry
from tadpool.workflow import failed_results

REPLICATES = 12
SAMPLE = ("chain", "draw")


def draws(values):
    return xr.DataArray(values, dims=SAMPLE)


def posterior(n, mean, sd, prior_mean, prior_sd, prior_power=1.0, likelihood_power=1.0):
    """Mean and sd of mu after n observations with this mean, known sd and powers of its normal
    prior and likelihood."""
    data, prior = likelihood_power * n / sd**2, prior_power / prior_sd**2
    return (data * mean + prior * prior_mean) / (data + prior), (data + prior) ** -0.5


def distance(base, other, low, high):
    """The cumulative Jensen-Shannon distance of two normals by quadrature, normalized on (low,
    high) as ArviZ does."""
    grid = np.linspace(low, high, 1001)
    found = []
    for tail in (norm.cdf, norm.sf):
        p, q = tail(grid, *base), tail(grid, *other)
        middle, rest = np.log2(0.5 * (p + q)), np.trapezoid(q - p, grid) / np.log(4)
        both = (
            np.trapezoid(p * (np.log2(p) - middle), grid) + rest,
            np.trapezoid(q * (np.log2(q) - middle), grid) - rest,
        )
        found.append(np.sqrt(sum(max(one, 0.0) for one in both) / np.trapezoid(p + q, grid)))
    return max(found)


def exact(case, low, high, component):
    """The sensitivity by its definition: the mean slope of the distance against log2 of the
    power."""
    others = {alpha: posterior(*case, **{f"{component}_power": alpha}) for alpha in power_scaling.ALPHAS}
    base = posterior(*case)
    return np.mean([distance(base, other, low, high) / abs(np.log2(alpha)) for alpha, other in others.items()])


@pytest.mark.parametrize("case", [(20, 3.0, 1.0, 0.0, 1.0), (2, 3.0, 3.0, 0.0, 0.5)])
def test_a_normal_mean_has_the_sensitivity_of_the_closed_form(case):
    """The mean ratio to the exact value is within 4.4 standard errors of 1, and 0.005 for the bias
    of a distance.

    Four comparisons: false alarms below 1e-2 (t with 11 degrees of freedom).
    """
    n, mean, sd, prior_mean, prior_sd = case
    ratios = []
    for replicate in range(REPLICATES):
        rng = np.random.default_rng(replicate)
        mu = rng.normal(*posterior(*case), (2, 8000))
        log_likelihood = draws(-0.5 * n * ((mu - mean) / sd) ** 2)
        prior_draws = xr.Dataset({"mu": draws(rng.normal(prior_mean, prior_sd, (1, 1000)))})
        priors = {"mu": draws(norm.logpdf(mu, prior_mean, prior_sd))}
        found = power_scaling.table(xr.Dataset({"mu": draws(mu)}), priors, log_likelihood, prior_draws)
        ratios.append([found[name].item() / exact(case, mu.min(), mu.max(), name) for name in ("prior", "likelihood")])
        assert found["prior_pareto_k"].item() < 0.5
    errors = np.std(ratios, axis=0, ddof=1) / np.sqrt(REPLICATES)
    assert (np.abs(np.mean(ratios, axis=0) - 1) < 4.4 * errors + 0.005).all()


@pytest.mark.parametrize(
    ("prior", "likelihood", "prior_sds", "expected"),
    [
        (0.3, 0.3, 0.0, "conflict"),
        (0.3, 0.01, -3.5, "conflict"),
        (0.3, 0.01, -2.5, "strong prior"),
        (0.01, 0.3, -9.0, "none"),
        (0.3, 0.01, np.nan, "strong prior"),
        (np.nan, np.nan, np.nan, "none"),
    ],
)
def test_diagnoses(prior, likelihood, prior_sds, expected):
    (found,) = power_scaling.diagnosed(*(np.array([value]) for value in (prior, likelihood, prior_sds)))
    assert found == expected


def test_group_effects_are_not_scaled_in_either_parametrization():
    rng = np.random.default_rng(1)
    values = {name: rng.normal(size=(2, 50, 3)) for name in ("centred", "raw", "apart", "coefficient")}
    dims = dict.fromkeys(values, ("chain", "draw", "group")) | {"coefficient": ("chain", "draw", "feature")}
    sites = xr.Dataset({name: (dims[name], value) for name, value in values.items()})
    sites["mu"] = draws(rng.normal(size=(2, 50)))
    scales = {name: 10.0 if name == "apart" else 1.0 for name in sites}
    log_prior = xr.Dataset({name: (site.dims, norm.logpdf(site, 0, scales[name])) for name, site in sites.items()})
    sites["shifted"] = sites["mu"].assign_attrs(site="deterministic")
    parents = {"shifted": ["mu"], "centred": ["shifted"], "mu": [], "raw": [], "apart": [], "coefficient": []}
    found = prior_sensitivity.unscaled({"sample_sample": parents}, sites, log_prior, {"group"})
    assert set(found) == {"centred", "raw"}
    assert prior_sensitivity.CONDITIONAL not in found.values()
    without = prior_sensitivity.unscaled({"sample_sample": parents}, sites, log_prior, set())
    assert without == {"centred": prior_sensitivity.CONDITIONAL}


def test_a_flat_prior_moves_nothing_and_a_constant_has_no_sensitivity():
    rng = np.random.default_rng(1)
    mu = rng.normal(size=(2, 200))
    sites = xr.Dataset({"mu": draws(mu), "fixed": draws(np.ones((2, 200)))})
    prior = xr.Dataset({"mu": draws(rng.random((1, 100)))})
    found = power_scaling.table(sites, {"mu": draws(np.full((2, 200), -3.0))}, draws(norm.logpdf(mu)), prior)
    assert found["prior"].sel(parameter="mu") == 0
    assert found["likelihood"].sel(parameter="mu") > power_scaling.SENSITIVE
    assert np.isnan(found["likelihood"].sel(parameter="fixed"))
    assert found["diagnosis"].values.tolist() == ["none", "none"]


ENTRY = {"seed": 1, "study": "s", "entry": "e", "hyperparameters": {}, "observed_where": {}}
SAMPLER = {"chains": 2, "warmup": 300, "draws": 500, "target_accept": 0.8, "max_tree_depth": 10, "precision": "float64"}


PREDATOR = {"model": "frogs_predator", "outcomes": ["survived"], "unit": "tank", "by": None}


def job(folder, output):
    paths = {name: str(folder / f"{name}.nc") for name in ("data", "prior", "fit")}
    return Job(str(folder / f"{output}.nc"), "{}", 2, **paths)


def assess(folder, **entry):
    prior_sensitivity.assess(job(folder, "sensitivity"), Entry(**entry), "float64")
    return io.read(folder / "sensitivity.nc", contracts.SENSITIVITY)


def fitted(folder, tree, entry, sampler):
    """Write data, prior and fit of an entry."""
    tree.attrs["provenance"] = "{}"
    io.write(folder / "data.nc", tree, contracts.DATA)
    sample_prior(job(folder, "prior"), Entry(**entry), "float64")
    fit_job.fit(job(folder, "fit"), Entry(**entry), sampler)


@pytest.fixture(scope="module")
def predator(tmp_path_factory):
    """A fit with its data and prior, and its sensitivities."""
    folder = tmp_path_factory.mktemp("predator")
    fitted(folder, preparation.prepare("reedfrogs", {}, ["survived"], "s"), ENTRY | PREDATOR, SAMPLER)
    return folder, assess(folder, **ENTRY, **PREDATOR, groups=["tank"])["sensitivity"].to_dataset()


def test_outcomes_that_do_not_count_have_no_part_in_the_log_likelihood(tmp_path):
    """A mask of the model is allowed where the study declares it."""
    entry = {
        "model": "masking_masked",
        "outcomes": ["y0", "y1"],
        "unit": "customer",
        "by": None,
        "observed_where": {"y1": "y0"},
    }
    tree = preparation.prepare("masking", {"customers": 50}, entry["outcomes"], "s", 1)
    fitted(tmp_path, tree, ENTRY | entry, {**SAMPLER, "warmup": 100, "draws": 100})
    found = assess(tmp_path, **ENTRY | entry, groups=[])["sensitivity"]
    assert np.isfinite(found["likelihood"]).all()


def test_the_prior_of_the_predator_effect_is_in_conflict_with_the_data(predator):
    """N(0, 0.5) against a posterior near -1.8: each bound is more than 5 Monte Carlo errors
    away."""
    _, found = predator
    effect = found.sel(parameter="beta_predator")
    assert effect["diagnosis"] == "conflict"
    assert effect["moved_by"] == "beta_predator"
    assert effect["prior"] > 0.2
    assert effect["prior_sds"] < -3
    assert found["prior_pareto_k"].max() < found.attrs["good_k"]


def test_the_file_says_what_was_scaled(predator):
    _, found = predator
    assert json.loads(found.attrs["scaled"]) == ["alpha_bar", "beta_predator", "sigma"]
    assert list(json.loads(found.attrs["unscaled"])) == ["alpha"]
    assert set(found["site"].values) == {"alpha", "alpha_bar", "beta_predator", "sigma"}
    assert found.sizes["parameter"] == 51


def test_the_recomputed_likelihood_is_the_stored_one(predator):
    folder, _ = predator
    _, bound = binding.open_bound(str(folder / "data.nc"), Entry(**ENTRY, **PREDATOR))
    fit = io.read(folder / "fit.nc", contracts.FIT)
    found = sampling.joint_log_likelihood(bound, fit["posterior"].to_dataset())
    np.testing.assert_allclose(found, prior_sensitivity._stored(fit, "tank", None), rtol=1e-6)


def separate_cookies(folder):
    """Files of cookies_pooled at each location alone, its posteriors drawn exactly; the last
    location has fewer cookies."""
    rng = np.random.default_rng(1)
    tree = preparation.prepare("cookies", {}, ["chips"], "s")
    tree = xr.DataTree.from_dict({name: part.to_dataset().isel(cookie=slice(0, 143)) for name, part in tree.items()})
    chips, index = tree["observed_data"]["chips"].values, tree["constant_data"]["location_index"].values
    counts = [chips[index == number] for number in range(5)]
    rate = np.stack([rng.gamma(2 + own.sum(), 1 / (0.2 + len(own)), (2, 300)) for own in counts])
    by_row = poisson.logpmf(chips, np.moveaxis(rate, 0, -1)[..., index])
    lead = ("location", "chain", "draw")
    stats = dict.fromkeys(contracts.STATS, (lead, np.zeros(rate.shape)))
    fit = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"rate": (lead, rate)}, {"location": tree["constant_data"]["location"]}),
            "sample_stats": xr.Dataset(stats),
            "log_likelihood": xr.Dataset({"chips": ((*SAMPLE, "cookie"), by_row)}),
            "log_prior": xr.Dataset({"rate": (lead, gamma.logpdf(rate, 2, scale=5))}),
            **tree,
        }
    )
    drawn = {"rate": (SAMPLE, rng.gamma(2, 5, (1, 500)))}
    prior = xr.DataTree.from_dict({"prior": xr.Dataset(drawn), "prior_predictive": xr.Dataset(), **tree})
    relations = json.dumps({"sample_sample": {"rate": [], "chips": ["rate"]}})
    for name, made, contract in (
        ("data", tree, contracts.DATA),
        ("prior", prior, contracts.PRIOR),
        ("fit", fit, contracts.FIT),
    ):
        made.attrs |= {"provenance": "{}", "status": "ok", "reason": "", "attempts": "[]", "relations": relations}
        io.write(folder / f"{name}.nc", made, contract)
    return rate, counts, drawn


def test_the_stored_log_prior_and_log_likelihood_are_those_of_numpyro(predator):
    """At three draws; what is stored has single precision."""
    folder, _ = predator
    _, bound = binding.open_bound(str(folder / "data.nc"), Entry(**ENTRY, **PREDATOR))
    fit = io.read(folder / "fit.nc", contracts.FIT)
    for draw in (0, 100, 499):
        at = {"chain": 1, "draw": draw}
        sites = {name: fit["posterior"][name].isel(at).values for name in bound.latents}
        expected, _ = compute_log_probs(bound.function, (), {**bound.data, **bound.hyperparameters}, sites)
        stored = {name: site.isel(at).values for name, site in fit["log_prior"].data_vars.items()}
        stored["survived"] = fit["log_likelihood"]["survived"].isel(at).values
        assert set(stored) == set(expected)
        for name, values in stored.items():
            assert values.astype(float).sum() == pytest.approx(float(expected[name]), rel=1e-5), name


def test_separate_fits_have_the_sensitivities_that_they_have_alone(tmp_path, monkeypatch):
    rate, counts, drawn = separate_cookies(tmp_path)
    entry = {**ENTRY, "model": "cookies_pooled", "outcomes": ["chips"], "unit": "cookie", "by": "location"}
    found = assess(tmp_path, **entry, groups=["location"])["sensitivity"]
    assert found["parameter"].values.tolist() == [f"rate[{label}]" for label in found["member"].values]
    assert json.loads(found.attrs["scaled"]) == ["rate"]
    last = draws(rate[-1])
    log_likelihood = draws(poisson.logpmf(counts[-1], rate[-1][..., None]).sum(-1))
    log_prior = draws(gamma.logpdf(rate[-1], 2, scale=5))
    alone = power_scaling.table(xr.Dataset({"rate": last}), {"rate": log_prior}, log_likelihood, xr.Dataset(drawn))
    for name in ("prior", "likelihood", "prior_sds"):
        assert found[name].values[-1] == pytest.approx(alone[name].item(), rel=1e-6)
    monkeypatch.setattr(prior_sensitivity, "_whole", lambda *_: False)
    again = assess(tmp_path, **entry, groups=["location"])["sensitivity"]
    np.testing.assert_allclose(again["likelihood"], found["likelihood"], rtol=1e-6)


def logistic(x, y):
    """Mode and covariance of a logistic regression with intercept and N(0, 1) priors, by Newton's
    method."""
    design = np.column_stack([x, np.ones(len(x))])
    mode = np.zeros(design.shape[1])
    for _ in range(20):
        p = expit(design @ mode)
        precision = (design * (p * (1 - p))[:, None]).T @ design + np.eye(len(mode))
        mode = mode + np.linalg.solve(precision, design.T @ (y - p) - mode)
    return mode, np.linalg.inv(precision)


@pytest.mark.parametrize("model", ["masking_simple", "masking_masked"])
def test_ten_thousand_rows_drown_their_priors(model):
    """Normal approximations stand for the posterior, which is exact enough with 10000 rows.

    The largest sensitivity of exact posteriors is 0.03, and of one of 600 draws varies by 0.003: no
    false alarms to speak of.
    """
    dataset, _ = plugins.load("datasets", "masking").simulate(None)
    x, visitors = dataset.x.values, dataset.y0.values == 1
    rows = visitors if model == "masking_masked" else slice(None)
    parts = [logistic(x, dataset.y0.values), *(logistic(x[rows], dataset.y1.values[rows, item]) for item in (0, 1))]
    rng = np.random.default_rng(1)
    first, *items = (rng.multivariate_normal(*part, (2, 300)) for part in parts)
    values = {
        "Y0_beta": first[:, :, None, :3],
        "Y0_intercept": first[..., 3:],
        "Y1_given_Y0_beta": np.stack([item[..., :3] for item in items], axis=2),
        "Y1_given_Y0_intercept": np.stack([item[..., 3] for item in items], axis=2),
    }
    bound = binding.bind(model, dataset)
    sites = binding.labelled(bound, values)
    priors = {name: draws(norm.logpdf(value).reshape(2, 300, -1).sum(-1)) for name, value in values.items()}
    log_likelihood = sampling.joint_log_likelihood(bound, sites)
    found = power_scaling.table(sites, priors, log_likelihood, xr.Dataset())
    assert found["prior"].max() < power_scaling.SENSITIVE
    assert found["likelihood"].min() > power_scaling.SENSITIVE
    assert set(found["diagnosis"].values) == {"none"}


@pytest.mark.parametrize("which", ["prior", "fit"])
def test_what_crashed_has_no_sensitivities_and_says_why(predator, tmp_path, which):
    folder, _ = predator
    for name in ("data", "prior", "fit"):
        (tmp_path / f"{name}.nc").symlink_to(folder / f"{name}.nc")
    (tmp_path / f"{which}.nc").unlink()
    failed_results.write_crashed(str(tmp_path / f"{which}.nc"), "{}", "it ran out of memory")
    tree = assess(tmp_path, **ENTRY, **PREDATOR, groups=["tank"])
    assert (tree.attrs["status"], tree.attrs["reason"]) == ("crashed", "it ran out of memory")
    assert "sensitivity" not in tree.children
