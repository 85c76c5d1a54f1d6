"""The sites of a model, found by calling it without computing anything, and explanations of why a
call fails."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
import xarray as xr
from numpyro import handlers
from numpyro.primitives import Messenger

from tadpool import errors
from tadpool.errors import UserError

TRACED_VALUE = "a traced value, which has no number before sampling"
# What to say for JAX's errors about Python control flow on traced values, the most specific ones
# first.
TRACED = (
    (
        jax.errors.TracerBoolConversionError,
        f"Python's if, while, and, or, not, min or max is used on {TRACED_VALUE}; use jax.numpy.where, or decide by a "
        "hyperparameter whose default is true/false, a whole number or text",
    ),
    (
        jax.errors.TracerArrayConversionError,
        f"a NumPy function is used on {TRACED_VALUE}; use the function of the same name in jax.numpy",
    ),
    (
        jax.errors.TracerIntegerConversionError,
        f"{TRACED_VALUE}, is used as a Python integer, in range, a shape or a list; take sizes as arguments n_<dim>",
    ),
    (
        jax.errors.NonConcreteBooleanIndexError,
        f"rows are selected by {TRACED_VALUE}, so their number is not known; use jax.numpy.where",
    ),
    (
        jax.errors.ConcretizationTypeError,
        f"{TRACED_VALUE}, is converted to a Python number; keep it as a jax.numpy array",
    ),
    (
        jax.errors.UnexpectedTracerError,
        "a value from one call is used in another; store nothing in global variables",
    ),
)
NOT_SAMPLED = {
    "param": "numpyro.param is for optimizers and would stay at its initial value; use numpyro.sample with a prior",
    "mutable": "numpyro.mutable keeps values between calls; compute them in each call",
    "prng_key": "numpyro.prng_key draws random numbers that are not a site; use numpyro.sample",
}


@dataclass(frozen=True)
class Site:
    """A site in one call of a model.

    Attributes:
        name: Its name.
        where: File and line.
        observed: Whether it is observed.
        deterministic: Whether it is deterministic.
        family: Name of the class of its distribution.
        discrete: Whether the distribution is discrete.
        scaled: Whether its log density is multiplied by a scale.
        masked: Whether values are masked.
        batch: Batch shape.
        event: Event shape.
        log_prob: Shape of the log density of an observed site.
        plates: Name, dim (negative) and size of each plate around it.
    """

    name: str
    where: str
    observed: bool = False
    deterministic: bool = False
    family: str = ""
    discrete: bool = False
    scaled: bool = False
    masked: bool = False
    batch: tuple[int, ...] = ()
    event: tuple[int, ...] = ()
    log_prob: tuple[int, ...] = ()
    plates: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A model that is about to be bound: see `binding.Bound`. where: its file, as messages name
    it."""

    where: str
    path: Path
    function: Callable
    data: Mapping[str, Any]
    outcomes: Sequence[str]
    hyperparameters: Mapping[str, Any]
    dataset: xr.Dataset

    @property
    def arguments(self) -> dict[str, Any]:
        """The data and the hyperparameters."""
        return {**self.data, **self.hyperparameters}

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments without the outcomes."""
        return {name: value for name, value in self.arguments.items() if name not in self.outcomes}


@dataclass(frozen=True)
class Called:
    """One call of a candidate: its sites in order, and the shape and type of each latent one."""

    model: Candidate
    sites: list[Site]
    latents: Mapping[str, Any] = field(default_factory=dict)

    def observed(self) -> list[Site]:
        """The observed sites."""
        return [site for site in self.sites if site.observed]


def call(model: Candidate, arguments: Mapping[str, Any]) -> Called:
    """Call a model without computing anything. Raises UserError for a site that is not allowed."""
    sites: list[Site] = []

    def run(arguments):
        recorder = _Recorder(handlers.seed(model.function, jax.random.key(0)), model)
        recorder(**arguments)
        sites.extend(recorder.sites)
        return recorder.latents

    return Called(model, sites, jax.eval_shape(run, dict(arguments)))


class _Recorder(Messenger):
    """Records every site before NumPyro runs it, since NumPyro's own errors say less."""

    def __init__(self, fn: Callable, model: Candidate) -> None:
        self.model, self.sites, self.latents = model, [], {}
        super().__init__(fn)

    def process_message(self, msg: dict[str, Any]) -> None:
        where = _place(self.model)
        if msg["type"] in NOT_SAMPLED:
            raise UserError(f"{where}: {NOT_SAMPLED[msg['type']]}")
        if msg["type"] not in ("sample", "deterministic"):
            return
        if msg["name"] in [site.name for site in self.sites]:
            raise UserError(f"{where}: two sites are named {msg['name']!r}; rename one of them")
        self.sites.append(_site(msg, where))

    def postprocess_message(self, msg: dict[str, Any]) -> None:
        if msg["type"] == "sample" and not msg["is_observed"]:
            self.latents[msg["name"]] = msg["value"]


def _place(model: Candidate) -> str:
    """The file of the model and, while the model runs, the current line."""
    frame = sys._getframe(1)
    while frame and frame.f_code.co_filename != str(model.path):
        frame = frame.f_back
    return f"{model.where}, line {frame.f_lineno}" if frame else model.where


def _site(msg: dict[str, Any], where: str) -> Site:
    plates = tuple(tuple(frame) for frame in msg["cond_indep_stack"])
    if msg["type"] == "deterministic":
        return Site(msg["name"], where, deterministic=True, plates=plates)
    families = [type(layer) for layer in layers(msg["fn"])]
    if dist.ImproperUniform in families and not msg["is_observed"]:
        fix = "use a proper prior, such as dist.Normal(0, 10)"
        raise UserError(f"{where}: the prior of {msg['name']} is improper; {fix}")
    wrappers = (dist.ExpandedDistribution, dist.MaskedDistribution, dist.Independent)
    scale = msg["scale"]
    return Site(
        name=msg["name"],
        where=where,
        observed=msg["is_observed"],
        family=next((family for family in families if family not in wrappers), families[0]).__name__,
        discrete=bool(msg["fn"].is_discrete),
        scaled=scale is not None and not (np.isscalar(scale) and scale == 1),
        masked=any(family is dist.MaskedDistribution for family in families),
        batch=tuple(msg["fn"].batch_shape),
        event=tuple(msg["fn"].event_shape),
        log_prob=jax.eval_shape(msg["fn"].log_prob, msg["value"]).shape if msg["is_observed"] else (),
        plates=plates,
    )


def layers(distribution: Any) -> Iterator[Any]:
    """A distribution and the distributions that it wraps."""
    while distribution is not None:
        yield distribution
        distribution = getattr(distribution, "base_dist", None)


@contextmanager
def explain_model_errors(where: str) -> Iterator[None]:
    """Turn exceptions of a model into a UserError that names its file and line."""
    try:
        with errors.explain_errors(where, "calling the model"):
            yield
    except UserError as error:
        words = next((words for kind, words in TRACED if isinstance(error.__cause__, kind)), None)
        if words is None:
            raise
        raise UserError(f"{errors.with_line(where, error.__cause__)}: {words}") from error.__cause__
