"""One iteration of NUTS against a plain one that keeps every point, and the adaptation against what
is exact for normal distributions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tadpool.engine import trajectories, warmup
from tadpool.engine.trajectories import Averaging, Metric, Moments, State

DEEPEST = 6
SHAPE = np.array([[2.0, 0.9, 0.0], [0.9, 1.0, 0.3], [0.0, 0.3, 0.5]])


def potential(z):
    """Neither normal nor symmetric, and steep far out."""
    return z @ jnp.asarray(SHAPE) @ z / 2 + 0.1 * jnp.sum(z**4) + jnp.sum(jnp.exp(0.3 * z))


potential_and_gradient = jax.jit(jax.value_and_grad(potential))
METRICS = {
    "scale": Metric(np.zeros((0, 0)), np.array([0.5, 1.0, 2.0])),
    "factor": Metric(np.array([[0.7, 0.0], [-0.5, 1.1]]), np.array([1.3])),
}


def no_moments(elements, dense):
    return Moments(np.zeros(()), *np.zeros((2, 2, elements)), np.zeros((2, dense, dense)))


def state_at(z, metric, step_size, iteration=0):
    energy, gradient = map(np.asarray, potential_and_gradient(z))
    zero = np.zeros(())
    moments = no_moments(3, len(metric.factor))
    number = np.asarray(iteration, np.uint32)
    averaging = Averaging(zero, zero, zero, zero)
    key = np.array([3, 4], np.uint32)
    return State(key, number, z, energy, gradient, metric, np.asarray(step_size), averaging, moments)


def plain(state, limit):
    """The same iteration with a list of all points: (z, number of points, diverging)."""
    numbers = np.asarray(trajectories._uniform(state, 3 * DEEPEST + 3))
    directions, merges, choices = numbers[: 3 * DEEPEST].reshape(3, DEEPEST)
    unit = np.asarray(jnp.sqrt(2.0) * jax.lax.erf_inv(2 * jnp.asarray(numbers[3 * DEEPEST :]) - 1))
    transform = np.diag(np.r_[np.zeros(len(state.metric.factor)), state.metric.scale])
    transform[: len(state.metric.factor), : len(state.metric.factor)] = state.metric.factor
    first = float(state.potential) + unit @ unit / 2

    def step(point, size):
        z, momentum = point
        half = momentum - size / 2 * transform.T @ np.asarray(potential_and_gradient(z)[1])
        z = z + size * transform @ half
        return z, half - size / 2 * transform.T @ np.asarray(potential_and_gradient(z)[1])

    def rise(point):
        change = float(potential(point[0])) + point[1] @ point[1] / 2 - first
        return np.inf if np.isnan(change) else change

    def weight(point):
        return np.exp(-rise(point))

    def turns(points):
        total = sum(momentum for _, momentum in points) - (points[0][1] + points[-1][1]) / 2
        return points[0][1] @ total <= 0 or points[-1][1] @ total <= 0

    trajectory, chosen, count = [(state.z, unit)], (state.z, unit), 0
    for depth in range(limit):
        right = directions[depth] < 0.5
        added, proposal, choice, broken, diverging = [], None, choices[depth], False, False
        point = trajectory[-1 if right else 0]
        while len(added) < 2**depth and not broken and not diverging:
            point = step(point, state.step_size if right else -state.step_size)
            added.append(point)
            share = weight(point) / (sum(map(weight, added)) or 1.0)
            taken = choice < share
            proposal = point if taken else proposal
            choice = choice / share if taken else (choice - share) / (1 - share)
            diverging = rise(point) > trajectories.MOST_ENERGY
            sizes = [2**power for power in range(1, depth + 1) if len(added) % 2**power == 0]
            broken = any(turns(added[-size:]) for size in sizes)
        count += len(added)
        if broken or diverging:
            return chosen[0], count, diverging
        if merges[depth] < sum(map(weight, added)) / sum(map(weight, trajectory)):
            chosen = proposal
        trajectory = [*trajectory, *added] if right else [*added[::-1], *trajectory]
        if turns(trajectory):
            break
    return chosen[0], count, False


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("step_size", "limit"), [(0.1, DEEPEST), (0.35, DEEPEST), (0.2, 3), (4.0, DEEPEST)])
def test_an_iteration_is_what_a_plain_implementation_gives(metric, step_size, limit):
    iterate = jax.jit(lambda state: trajectories.iterate(potential_and_gradient, state, memory, limit)[:2])
    memory = jnp.zeros((2, DEEPEST + 1, 3))
    z, seen = np.array([0.3, -0.2, 0.1]), set()
    for iteration in range(40):
        state = state_at(z, METRICS[metric], step_size, iteration)
        expected, count, diverging = plain(state, limit)
        proposal, stats = iterate(state)
        assert np.allclose(proposal.z, expected, rtol=1e-9, atol=1e-9)
        assert (int(stats["n_steps"]), bool(stats["diverging"])) == (count, diverging)
        assert np.isclose(-stats["lp"], potential(proposal.z), rtol=1e-12)
        z = np.asarray(proposal.z)
        seen.add(count)
    assert len(seen) > 1 or step_size == 4.0


def test_a_state_without_energy_is_evaluated_where_it_is():
    state = state_at(np.array([5.0, -4.0, 3.0]), METRICS["scale"], 0.0)
    unknown = state._replace(potential=np.asarray(np.inf), gradient=np.zeros(3))
    proposal, _, _ = trajectories.iterate(potential_and_gradient, unknown, jnp.zeros((2, DEEPEST + 1, 3)), 1)
    assert np.array_equal(proposal.z, state.z)
    assert np.isclose(proposal.potential, state.potential, rtol=1e-12)
    assert np.allclose(proposal.gradient, state.gradient, rtol=1e-12)


def moments_of(z, covariance, dense):
    """Moments of draws of a normal distribution and of the gradients of its potential energy."""
    moments = no_moments(z.shape[1], dense)
    for own, gradient in zip(z, np.linalg.solve(covariance, z.T).T, strict=True):
        moments = trajectories.add(moments, trajectories.Proposal(own, 0.0, gradient, 0.0))
    return moments


@pytest.mark.parametrize("draws", [2, 10])
def test_scales_of_independent_normals_are_exact_after_two_draws(draws):
    scale = np.array([1e-9, 1.0, 1e9])
    z = np.random.default_rng(1).normal(size=(draws, 3)) * scale
    before = Metric(np.zeros((0, 0)), np.ones(3))
    assert np.allclose(warmup.window_metric(moments_of(z, np.diag(scale**2), 0), before).scale, scale)


def test_a_joint_metric_is_the_covariance():
    """Of 4,000 draws of two elements that are strongly correlated, beside one that is not: up to a
    tenth, since covariances are shrunk a little."""
    covariance = np.array([[1.0, 99.0, 0.0], [99.0, 1e4, 0.0], [0.0, 0.0, 4.0]])
    z = np.random.default_rng(1).multivariate_normal(np.zeros(3), covariance, 4000)
    before = Metric(np.ones((2, 2)), np.ones(1))
    found = warmup.window_metric(moments_of(z, covariance, 2), before)
    ratio = (found.factor @ found.factor.T) / covariance[:2, :2]
    assert np.allclose(ratio, 1, atol=0.1)
    assert np.isclose(found.scale[0], 2)


def test_an_element_that_does_not_move_keeps_its_scale():
    z = np.array([[1.0, 2.0], [1.0, 3.0]])
    before = Metric(np.zeros((0, 0)), np.array([7.0, 8.0]))
    assert warmup.window_metric(moments_of(z, np.eye(2), 0), before).scale.tolist() == [7.0, 1.0]


@given(st.integers(1, 10**7), st.booleans())
def test_windows_grow_and_leave_iterations_for_the_step_size(iterations, warm):
    ends = warmup.window_ends(iterations, warm)
    lengths = np.diff([-1, *ends])
    assert (np.diff(lengths) > 0).all()
    assert len(ends) <= warmup.MOST_WINDOWS
    last = iterations - 1 - (ends[-1] if ends else -1)
    assert last == min(warmup.LAST, -(-iterations // 5))


def test_a_warm_up_sets_the_metric_at_the_ends_of_windows_and_then_the_step_size():
    """Iterations with given draws and gradients, whose acceptance is on target."""
    how = {**warmup.schedule(30, warm=False), "target": 0.8}
    generator, state = np.random.default_rng(1), state_at(np.zeros(3), Metric(np.zeros((0, 0)), np.ones(3)), 0.3)
    state = state._replace(averaging=warmup.restarted(state.step_size), iteration=np.uint32(0))
    (end,) = warmup.window_ends(30)
    for number in range(30):
        z = generator.normal(size=3)
        new = trajectories.Proposal(z, 0.0, z / 4.0, 0.0)
        state = warmup.adapted(state, new, 0.8, how)._replace(iteration=np.uint32(number + 1))
        if number < end:
            assert state.metric.scale.tolist() == [1.0] * 3
        else:
            assert np.allclose(state.metric.scale, 2.0)
        assert float(state.moments.count) == (number + 1 if number < end else number - end)
    assert np.isclose(state.step_size, np.exp(state.averaging.log_step))
