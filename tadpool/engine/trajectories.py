"""NUTS on a flat vector: one iteration, and the adaptation of its step size.

The algorithm is that of Hoffman & Gelman (2014) with multinomial sampling from the trajectory
(Betancourt 2017), grown iteratively (Phan, Pradhan & Jankowiak 2019). It differs from NumPyro's in
what makes it small and quick: the gradient is in the program once; positions move in units of the
metric, in which momenta have unit variance; random numbers are a function of the lane's key and the
number of the iteration; and one uniform number serves all choices within a subtree, rescaled after
each to what the choice leaves open.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.random import threefry2x32_p

# A trajectory whose energy has risen by that much has diverged.
MOST_ENERGY = 1000.0
# Dual averaging (Hoffman & Gelman 2014, section 3.2), with their constants.
EARLY, SHRINKAGE, FORGETTING = 10.0, 0.05, 0.75


class Metric(NamedTuple):
    """Units in which positions move: the inverse mass matrix is their square.

    factor: lower triangular (k, k), of the first k elements, whose covariances are estimated; k may
    be 0. scale: (elements - k,), of the others.
    """

    factor: Any
    scale: Any


class Averaging(NamedTuple):
    """Dual averaging of the step size: scalars. `log_step` is the average so far."""

    log_step: Any
    error: Any
    centre: Any
    count: Any


class Moments(NamedTuple):
    """Sums over the draws of a window and over their gradients, from which the metric is set.

    count: (). means: (2, elements), of draws and of gradients. squares: (2, elements), sums of
    squared deviations from these. products: (2, k, k), sums of products of deviations of the first
    k elements.
    """

    count: Any
    means: Any
    squares: Any
    products: Any


class State(NamedTuple):
    """A chain between two iterations.

    key: uint32 (2,). iteration: uint32, the number of the next one. z: (elements,), the position.
    potential: its potential energy; infinite where it has not been computed yet, and the first
    trajectory then ends at the first point that it computes. gradient: (elements,), of that energy.
    """

    key: Any
    iteration: Any
    z: Any
    potential: Any
    gradient: Any
    metric: Metric
    step_size: Any
    averaging: Averaging
    moments: Moments


class Point(NamedTuple):
    """A point of a trajectory. momentum, gradient: in units of the metric."""

    z: Any
    momentum: Any
    gradient: Any


class Proposal(NamedTuple):
    """The point that is chosen so far. gradient: of the potential energy, in the units of z."""

    z: Any
    potential: Any
    gradient: Any
    energy: Any


class Tree(NamedTuple):
    """A trajectory, or the part of one that is being added.

    momentum: sum over its points. log_weight: log of the sum of their densities, relative to the
    density of its first point. choice: a number uniform on (0, 1), for its further
    choices. acceptance: sum of the points' acceptance probabilities. checkpoints: momenta and sums
    of momenta (2, depth + 1, elements) at the starts of unfinished subtrees; its last row is
    written to where there is none.
    """

    points: Any
    momentum: Any
    proposal: Proposal
    log_weight: Any
    choice: Any
    acceptance: Any
    turning: Any
    diverging: Any
    checkpoints: Any


def iterate(
    potential_and_gradient: Callable, state: State, checkpoints: jax.Array, limit: jax.Array
) -> tuple[Proposal, dict[str, jax.Array], jax.Array]:
    """One iteration of NUTS.

    Args:
        potential_and_gradient: Of a position (elements,).
        state: The chain.
        checkpoints: Memory (2, deepest + 1, elements), whose content does not matter.
        limit: Deepest tree of this iteration, at most `deepest`.

    Returns:
        The next position, statistics of the iteration under ArviZ's names, and the memory.
    """
    elements, deepest = len(state.z), checkpoints.shape[1] - 1
    numbers = _uniform(state, 3 * deepest + elements)
    directions, merges, choices = numbers[: 3 * deepest].reshape(3, deepest)
    momentum = jnp.sqrt(jnp.asarray(2, state.z.dtype)) * jax.lax.erf_inv(2 * numbers[3 * deepest :] - 1)
    unknown, zero, no = jnp.isinf(state.potential), jnp.zeros((), state.z.dtype), jnp.zeros((), bool)
    energy = state.potential + jnp.dot(momentum, momentum) / 2
    here = Point(state.z, momentum, to_momentum(state.metric, state.gradient))
    start = Proposal(state.z, state.potential, state.gradient, energy)
    log_weight = jnp.where(unknown, -jnp.inf, zero)

    def leaf(carry, step):
        """The next point of a subtree."""
        number, tree = carry
        point, potential, gradient = _leapfrog(potential_and_gradient, tree.points, step, state.metric)
        new = Proposal(point.z, potential, gradient, potential + jnp.dot(point.momentum, point.momentum) / 2)
        change = jnp.where(unknown, 0.0, new.energy - energy)
        change = jnp.where(jnp.isnan(change), jnp.inf, change)
        log_weight = jnp.logaddexp(tree.log_weight, -change)
        probability = jnp.where(jnp.isneginf(log_weight), 0.0, jnp.exp(-change - log_weight))
        taken = tree.choice < probability
        left_open = jnp.where(taken, tree.choice / probability, (tree.choice - probability) / (1 - probability))
        momentum = tree.momentum + point.momentum
        turning, checkpoints = _turns_within(number, point.momentum, momentum, tree.checkpoints)
        return number + 1, Tree(
            point,
            momentum,
            _where(taken, new, tree.proposal),
            log_weight,
            left_open,
            tree.acceptance + jnp.exp(jnp.minimum(-change, 0.0)),
            turning,
            change > MOST_ENERGY,
            checkpoints,
        )

    def double(carry):
        """The trajectory with as many further points, to the left or to the right."""
        depth, steps, tree = carry
        left, right = tree.points
        to_right = directions[depth] < 0.5
        step = jnp.where(to_right, state.step_size, -state.step_size)
        begin = Tree(
            _where(to_right, right, left),
            jnp.zeros_like(state.z),
            tree.proposal,
            jnp.full_like(zero, -jnp.inf),
            choices[depth],
            tree.acceptance,
            no,
            no,
            tree.checkpoints,
        )
        count, added = jax.lax.while_loop(
            lambda carry: (carry[0] < (1 << depth)) & ~carry[1].turning & ~carry[1].diverging,
            lambda carry: leaf(carry, step),
            (jnp.zeros((), jnp.int32), begin),
        )
        whole = ~added.turning & ~added.diverging
        taken = whole & (merges[depth] < jnp.exp(jnp.minimum(added.log_weight - tree.log_weight, 0.0)))
        points = _where(to_right, (left, added.points), (added.points, right))
        momentum = tree.momentum + added.momentum
        return (
            depth + 1,
            steps + count,
            Tree(
                points,
                momentum,
                _where(taken, added.proposal, tree.proposal),
                jnp.logaddexp(tree.log_weight, added.log_weight),
                tree.choice,
                added.acceptance,
                added.turning | _is_turning(points[0].momentum, points[1].momentum, momentum),
                added.diverging,
                added.checkpoints,
            ),
        )

    none = jnp.zeros((), jnp.int32)
    _, steps, tree = jax.lax.while_loop(
        lambda carry: (carry[0] < limit) & ~carry[2].turning & ~carry[2].diverging,
        double,
        (none, none, Tree((here, here), momentum, start, log_weight, zero, zero, no, no, checkpoints)),
    )
    stats = {
        "lp": -tree.proposal.potential,
        "energy": tree.proposal.energy,
        "acceptance_rate": tree.acceptance / steps,
        "step_size": state.step_size,
        "diverging": tree.diverging,
        "n_steps": steps,
        "reached_max_treedepth": steps >= 2**deepest - 1,
    }
    return tree.proposal, stats, tree.checkpoints


def to_momentum(metric: Metric, gradient: jax.Array) -> jax.Array:
    """A gradient in units of the metric."""
    k = len(metric.factor)
    rest = metric.scale * gradient[k:]
    return jnp.concatenate([gradient[:k] @ metric.factor, rest]) if k else rest


def to_position(metric: Metric, momentum: jax.Array) -> jax.Array:
    """The direction in which a momentum moves the position."""
    k = len(metric.factor)
    rest = metric.scale * momentum[k:]
    return jnp.concatenate([metric.factor @ momentum[:k], rest]) if k else rest


def average(averaging: Averaging, acceptance: jax.Array, target: jax.Array) -> tuple[jax.Array, Averaging]:
    """The next step size, and dual averaging with the acceptance of one more iteration."""
    count = averaging.count + 1
    error = averaging.error + (target - acceptance - averaging.error) / (count + EARLY)
    log_step = averaging.centre - jnp.sqrt(count) / SHRINKAGE * error
    weight = count**-FORGETTING
    mean = (1 - weight) * averaging.log_step + weight * log_step
    return jnp.exp(log_step), Averaging(mean, error, averaging.centre, count)


def add(moments: Moments, position: Proposal) -> Moments:
    """Moments with one more draw (Welford's update)."""
    k, count = moments.products.shape[1], moments.count + 1
    pair = jnp.stack([position.z, position.gradient])
    before = pair - moments.means
    means = moments.means + before / count
    after = pair - means
    products = moments.products + before[:, :k, None] * after[:, None, :k] if k else moments.products
    return Moments(count, means, moments.squares + before * after, products)


def _uniform(state: State, count: int) -> jax.Array:
    """Numbers (count,) uniform on (0, 1), which depend on the key and the number of the iteration
    alone."""
    words = (*state.key, state.iteration, jnp.arange(count, dtype=jnp.uint32))
    high, low = threefry2x32_p.bind(*(jnp.broadcast_to(word, (count,)) for word in words))
    kind = state.z.dtype
    if kind == jnp.float64:
        return (high.astype(kind) + (low >> 12).astype(kind) * 2.0**-20) * 2.0**-32 + 2.0**-53
    return (high >> 9).astype(kind) * 2.0**-23 + 2.0**-24


def _leapfrog(
    potential_and_gradient: Callable, point: Point, step: jax.Array, metric: Metric
) -> tuple[Point, jax.Array, jax.Array]:
    """The point one step away, its potential energy and the gradient of that."""
    half = point.momentum - step / 2 * point.gradient
    z = point.z + step * to_position(metric, half)
    # XLA would put the gradient together once for each of its uses.
    potential, gradient = jax.lax.optimization_barrier(potential_and_gradient(z))
    own = to_momentum(metric, gradient)
    return Point(z, half - step / 2 * own, own), potential, gradient


def _turns_within(
    number: jax.Array, momentum: jax.Array, total: jax.Array, checkpoints: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Whether one of the subtrees that point `number` finishes turns back, and the checkpoints.

    Point numbers count from 0. An even one starts subtrees, an odd one finishes as many as its
    binary digits have ones at their end; checkpoints are numbered by the ones that are left of the
    last digit.
    """
    even, spare = number % 2 == 0, checkpoints.shape[1] - 1
    newest = jax.lax.population_count(number >> 1)
    finished = jnp.where(even, 0, jax.lax.population_count(number & ~(number + 1)))
    row = jnp.where(even, newest, spare)
    checkpoints = jax.lax.dynamic_update_index_in_dim(checkpoints, jnp.stack([momentum, total]), row, 1)

    def check(carry):
        place, _ = carry
        first, before = checkpoints[0, place], checkpoints[1, place]
        return place - 1, _is_turning(first, momentum, total - before + first)

    _, turning = jax.lax.while_loop(
        lambda carry: (carry[0] > newest - finished) & ~carry[1], check, (newest, jnp.zeros((), bool))
    )
    return turning, checkpoints


def _is_turning(first: jax.Array, last: jax.Array, total: jax.Array) -> jax.Array:
    """Whether the ends of a trajectory approach each other; the ends themselves count half, as in
    Stan."""
    inner = total - (first + last) / 2
    return (jnp.dot(first, inner) <= 0) | (jnp.dot(last, inner) <= 0)


def _where(chosen: jax.Array, one: Any, other: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(chosen, a, b), one, other)
