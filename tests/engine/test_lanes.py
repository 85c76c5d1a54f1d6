"""The engine's promises: a lane's draws depend on nothing but the lane."""

import hashlib
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from arviz_stats.base import array_stats

from tadpool import ROOT, seeds
from tadpool.engine import batches, compile_cache, lanes, nuts, trajectories
from tadpool.errors import UserError
from tadpool.files import contracts, io, plugins
from tadpool.fitting import fit_job
from tadpool.fitting.job import Job
from tadpool.loading import columns, preparation
from tadpool.modelling.entry import Entry
from tadpool.verification import exact_values

SAMPLER = lanes.Sampler(warmup=200, draws=400, target_accept=0.8, max_tree_depth=10)


def frogs():
    data = plugins.load("datasets", "reedfrogs").load(
        {"reedfrogs.csv": columns.read(plugins.BUILT_IN_DATA / "reedfrogs.csv")}
    )
    model = plugins.load("models", "frogs_fixed_sigma").model
    shared = {"density": data.density.values, "survived": data.survived.values}
    return partial(model, n_tank=48), shared


def batch(numbers, sigma=None):
    """Lanes whose key, chain and sigma follow from their number alone."""
    numbers = np.asarray(numbers)
    keys = np.stack([seeds.key(1, "test", "lanes", "fit", int(n) // 4) for n in numbers])
    sigmas = 0.5 + 0.25 * (numbers // 4) if sigma is None else sigma
    arguments = {"sigma": sigmas.astype(float), "alpha_bar_scale": np.full(len(numbers), 1.5)}
    return lanes.Lanes(keys, numbers % 4, arguments)


@pytest.fixture(scope="module")
def eight():
    model, shared = frogs()
    return lanes.run(model, batch(range(8)), shared, SAMPLER, execution=lanes.Execution(block=400))


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("numbers", [[5], [2, 7], [7, 0, 3]])
def test_draws_do_not_depend_on_the_batch(eight, numbers):
    model, shared = frogs()
    part = lanes.run(model, batch(numbers), shared, SAMPLER, execution=lanes.Execution(block=400))
    for position, number in enumerate(numbers):
        assert same({k: v[position] for k, v in part.values.items()}, {k: v[number] for k, v in eight.values.items()})
        assert same({k: v[position] for k, v in part.stats.items()}, {k: v[number] for k, v in eight.stats.items()})


def test_draws_do_not_depend_on_blocks_with_the_state_saved_between(eight):
    model, shared = frogs()
    first = lanes.run(
        model,
        batch(range(4)),
        shared,
        lanes.Sampler(200, 100, 0.8, 10),
        keep_state=True,
        execution=lanes.Execution(block=100),
    )
    state = pickle.loads(pickle.dumps(first.state))
    rest = lanes.run(
        model,
        batch(range(4)),
        shared,
        lanes.Sampler(200, 300, 0.8, 10),
        state=state,
        execution=lanes.Execution(block=100),
    )
    joined = {name: np.concatenate([first.values[name], rest.values[name]], axis=1) for name in first.values}
    assert same(joined, {name: value[:4] for name, value in eight.values.items()})


CHILD = """
import hashlib, sys
sys.path.insert(0, {root!r})
import os
os.environ["TADPOOL_COMPILE_CACHE"] = {cache!r}
os.sched_setaffinity(0, {cpus!r})
from tadpool.engine import compile_cache, lanes
lanes.start({threads})
from tests.engine import test_lanes
model, shared = test_lanes.frogs()
with compile_cache.active():
    result = lanes.run(model, test_lanes.batch(range(8)), shared, test_lanes.SAMPLER, execution=lanes.Execution(block=400))
print(hashlib.sha256(result.values["alpha"].tobytes() + result.stats["energy"].tobytes()).hexdigest())
"""


def digest_in_child(tmp_path, threads, cache, cpus=None):
    cpus = cpus or os.sched_getaffinity(0)
    code = CHILD.format(root=str(ROOT), threads=threads, cache=cache, cpus=cpus)
    environment = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"} | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_draws_do_not_depend_on_threads_cores_or_the_compile_cache(eight, tmp_path):
    expected = hashlib.sha256(eight.values["alpha"].tobytes() + eight.stats["energy"].tobytes()).hexdigest()
    one_core = {min(os.sched_getaffinity(0))}
    assert digest_in_child(tmp_path, threads=1, cache="on", cpus=one_core) == expected
    cached = list(tmp_path.glob("tadpool-*/jaxlib-*/*"))
    assert cached, "the first child left nothing in the compile cache"
    assert digest_in_child(tmp_path, threads=2, cache="on") == expected
    assert digest_in_child(tmp_path, threads=3, cache="off") == expected


def test_a_damaged_cache_entry_is_dropped_and_changes_nothing(eight, tmp_path):
    expected = digest_in_child(tmp_path, threads=2, cache="on")
    entries = list(tmp_path.glob("tadpool-*/jaxlib-*/*"))
    for entry in entries:
        content = bytearray(entry.read_bytes())
        content[len(content) // 2] ^= 1
        entry.write_bytes(content)
    assert digest_in_child(tmp_path, threads=2, cache="on") == expected
    healed = list(tmp_path.glob("tadpool-*/jaxlib-*/*"))
    stems = [{path.name.rpartition(".")[0] for path in paths} for paths in (entries, healed)]
    assert stems[0] == stems[1]
    assert not {path.name for path in entries} & {path.name for path in healed}, "a damaged entry was kept"


def test_the_cache_removes_what_killed_jobs_left_there(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    for process in (ended.pid, os.getpid()):
        (tmp_path / f"job-{process}-x").mkdir()
    compile_cache._sweep(tmp_path)
    assert [left.name for left in tmp_path.iterdir()] == [f"job-{os.getpid()}-x"]


def test_without_a_gpu_its_platform_is_refused():
    code = "from tadpool.engine import lanes\nlanes.start(2, platform='gpu')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("tadpool.errors.UserError: platform: JAX finds no GPU on this machine")
    assert last.endswith("or set `platform: cpu`")


def test_a_whole_fit_runs_side_by_side(tmp_path, monkeypatch):
    """The way of a GPU, on the CPU: exact gamma posteriors, |z| < 4.4 for five means, false alarms
    below 1e-4."""
    monkeypatch.setattr(batches, "side_by_side", lambda: True)
    tree = preparation.prepare("cookies", {}, ["chips"], "s", dims=["cookie", "location"])
    tree.attrs["provenance"] = "{}"
    io.write(tmp_path / "data.nc", tree, contracts.DATA)
    sampler = {**vars(SAMPLER), "chains": 4, "precision": "float64"}
    entry = Entry(1, "s", "e", "cookies_unpooled", outcomes=["chips"], unit="cookie")
    fit_job.fit(Job(str(tmp_path / "fit.nc"), "{}", 2, data=str(tmp_path / "data.nc")), entry, sampler)
    fit = io.read(tmp_path / "fit.nc", contracts.FIT)
    exact = exact_values.reference("cookies_unpooled")
    lam = fit["posterior"]["lam"]
    error = array_stats.mcse(lam.transpose(..., "chain", "draw").values, chain_axis=-2, draw_axis=-1, method="mean")
    means = [exact.loc[f"lam[{location}]", "mean"] for location in range(5)]
    assert (np.abs(lam.mean(("chain", "draw")).values - means) < 4.4 * error).all()
    assert {"log_likelihood", "posterior_predictive"} <= set(fit.children)


def test_vectorized_lanes_agree_statistically(eight):
    """Other code, other draws, the same posterior: |z| < 4.4 for 50 means, false alarms below
    1e-3."""
    model, shared = frogs()
    many = batch(range(8), sigma=np.full(8, 1.0))
    serial = lanes.run(model, many, shared, SAMPLER, execution=lanes.Execution(vectorized=False)).values
    vector = lanes.run(model, many, shared, SAMPLER, execution=lanes.Execution(vectorized=True)).values
    for name in ("alpha", "alpha_bar"):
        by_lane = [values[name].mean(axis=1) for values in (serial, vector)]
        error = np.sqrt(sum(means.var(axis=0, ddof=1) / 8 for means in by_lane))
        # 14 degrees of freedom: 4.4 normal standard errors are 7.0 of Student's t.
        assert np.all(np.abs(by_lane[0].mean(axis=0) - by_lane[1].mean(axis=0)) < 7.0 * error)


def test_derive_sees_the_draws_and_extra_and_returns_small_arrays():
    model, shared = frogs()
    many = batch(range(5))
    many = lanes.Lanes(many.keys, many.chains, many.arguments, extra={"truth": np.linspace(0.0, 2.0, 5)})

    def rank(draws, stats, lane, shared):
        return {"rank": jnp.sum(draws["alpha_bar"] < lane["extra"]["truth"])}

    ranks = lanes.run(model, many, shared, SAMPLER, derive=rank).values["rank"]
    whole = lanes.run(model, many, shared, SAMPLER).values["alpha_bar"]
    assert np.array_equal(ranks, (whole < np.linspace(0.0, 2.0, 5)[:, None]).sum(axis=1))


def test_held_out_rows_do_not_count():
    """With every row held out the posterior is the prior: mean 0, sd 1.5, |z| < 4.4 (false alarms
    below 1e-4)."""
    model, shared = frogs()
    many = batch(range(4))
    held = {"survived": np.ones((4, 48), bool)}
    many = lanes.Lanes(many.keys, many.chains, many.arguments, held_out=held)
    draws = lanes.run(model, many, shared, lanes.Sampler(500, 1000, 0.8, 10)).values["alpha_bar"]
    assert abs(draws.mean()) < 4.4 * array_stats.mcse(draws, chain_axis=0, draw_axis=1)
    assert abs(draws.std() - 1.5) < 4.4 * array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="sd")


def test_a_lane_without_a_valid_start_is_marked_and_leaves_the_others_alone(eight):
    model, shared = frogs()
    broken = batch(range(8))
    broken.arguments["sigma"][3] = np.nan
    result = lanes.run(model, broken, shared, SAMPLER, execution=lanes.Execution(block=400))
    assert [lanes.Status(code) for code in result.status] == [lanes.Status.OK] * 3 + [lanes.Status.INVALID_START] + [
        lanes.Status.OK
    ] * 4
    others = [0, 1, 2, 4, 5, 6, 7]
    assert same({k: v[others] for k, v in result.values.items()}, {k: v[others] for k, v in eight.values.items()})
    assert np.isnan(result.values["alpha"][3]).all()


def test_a_lane_that_leaves_the_finite_numbers_is_marked():
    """An improper posterior on the positive numbers: its logarithm wanders off until the draws
    overflow."""

    def model(zero):
        numpyro.sample("z", dist.ImproperUniform(dist.constraints.positive, (), ()))
        numpyro.factor("flat", zero)

    two = lanes.Lanes(np.ones((2, 2), np.uint32), np.arange(2), {"zero": np.zeros(2)})
    result = lanes.run(model, two, {}, lanes.Sampler(2000, 100, 0.8, 10))
    assert list(result.status) == [lanes.Status.NOT_FINITE] * 2
    assert np.isnan(result.values["z"]).all()


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1.0, 1e9])
def test_a_model_is_sampled_on_any_scale(scale):
    """Normal data with a normal and an exponential prior, all in units of `scale`: the mean and the
    spread by quadrature, 4 |z| < 4.4 (false alarms below 1e-4)."""
    y = np.array([4.0, 5.0, 6.0])
    four = lanes.Lanes(np.full((4, 2), 7, np.uint32), np.arange(4), arguments={"scale": np.full(4, scale)})
    found = lanes.run(far_from_one, four, {"y": y}, lanes.Sampler(300, 1000, 0.8, 10))
    mu, sigma = (axis.ravel() for axis in np.meshgrid(np.linspace(0, 10, 801), np.linspace(0.005, 12, 2400)))
    density = -((mu - 5) ** 2) / 2 - sigma - 3 * np.log(sigma) - ((y[:, None] - mu) ** 2).sum(axis=0) / (2 * sigma**2)
    weight = np.exp(density - density.max())
    for name, points in {"mu": mu, "sigma": sigma}.items():
        values = found.values[name] / scale
        error = array_stats.mcse(values, chain_axis=0, draw_axis=1, method="mean")
        assert abs(values.mean() - (weight * points).sum() / weight.sum()) < 4.4 * error


@pytest.mark.parametrize(("count", "size"), [(1, 1e3), (2, 1e3), (7, 1e3), (129, 1e3), (10000, 1e3), (9, 3e9)])
def test_chunks_hold_every_lane_once_and_stay_bounded(count, size):
    length = batches.side_by_side_lanes(count, size)
    rows = batches.chunks(count, length)
    assert {len(row) for row in rows} == {length}
    assert set(np.concatenate(rows)) == set(range(count))
    assert length <= batches.CHUNK_LANES
    assert length == 1 or length * size <= batches.CHUNK_BYTES
    numbers = np.arange(count)
    assert np.array_equal(batches.restore_order([numbers[row] for row in rows], rows, count), numbers)


def test_what_stops_one_lane_stops_the_others_at_their_next_block():
    model, shared = frogs()
    seen = []

    def interrupted(iterations):
        seen.append(iterations)
        if sum(seen) >= 100:
            raise KeyboardInterrupt

    many = lanes.Sampler(50, 100_000, 0.8, 10)
    with pytest.raises(KeyboardInterrupt):
        lanes.run(model, batch(range(4)), shared, many, execution=lanes.Execution(progress=interrupted, block=50))
    assert sum(seen) < 5000


def test_invalid_starting_points_are_drawn_again():
    """Half of all starting points have no density: that 16 lanes all start well at once has
    probability 2e-5."""

    def model(half):
        z = numpyro.sample("z", dist.Normal(0.0, 1.0))
        numpyro.factor("positive", jnp.where(z > half, 0.0, -jnp.inf))

    numbers = np.arange(16)
    many = lanes.Lanes(np.stack([numbers, numbers], 1).astype(np.uint32), numbers, {"half": np.zeros(16)})
    result = lanes.run(model, many, {}, lanes.Sampler(50, 50, 0.8, 5))
    assert (result.status == lanes.Status.OK).all()
    assert (result.values["z"] > 0).all()
    alone = lanes.Lanes(many.keys[5:6], many.chains[5:6], {"half": np.zeros(1)})
    again = lanes.run(model, alone, {}, lanes.Sampler(50, 50, 0.8, 5))
    assert np.array_equal(again.values["z"][0], result.values["z"][5])


def collinear(x, y):
    """Two coefficients of predictors that are nearly the same, and one that has nothing to do with
    them."""
    a, b, c = (numpyro.sample(name, dist.Normal(0.0, 1.0)) for name in "abc")
    numpyro.sample("y", dist.Normal(a * x[0] + b * x[1] + c * x[2], 1.0), obs=y)


def test_a_joint_covariance_shortens_trajectories_through_a_ridge():
    """The exact posterior is normal; six |z| < 4.4 have a false-alarm rate of 1e-4."""
    generator = np.random.default_rng(1)
    x = generator.normal(size=(3, 200))
    x[1] = x[0] + 0.05 * x[1]
    shared = {"x": x, "y": x.sum(axis=0) + generator.normal(size=200)}
    lane = lanes.Lanes(np.tile(seeds.key(1, "test", "lanes", "fit"), (4, 1)), np.arange(4))
    plain, joint = (lanes.run(collinear, lane, shared, replace(SAMPLER, dense=sites)) for sites in ((), ("a", "b")))
    assert joint.stats["n_steps"].mean() < plain.stats["n_steps"].mean() / 2
    mean, covariance = exact_values.normal_posterior(shared["y"], x.T, 1.0, np.eye(3))
    for number, name in enumerate("abc"):
        values = joint.values[name]
        error = array_stats.mcse(values, chain_axis=0, draw_axis=1, method="mean")
        assert abs(values.mean() - mean[number]) < 4.4 * error
        error = array_stats.mcse(values, chain_axis=0, draw_axis=1, method="sd")
        assert abs(values.std() - covariance[number, number] ** 0.5) < 4.4 * error
    blocks = lanes.run(
        collinear, lane, shared, replace(SAMPLER, dense=("a", "b")), execution=lanes.Execution(block=100)
    )
    assert same(joint.values, blocks.values)


def test_a_site_of_a_joint_covariance_has_to_be_there():
    shared = {"x": np.ones((3, 2)), "y": np.ones(2)}
    lane = lanes.Lanes(np.zeros((1, 2), np.uint32), np.zeros(1, int))
    with pytest.raises(UserError, match=r"sampler\.dense: 'd' is not a latent site of the model; it has a, b, c"):
        lanes.run(collinear, lane, shared, replace(SAMPLER, dense=("d",)))


def far_from_one(y, scale):
    """Data near 5 times `scale`."""
    mu = numpyro.sample("mu", dist.Normal(5 * scale, scale))
    sigma = numpyro.sample("sigma", dist.Exponential(1 / scale))
    numpyro.sample("y", dist.Normal(mu, sigma).expand([3]).to_event(1), obs=y * scale)


def test_a_hopeless_start_is_drawn_from_the_prior():
    """On (-2, 2) data near 5e8 have a potential energy of 1e17; a lane whose data are near 5 keeps
    its start, whatever the other lanes do."""
    scale = np.array([1e8, 1.0])
    keys, y = np.full((2, 2), 7, np.uint32), np.array([4.0, 5.0, 6.0])
    both = lanes.Lanes(keys, np.arange(2), arguments={"scale": scale})
    found = lanes.run(far_from_one, both, {"y": y}, lanes.Sampler(1, 1, 0.8, 5))
    assert found.status.tolist() == [lanes.Status.OK] * 2
    assert 1e8 < found.unconstrained_start["mu"][0] < 9e8
    assert np.exp(found.unconstrained_start["sigma"][0]) > 1e6
    alone = lanes.run(far_from_one, both.take(np.array([1])), {"y": y}, lanes.Sampler(1, 1, 0.8, 5))
    for name, start in found.unconstrained_start.items():
        assert abs(start[1]) < 2
        assert start[1] == alone.unconstrained_start[name][0]


def test_all_fits_of_a_model_share_one_program(monkeypatch):
    """A fit, a refit without some rows that starts where it ended, and a fit to simulated outcomes
    with other settings lower to the same text."""
    lowered, over_lanes = [], lanes._Work.over_lanes

    def recorded(self, function, axes, **options):
        program = over_lanes(self, function, axes, **options)
        if function.func.__name__ == "advance":
            lowered.append((self, program))
        return program

    monkeypatch.setattr(lanes._Work, "over_lanes", recorded)
    model, shared = frogs()
    many, rows = batch(range(2)), np.zeros((2, 48), bool)
    few = lanes.Sampler(20, 20, 0.8, 10)
    many = replace(many, held_out={"survived": rows})
    first = lanes.run(model, many, shared, few)
    start = {name: first.values[name][:, -1] for name in ("alpha", "alpha_bar")}
    metric = trajectories.Metric(np.zeros((2, 0, 0)), np.ones((2, 49)))
    warm = nuts.WarmStart(start, metric, first.stats["step_size"][:, -1])
    refit = replace(many, held_out={"survived": ~rows}, warm_start=warm, extra={"rows": np.arange(2)})
    lanes.run(model, refit, shared, replace(few, target_accept=0.9), derive=lambda values, *_: values)
    outcomes = {"survived": np.tile(shared["survived"], (2, 1))}
    simulated = replace(many, arguments={**many.arguments, **outcomes})
    lanes.run(model, simulated, {"density": shared["density"]}, replace(few, draws=30, warmup=10))
    texts = []
    for work, program in lowered:
        lane = jax.tree.map(lambda leaf: np.asarray(leaf)[None], work.first)
        state = work.state(lane, np.zeros((1, 49)), work.identity(1))
        texts.append(program.lower(work.inputs(lane), state, work.how(lane, 0, 0, 0)).as_text())
    assert len(texts) == 3
    assert len(set(texts)) == 1
