"""The sites of a model, found by calling it without computing anything, and explanations of why a
call fails."""

import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import xarray as xr
from numpyro import handlers
from numpyro.distributions import constraints
from numpyro.primitives import Messenger

from tadpool import errors
from tadpool.errors import UserError
from tadpool.files import plugins, provenance

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
INSIDE = (
    "is inside a function that JAX transforms (jax.vmap, jax.lax.scan, jax.jit), which NumPyro cannot see into; use "
    "numpyro.plate, or numpyro.contrib.control_flow.scan"
)
NOT_WHOLE = re.compile(r"Indexer must have integer or boolean type")
SHAPES = re.compile(r"incompatible shapes for broadcasting: (?:shapes=\[)?(\([\d, ]*\)), (\([\d, ]*\))", re.IGNORECASE)
NOT_SAMPLED = {
    "param": "numpyro.param is for optimizers and would stay at its initial value; use numpyro.sample with a prior",
    "mutable": "numpyro.mutable keeps values between calls; compute them in each call",
    "prng_key": "numpyro.prng_key draws random numbers that are not a site; use numpyro.sample",
}


POSITIVE = "dist.HalfNormal(10)"
# What to write instead of an improper prior, by the type of its support.
PROPER = {
    type(constraints.real): "dist.Normal(0, 10)",
    type(constraints.positive): POSITIVE,
    type(constraints.nonnegative): POSITIVE,
    type(constraints.softplus_positive): POSITIVE,
    type(constraints.unit_interval): "dist.Beta(1, 1)",
    constraints.interval: "dist.Uniform between its ends",
    constraints.open_interval: "dist.Uniform between its ends",
    constraints.greater_than: "its lower end plus a site with the prior dist.HalfNormal(10)",
    type(constraints.simplex): "dist.Dirichlet(jnp.ones(k))",
    type(constraints.real_vector): "dist.Normal(0, 10).expand([k]).to_event(1)",
}
OTHERWISE = "a distribution with this support that has a density"


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
        ends: Whether its density is checked to be 0 outside of its support.
        batch: Batch shape.
        event: Event shape.
        log_prob: Shape of the log density of an observed site.
        plates: Name, dim (negative) and size of each plate around it.
        improper: A proper prior to use instead, if its own is not.
    """

    name: str
    where: str
    observed: bool = False
    deterministic: bool = False
    family: str = ""
    discrete: bool = False
    scaled: bool = False
    masked: bool = False
    ends: bool = False
    batch: tuple[int, ...] = ()
    event: tuple[int, ...] = ()
    log_prob: tuple[int, ...] = ()
    plates: tuple[tuple[str, int, int], ...] = ()
    improper: str = ""


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

    @cached_property
    def files(self) -> frozenset[str]:
        """See `own_files`."""
        return own_files(self.path)

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
        try:
            recorder(**arguments)
        except (TypeError, ValueError) as error:
            words = _plate_and_site(model, error)
            if words is None:
                raise
            raise UserError(f"{errors.with_line(model.where, error)}: {words}") from None
        sites.extend(recorder.sites)
        return recorder.latents

    return Called(model, sites, jax.eval_shape(run, dict(arguments)))


class _Recorder(Messenger):
    """Records every site before NumPyro runs it, since NumPyro's own errors say less.

    A parameter with an improper prior gets a value of its support, so that all of them are found.
    """

    def __init__(self, fn: Callable, model: Candidate) -> None:
        self.model, self.sites, self.latents = model, [], {}
        super().__init__(fn)

    def process_message(self, msg: dict[str, Any]) -> None:
        where = _place(self.model)
        if msg["type"] in NOT_SAMPLED:
            raise UserError(f"{where}: {NOT_SAMPLED[msg['type']]}")
        if msg["type"] == "plate":
            _check_plate(self.model, where, msg["name"], *msg["args"])
        if msg["type"] not in ("sample", "deterministic"):
            return
        if _transformed(self.model):
            raise UserError(f"{where}: the site {msg['name']} {INSIDE}")
        if msg["name"] in [site.name for site in self.sites]:
            raise UserError(f"{where}: two sites are named {msg['name']!r}; rename one of them")
        site = _site(msg, where, self.model)
        self.sites.append(site)
        if site.improper:
            msg["value"] = msg["fn"].support.feasible_like(jnp.zeros(msg["fn"].shape()))

    def postprocess_message(self, msg: dict[str, Any]) -> None:
        if msg["type"] == "sample" and not msg["is_observed"]:
            self.latents[msg["name"]] = msg["value"]


def own_files(path: Path) -> frozenset[str]:
    """The file of a model and the user's files that it imports."""
    return frozenset(str(file) for file in provenance.closure(path) if plugins.is_own(file)) | {str(path)}


def _place(model: Candidate) -> str:
    """The file of the model, or of one of the user that it imports, and the current line while it
    runs."""
    frame, files = sys._getframe(1), model.files
    while frame and frame.f_code.co_filename not in files:
        frame = frame.f_back
    if frame is None:
        return model.where
    file = Path(frame.f_code.co_filename)
    return f"{file.parent.name}/{file.name}, line {frame.f_lineno}"


def _transformed(model: Candidate) -> bool:
    """Whether the current line runs in a function of the user that JAX calls, not NumPyro's own
    control flow."""
    frame, passed, files = sys._getframe(1), [], []
    while frame:
        if frame.f_code.co_filename in model.files:
            files, passed = [*files, *passed], []
        passed.append(Path(frame.f_code.co_filename).as_posix())
        frame = frame.f_back
    return any("/jax/_src/" in file for file in files) and not any("/numpyro/contrib/" in file for file in files)


def _check_plate(model: Candidate, where: str, name: str, size: int, part: int | None) -> None:
    """Raise UserError for a plate of another size than its dim, or of a part of the data."""
    whole = model.dataset.sizes.get(name, size)
    if part is not None and part != size:
        fix = "remove subsample_size, so that every value counts"
        raise UserError(f"{where}: the plate {name} takes {part} of {size} values (subsample_size); {fix}")
    if whole != size:
        fix = f"take its size as the argument n_{name}"
        raise UserError(f"{where}: the plate {name} has size {size}, but the dim has size {whole}; {fix}")


def _broadcast(*shapes: tuple[int, ...]) -> bool:
    with suppress(ValueError):
        return bool(np.broadcast_shapes(*shapes) or True)
    return False


def _proper(support: Any) -> str:
    """A proper prior with this support."""
    while hasattr(support, "base_constraint"):
        support = support.base_constraint
    return PROPER.get(type(support), OTHERWISE)


def _shape_of_density(msg: dict[str, Any], where: str, model: Candidate) -> tuple[int, ...]:
    """Shape of the log density of an observed site. Raises UserError where values and distribution
    do not fit together."""
    name, fn = msg["name"], msg["fn"]
    try:
        return jax.eval_shape(fn.log_prob, msg["value"]).shape
    except (TypeError, ValueError):
        shape, wanted = np.shape(msg["value"]), (*fn.batch_shape, *fn.event_shape)
        if _broadcast(shape, wanted):
            raise
        dims = model.dataset[name].dims if name in model.dataset else ()
        fix = "align their dims"
        for plate, dim, size in msg["cond_indep_stack"]:
            if -dim <= len(shape) and shape[dim] != size and -dim <= len(dims):
                fix = f"the plate {plate} has size {size}: take its size as the argument n_{dims[dim]}"
        raise UserError(f"{where}: {name} has shape {shape}, but its distribution has {wanted}; {fix}") from None


def _plate_and_site(model: Candidate, error: BaseException) -> str | None:
    """What a plate says that cannot hold a site: its frame in NumPyro knows both."""
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        plate, msg = frame.f_locals.get("self"), frame.f_locals.get("msg")
        if isinstance(plate, numpyro.plate) and isinstance(msg, dict) and msg.get("type") == "sample":
            shape = getattr(msg["fn"], "batch_shape", "?")
            fix = "take its size as an argument n_<dim>, or align the shapes"
            return f"{msg['name']} has the shape {shape}, but the plate {plate.name} has size {plate.size}; {fix}"
    return None


def _site(msg: dict[str, Any], where: str, model: Candidate) -> Site:
    plates = tuple(tuple(frame) for frame in msg["cond_indep_stack"])
    if msg["type"] == "deterministic":
        return Site(msg["name"], where, deterministic=True, plates=plates)
    families = [type(layer) for layer in layers(msg["fn"])]
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
        ends=any(layer._validate_args for layer in layers(msg["fn"])),
        batch=tuple(msg["fn"].batch_shape),
        event=tuple(msg["fn"].event_shape),
        log_prob=_shape_of_density(msg, where, model) if msg["is_observed"] else (),
        plates=plates,
        improper=_proper(msg["fn"].support) if dist.ImproperUniform in families and not msg["is_observed"] else "",
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
        shapes = SHAPES.search(str(error.__cause__)) if error.__cause__ else None
        if words is None and shapes:
            first, second = shapes.groups()
            fix = "index what belongs to groups by <group>_index, or align their dims"
            words = f"arrays of the shapes {first} and {second} do not fit together; {fix}"
        if words is None and NOT_WHOLE.search(str(error.__cause__)):
            words = "positions must be whole numbers, but these are decimal numbers; index by <group>_index, or describe the "
            words += "column as `integer`"
        if words is None:
            raise
        raise UserError(f"{errors.with_line(where, error.__cause__)}: {words}") from error.__cause__
