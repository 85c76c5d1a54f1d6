"""What a model says of its sites when it is called without computing anything, and why it cannot be called."""

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

WHILE_SAMPLING = "a value that is known only while sampling"
# What JAX says where Python looks at a traced value, most special first.
TRACED = (
    (
        jax.errors.TracerBoolConversionError,
        f"Python's if, while, and, or, not, min or max looks at {WHILE_SAMPLING}; use jax.numpy.where, or choose by a "
        "hyperparameter whose default is true/false, a whole number or text",
    ),
    (
        jax.errors.TracerArrayConversionError,
        f"a function of NumPy is given {WHILE_SAMPLING}; use the one of the same name in jax.numpy",
    ),
    (
        jax.errors.TracerIntegerConversionError,
        f"{WHILE_SAMPLING} is used as a Python whole number, in range, a shape or a list; take sizes as arguments n_<dim>",
    ),
    (
        jax.errors.NonConcreteBooleanIndexError,
        f"rows are chosen by {WHILE_SAMPLING}, so that their number is not known; use jax.numpy.where",
    ),
    (
        jax.errors.ConcretizationTypeError,
        f"{WHILE_SAMPLING} is turned into a Python number; keep it an array of jax.numpy",
    ),
    (
        jax.errors.UnexpectedTracerError,
        "a value of one call was kept and used in another; keep nothing in global variables",
    ),
)
NOT_SAMPLED = {
    "param": "numpyro.param is for optimizers and would keep its start; use numpyro.sample with a prior",
    "mutable": "numpyro.mutable keeps values between calls; compute them anew in each",
    "prng_key": "numpyro.prng_key draws random numbers that are no parameter; use numpyro.sample",
}


@dataclass(frozen=True)
class Site:
    """What a call says of one site. where: file and line. batch, event: shapes. log_prob: shape, of an observed site.

    plates: name, dim (negative) and size of each plate around it. family: the class of its distribution.
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
    """A model that is about to be bound: see `binding.Bound`. where: its file, as sentences name it."""

    where: str
    path: Path
    function: Callable
    data: Mapping[str, Any]
    outcomes: Sequence[str]
    hyperparameters: Mapping[str, Any]
    dataset: xr.Dataset

    @property
    def arguments(self) -> dict[str, Any]:
        return {**self.data, **self.hyperparameters}

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments without the outcomes."""
        return {name: value for name, value in self.arguments.items() if name not in self.outcomes}


@dataclass(frozen=True)
class Called:
    """What a candidate said in one call: its sites in order, and shape and type of the value of each latent one."""

    model: Candidate
    sites: list[Site]
    latents: Mapping[str, Any] = field(default_factory=dict)

    def observed(self) -> list[Site]:
        return [site for site in self.sites if site.observed]


def call(model: Candidate, arguments: Mapping[str, Any]) -> Called:
    """Call the model without computing anything. Raises UserError for a site that cannot be one."""
    sites: list[Site] = []

    def run(arguments):
        recorder = _Recorder(handlers.seed(model.function, jax.random.key(0)), model)
        recorder(**arguments)
        sites.extend(recorder.sites)
        return recorder.latents

    return Called(model, sites, jax.eval_shape(run, dict(arguments)))


class _Recorder(Messenger):
    """Notes every site as NumPyro is about to run it, which is before NumPyro itself fails with less to say."""

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
            raise UserError(f"{where}: a second site is named {msg['name']!r}; give each site a name of its own")
        self.sites.append(_site(msg, where))

    def postprocess_message(self, msg: dict[str, Any]) -> None:
        if msg["type"] == "sample" and not msg["is_observed"]:
            self.latents[msg["name"]] = msg["value"]


def _place(model: Candidate) -> str:
    """The file and, while the model runs, the line of it that is being run."""
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
        fix = "give it a proper one, such as dist.Normal(0, 10)"
        raise UserError(f"{where}: the prior of {msg['name']} is improper, so nothing can be drawn from it; {fix}")
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
    """A distribution and what it wraps."""
    while distribution is not None:
        yield distribution
        distribution = getattr(distribution, "base_dist", None)


@contextmanager
def explain_model_errors(where: str) -> Iterator[None]:
    """An exception of a model becomes a sentence that names its file and line."""
    try:
        with errors.explain_errors(where, "calling the model"):
            yield
    except UserError as error:
        words = next((words for kind, words in TRACED if isinstance(error.__cause__, kind)), None)
        if words is None:
            raise
        raise UserError(f"{errors.with_line(where, error.__cause__)}: {words}") from error.__cause__
