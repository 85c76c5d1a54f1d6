"""Remedies: which one follows from what was found, and that more draws and other parameters keep
the posterior."""

import json

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats

from tadpool import config
from tadpool.convergence import remedies, sentences
from tadpool.engine import lanes
from tadpool.errors import UserError
from tadpool.files import contracts, io, plugins, provenance
from tadpool.files.data_file import merged
from tadpool.fitting import fit_job, prediction, sampling
from tadpool.fitting.job import Job
from tadpool.loading import columns
from tadpool.loading.preparation import prepare
from tadpool.modelling import batched_fits, binding
from tadpool.modelling.entry import Entry
from tadpool.workflow.specs import Specs

SAMPLER = {"chains": 2, "warmup": 300, "draws": 50, "target_accept": 0.8, "max_tree_depth": 10, "precision": "float64"}
SITES = ("theta",)
# Two-sided normal tail beyond 4.4 is 1.1e-5: over the about 200 comparisons of this module false
# alarms are below 3e-3.
Z = 4.4


def walk(*found, allowed=remedies.REMEDIES, sites=SITES):
    """The remedies that follow one another where each check finds the next of `found`, the last one
    for ever."""
    step, steps = remedies.first_step(SAMPLER), []
    for number in range(100):
        reasons = [{"code": code, "severity": "warn"} for code in found[min(number, len(found) - 1)]]
        step = remedies.next_step(step, reasons, SAMPLER, allowed, sites)
        if step is None:
            return steps
        steps.append(step)
    raise AssertionError("remedies have no end")


def summary(steps):
    keys = ("draws", "target_accept", "warmup", "reparametrized")
    return [(step.attempt, *(step.settings[key] for key in keys)) for step in steps]


def test_nothing_found_asks_for_nothing():
    assert walk([]) == []


@pytest.mark.parametrize("code", ["rhat", "ess_bulk", "ess_tail"])
def test_more_draws_are_the_same_attempt_up_to_four_times(code):
    assert summary(walk([code], sites=())) == [(0, 100, 0.8, 300, []), (0, 200, 0.8, 300, [])]
    (step,) = walk([code], [])
    assert step.because["code"] == code


def test_divergences_raise_the_target_and_then_change_the_parameters():
    assert summary(walk(["rhat", "diverging"], ["diverging"])) == [
        (1, 50, 0.95, 600, []),
        (2, 50, 0.99, 600, []),
        (3, 50, 0.99, 600, ["theta"]),
    ]
    assert walk(["rhat", "diverging"])[0].because["code"] == "diverging"


def test_a_higher_target_than_configured_is_kept():
    high = {**SAMPLER, "target_accept": 0.97}
    reasons = [{"code": "diverging", "severity": "fail"}]
    step = remedies.next_step(remedies.first_step(high), reasons, high, remedies.REMEDIES, ())
    assert step.settings["target_accept"] == 0.99


def test_slow_chains_are_reparametrized_after_more_draws_did_not_help():
    assert summary(walk(["ess_bulk", "bfmi"]))[:3] == [
        (0, 100, 0.8, 300, []),
        (0, 200, 0.8, 300, []),
        (1, 50, 0.8, 300, ["theta"]),
    ]
    assert summary(walk(["bfmi"])) == [(1, 50, 0.8, 300, ["theta"])]


@pytest.mark.parametrize("code", ["modes", "finite", "missing", "status", "identical_chains", "one_chain"])
def test_there_is_no_remedy_for_modes_and_values_that_are_not_finite(code):
    assert walk(["diverging", "rhat", code]) == []


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ([], []),
        (["draws"], ["draws", "draws"]),
        (["target_accept"], ["target_accept", "target_accept"]),
        (["reparametrize"], ["reparametrize"]),
    ],
)
def test_only_what_is_allowed_is_tried(allowed, expected):
    assert [step.remedy for step in walk(["diverging", "rhat"], allowed=allowed)] == expected


def test_everything_wrong_for_ever_ends():
    steps = walk(["diverging", "rhat", "ess_bulk", "bfmi"])
    assert [step.remedy for step in steps] == ["target_accept"] * 2 + ["reparametrize"] + ["draws"] * 2


def test_the_words_of_a_record():
    steps = walk(["diverging"])
    records = [remedies.record(step, 1, "ok", "", None) for step in (remedies.first_step(SAMPLER), *steps)]
    assert sentences.tried(records) == [
        "target acceptance 0.95 with 600 warm-up iterations",
        "target acceptance 0.99 with 600 warm-up iterations",
        "reparametrized theta",
    ]
    assert records[0]["settings"] == {**SAMPLER, "reparametrized": []}


@pytest.fixture(scope="module")
def cookies(tmp_path_factory):
    """fit(draws, remedies): the pooled cookie model's fit.nc."""
    folder = tmp_path_factory.mktemp("cookies")
    data = prepare("cookies", {}, ["chips"], "s", None)
    data.attrs["provenance"] = "{}"
    io.write(folder / "data.nc", data, contracts.DATA)

    def fit(draws, allowed):
        path = folder / f"{draws}.nc"
        record = provenance.record({"seed": 1}, "d")
        job = Job(str(path), record, 2, data=str(folder / "data.nc"))
        entry = Entry(1, "s", "e", "cookies_pooled", outcomes=["chips"], unit="cookie")
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("TADPOOL_COMPILE_CACHE", "off")  # the tests' own stays
            fit_job.fit(job, entry, {**SAMPLER, "draws": draws}, remedies=allowed)
        return io.read(path, contracts.FIT)

    return fit


def test_more_draws_are_the_bits_of_a_fit_with_so_many_draws(cookies):
    """50 draws of 2 chains never have the ESS of 200 that passes, so there is always a remedy."""
    remedied = cookies(50, ["draws"])
    attempts = json.loads(remedied.attrs["attempts"])
    assert len(attempts) > 1
    assert {attempt["attempt"] for attempt in attempts} == {0}
    draws = attempts[-1]["settings"]["draws"]
    assert draws == 50 * 2 ** (len(attempts) - 1)
    assert [attempt["verdict"] for attempt in attempts[:-1]] != ["pass"] * (len(attempts) - 1)
    at_once = cookies(draws, [])
    for group in ("posterior", "sample_stats", "log_likelihood", "log_prior", "posterior_predictive"):
        xr.testing.assert_identical(remedied[group].to_dataset(), at_once[group].to_dataset())
    (once,) = json.loads(at_once.attrs["attempts"])
    assert once["diagnostics"] == attempts[-1]["diagnostics"]


def frogs():
    found = {file: columns.read(path) for file, path in plugins.tables("reedfrogs").items()}
    return plugins.load("datasets", "reedfrogs").load(found)


@pytest.fixture(scope="module")
def reparametrized():
    """The multilevel frog model, its tanks' effects sampled as distances from their mean."""
    bound = binding.bind("frogs_multilevel", frogs())
    address = {"seed": 1, "study": "reedfrogs", "entry": "multilevel", "role": "fit", "attempt": 3}
    sampler = lanes.Sampler(1000, 1000, 0.8, 10)
    sampled = sampling.sample(bound, address, 4, sampler, reparametrized=("alpha",), keep_state=True)
    return bound, sampled, sampling.fit_from_draws(sampled, ["survived"], "tank").groups


def test_reparametrized_sites_keep_their_names_and_their_posterior(reparametrized, reference):
    _, _, groups = reparametrized
    posterior = groups["posterior"]
    kinds = {name: variable.attrs["site"] for name, variable in posterior.data_vars.items()}
    assert kinds["alpha"] == kinds["sigma"] == "latent"
    assert kinds["alpha_decentered"] == "auxiliary"
    assert posterior["alpha_decentered"].dims == posterior["alpha"].dims == ("chain", "draw", "tank")
    standardized = (posterior["alpha"] - posterior["alpha_bar"]) / posterior["sigma"]
    np.testing.assert_allclose(posterior["alpha_decentered"], standardized, rtol=1e-9, atol=1e-9)
    for name, row in reference("reedfrogs_multilevel").iterrows():
        site, _, index = name.rstrip("]").partition("[")
        draws = posterior[site].values[..., int(index)] if index else posterior[site].values
        for value, expected, method in ((draws.mean(), row["mean"], "mean"), (draws.std(ddof=1), row["sd"], "sd")):
            error = array_stats.mcse(draws, chain_axis=0, draw_axis=1, method=method)
            assert abs(value - expected) < Z * error, name


def test_what_follows_from_a_reparametrized_fit_needs_the_plain_model_alone(reparametrized):
    from scipy import stats

    bound, _, groups = reparametrized
    posterior, data = groups["posterior"], frogs()
    expected = stats.binom.logpmf(data.survived.values, data.density.values, posterior.p_survived.values)
    np.testing.assert_allclose(groups["log_likelihood"]["survived"], expected, rtol=2e-6, atol=2e-6)
    assert set(groups["log_prior"].data_vars) == {"alpha", "alpha_bar", "sigma"}
    (block,) = sampling.log_likelihood_blocks(bound, posterior, ["survived"], "tank", 1e9)
    np.testing.assert_array_equal(block, groups["log_likelihood"]["survived"])
    row = {"density": 10, "predators": 0, "size": 0}
    tree = prediction.predict_rows(bound, posterior, "tank", "new tank", "tank", [row], np.array([1, 2], np.uint32))
    assert tree["predictions"]["survived"].sizes["tank"] == 1
    new = tree["predictions"]["alpha"].values[..., 0]
    distance = (new - posterior["alpha_bar"].values) / posterior["sigma"].values
    error = array_stats.mcse(distance, chain_axis=0, draw_axis=1)
    assert abs(distance.mean()) < Z * error
    assert abs(distance.std() - 1) < Z * array_stats.mcse(distance, chain_axis=0, draw_axis=1, method="sd")


def test_a_reparametrized_fit_can_go_on(reparametrized):
    _, sampled, groups = reparametrized
    more = sampling.continue_sampling(sampled, 1200)
    first = more.groups["posterior"].isel(draw=slice(1000))
    xr.testing.assert_identical(first, groups["posterior"])
    assert more.groups["posterior"].sizes["draw"] == 1200


def test_sweeps_and_declared_failures_have_no_remedies():
    jobs = Specs(config.read({"studies": ["reedfrogs", "radon"], "remedies": "auto"}))

    def allowed(rule, **wildcards):
        return json.loads(jobs.spec(rule, wildcards)).get("remedies", [])

    assert allowed("fit", study="reedfrogs", model="multilevel") == list(remedies.REMEDIES)
    assert allowed("sweep", study="reedfrogs", sweep="sigma") == []
    assert allowed("fit", study="radon", model="individual") == []
    assert allowed("fit", study="radon", model="hierarchical_centred") == []


MODEL = '''"""Mine."""
import numpyro
import numpyro.distributions as dist

REPARAMETRIZE = {named}


def model(density, survived=None, *, rate=1.0):
    sigma = numpyro.sample("sigma", dist.Exponential(rate))
    with numpyro.plate("tank", density.shape[0]):
        alpha = numpyro.sample("alpha", dist.Normal(0.0, sigma))
        numpyro.sample("survived", dist.Binomial(density, logits=alpha), obs=survived)
'''


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("('alpa',)", ["mine.py", "'alpa'", "did you mean 'alpha'"]),
        ("3", ["mine.py", "REPARAMETRIZE needs names of sites"]),
        ("('sigma',)", ["mine.py", "reparametrizing sigma", "real support"]),
    ],
)
def test_a_site_that_cannot_be_reparametrized_is_a_mistake(tmp_path, monkeypatch, named, words):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.py").write_text(MODEL.replace("{named}", named))
    monkeypatch.chdir(tmp_path)
    bound = binding.bind("mine", frogs())
    with pytest.raises(UserError) as caught:
        fit_job.sample_with_remedies(bound, {"seed": 1}, SAMPLER, None, remedies.REMEDIES)
    for word in words:
        assert word in str(caught.value)


def test_separate_fits_get_remedies_together():
    """Every location has 2 chains of 50 draws: too few, so all go on."""
    data = merged(prepare("cookies", {}, ["chips"], "s", None, ["cookie", "location"]))
    bound, points = batched_fits.group_points(binding.bind("cookies_pooled", data), "location", "cookie")
    address = {"seed": 1, "study": "s", "entry": "e", "role": "fit"}
    sampled, attempts, report = fit_job.sample_with_remedies(bound, address, SAMPLER, points, ["draws"])
    draws = [attempt["settings"]["draws"] for attempt in attempts]
    assert draws == [50, 100, 200][: len(draws)]
    assert len(draws) > 1
    assert sampled.groups["posterior"].sizes["draw"] == draws[-1]
    assert "of 5 fits by location fail" in sentences.sentence(attempts[0]["found"])
    assert len(report["points"]) == 5
    assert report["verdict"] == attempts[-1]["verdict"]
