"""Names in a study that refer to nothing: entries, groups, plug-ins, their hyperparameters,
arguments and options."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tadpool import sweep_axes
from tadpool.config.checks import answers, sweeps, tables
from tadpool.config.messages import WANTED, how_to_write
from tadpool.config.parsed_values import Problem, kind, shown
from tadpool.config.schema.analyses import Calibration, Comparison, Figure, Prediction, Recovery
from tadpool.config.schema.study import Entry, Study
from tadpool.config.schema.sweep import Sweep
from tadpool.config.schema.table import Table
from tadpool.errors import UserError, did_you_mean
from tadpool.files import plugins, provenance
from tadpool.modelling import references
from tadpool.modelling.rungs import RUNGS

# Options of every figure, whatever its kind: the page uses them.
PAGE_OPTIONS = ("section", "title")
A_GROUP, AN_OUTCOME = "one of the study's groups", "one of the study's outcomes"
NEEDS_TRUTH = "a recovery study needs simulated data, whose true values are known"
TYPES = {float: "float_type", int: "int_type", bool: "bool_type", str: "string_type"}


def check(study: Study) -> Iterator[Problem]:
    """The names in a study that refer to nothing, one problem for each.

    Args:
        study: A study whose keys and values are valid, with completed designs.
    """
    described = isinstance(study.dataset, Table)
    mistakes = list(tables.check(study)) if described else []
    yield from mistakes if described else _dataset(study)
    entries = study.models
    signatures: dict[str, plugins.Signature] = {}
    for name, entry in entries.items():
        if entry.model is None or (entry.model in (*RUNGS, references.FORMULA) and entry.design is None):
            continue  # the mistake was reported
        try:
            path = _importable(plugins.find("models", entry.model))
            signatures[name] = references.signature(study.reference(name) if entry.design else entry.model)
            plugins.reparametrizable(path)
        except UserError as error:
            yield Problem(("models", name, "model"), f"{entry.model!r}: {error}")
        else:
            yield from _entry(("models", name), entry, study, signatures[name])
            # A mistake in a column would be repeated for every model that needs it.
            if described and not mistakes:
                yield from tables.needed(("models", name, "model"), study, entry.model, signatures[name])
    for name, sweep in study.sweeps.items():
        yield from _sweep(("sweeps", name), sweep, study, signatures)
    for name, comparison in study.comparisons.items():
        place = ("comparisons", name)
        yield from _known((*place, "entries"), comparison.entries, entries, "an entry of this study")
        targets = ["unit", *study.groups]
        yield from _known((*place, "target"), [comparison.target], targets, "unit or one of the study's groups")
        yield from _target((*place, "target"), comparison, study)
        yield from _equal_weights(place, comparison, study)
    yield from _known(("leave_out",), study.leave_out, study.groups, A_GROUP)
    for name, prediction in study.predictions.items():
        yield from _known(("predictions",), [name], entries, "an entry of this study")
        yield from _prediction(("predictions", name), prediction, study.groups, signatures.get(name))
    yield from answers.check(study, signatures)
    for name, calibration in study.calibration.items():
        weights = study.weights_of(calibration.entry) if calibration.entry in entries else {}
        yield from _calibration(("calibration", name), calibration, entries, signatures, weights)
    for name, recovery in study.recovery.items():
        yield from _recovery(("recovery", name), recovery, study, signatures)
    yield from _known(("observed_where",), study.observed_where, study.outcomes, AN_OUTCOME)
    for place, given in [((), study.weights), *((("models", name), entry.weights) for name, entry in entries.items())]:
        yield from _known((*place, "weights"), given or (), study.outcomes, AN_OUTCOME)
    kinds = plugins.figures() if study.figures else {}
    for name, figure in study.figures.items():
        yield from _figure(("figures", name), figure, kinds)
        if figure.kind == "answer" and "answer" in figure.options():
            shown = [str(figure.options()["answer"])]
            yield from _known(("figures", name, "answer"), shown, study.answers, "one of the study's answers")
    yield from _labels(study, signatures)
    for number, claim in enumerate(study.claims):
        yield from _known(("claims", number, "answers"), claim.answers, study.answers, "one of the study's answers")
        named = [claim.comparison] if claim.comparison else []
        yield from _known(("claims", number, "comparison"), named, study.comparisons, "one of the study's comparisons")
    yield from _known(("hero",), [study.hero] if study.hero else [], study.figures, "one of the study's figures")


def _labels(study: Study, signatures: Mapping[str, plugins.Signature]) -> Iterator[Problem]:
    """A label of a parameter that no model has, where the parameters of all models can be read from
    their files."""
    if set(signatures) != set(study.models) or any(each.designed for each in signatures.values()):
        return
    own = [plugins.sites(plugins.find("models", entry.model)) for entry in study.models.values()]
    if all(sites is not None for sites in own):
        known = list(dict.fromkeys(site for sites in own for site in sites))
        yield from _known(
            ("labels",), [name.partition("[")[0] for name in study.labels], known, "a parameter of a model"
        )


def _target(place: tuple, comparison: Comparison, study: Study) -> Iterator[Problem]:
    """An entry that is fitted by one group cannot be scored on held-out members of another."""
    for name in comparison.entries:
        by = study.models[name].by if name in study.models else None
        if by and study.leaves_out(comparison.target) and by != comparison.target:
            what = f"the entry {name} is fitted separately for each {by}, so no {comparison.target} can be held out"
            yield Problem(place, what, f"compare it on another target, such as {by}, or remove it from the comparison")


def _equal_weights(place: tuple, comparison: Comparison, study: Study) -> Iterator[Problem]:
    """Scores with different observation weights are not comparable."""
    given = {name: study.weights_of(name) for name in comparison.entries if name in study.models}
    first = next(iter(given), None)
    for name, weights in given.items():
        if weights != given[first]:
            what = f"{first} and {name} have different observation weights, so their scores cannot be compared"
            yield Problem(place, what, "give both the same weights, or compare them separately")
            return


def _known(place: tuple, names: Iterable[str], known: Collection[str], what: str) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            candidates = [each for each in known if each.isprintable()]
            fix = did_you_mean(name, candidates).removeprefix("; ") or "there are none"
            yield Problem(place, f"{shown(name)} is not {what}", fix)


def _importable(path: Path) -> Path:
    """The path of a plug-in, once its code and the files beside it that it imports have been read
    as Python.

    Raises:
        UserError: One of these files is not Python.
    """
    plugins.parse(path)
    try:
        provenance.closure(path)
    except (SyntaxError, ValueError) as error:
        raise UserError(f"a file that {path.name} imports is not Python: {error}; correct the file") from error
    return path


def _dataset(study: Study) -> Iterator[Problem]:
    try:
        path = _importable(plugins.find("datasets", study.dataset))
        plugins.tables(study.dataset)
        function = next((name for name in ("load", "simulate") if plugins.has_function(path, name)), None)
        if function is None:
            raise UserError(f"{path.name} has no function load(tables) or simulate(rng); add one")
        defaults = list(plugins.defaults(path, function).items())[1:]
        if not plugins.defaults(path, function):
            first = {"load": "tables", "simulate": "rng"}[function]
            raise UserError(f"{path.name}: {function}() takes no arguments; write {function}({first})")
    except UserError as error:
        yield Problem(("dataset",), f"{study.dataset!r}: {error}")
        return
    what = f"an argument of {function}() in {path.name}"
    yield from _arguments(("arguments",), study.arguments, dict(defaults), what)


def _entry(place: tuple, entry: Entry, study: Study, signature: plugins.Signature) -> Iterator[Problem]:
    yield from _known((*place, "model"), study.outcomes, signature.outcomes, f"an observed site of {entry.model}")
    if entry.by is not None:
        yield from _known((*place, "by"), [entry.by], study.groups, A_GROUP)
    if signature.designed and not entry.formula and study.weights_of(place[-1]):
        yield Problem((*place, "weights"), "a model of the ladder takes no observation weights", "write `weights: {}`")
    what = f"a hyperparameter of {entry.model}"
    yield from _arguments((*place, "hyperparameters"), entry.hyperparameters, signature.hyperparameters, what)


def _sweep(place: tuple, sweep: Sweep, study: Study, signatures: Mapping[str, plugins.Signature]) -> Iterator[Problem]:
    entries = study.models
    yield from _known((*place, "entry"), [sweep.entry], entries, "an entry of this study")
    yield from _one_fit((*place, "entry"), sweep.entry, entries)
    yield from sweeps.check((*place, "over"), sweep, study, signatures.get(sweep.entry))
    if sweep.overlay:
        overlaid, site = sweep.overlay.entry, sweep.overlay.site
        yield from _known((*place, "overlay", "entry"), [overlaid], entries, "an entry of this study")
        sites = plugins.sites(plugins.find("models", entries[overlaid].model)) if overlaid in signatures else None
        if sites is not None:
            what = f"a parameter of {entries[overlaid].model}"
            yield from _known((*place, "overlay", "site"), sweep_axes.axes(site), sites, what)


def _prediction(
    place: tuple, prediction: Prediction, groups: Collection[str], signature: plugins.Signature | None
) -> Iterator[Problem]:
    if prediction.group is not None:
        yield from _known((*place, "group"), [prediction.group], groups, A_GROUP)
    if signature:
        given_anyway = (prediction.group, *(name for name in signature.variables if name.startswith("n_")))
        named = [name.removesuffix("_index") for name in signature.variables]
        variables = [name for name in named if name not in given_anyway]
        for position, row in enumerate(prediction.rows):
            yield from _known((*place, "rows", position), row, variables, "a variable that the model needs")


def _calibration(
    place: tuple,
    calibration: Calibration,
    entries: Mapping[str, Entry],
    signatures: Mapping[str, plugins.Signature],
    weights: Mapping[str, str],
) -> Iterator[Problem]:
    name = calibration.entry
    yield from _known((*place, "entry"), [name], entries, "an entry of this study")
    if name in signatures:
        what = f"a hyperparameter of {entries[name].model}"
        known = signatures[name].hyperparameters
        yield from _arguments((*place, "hyperparameters"), calibration.hyperparameters, known, what)
    yield from _one_fit((*place, "entry"), name, entries)
    if name in entries and entries[name].design and entries[name].design.censored:
        what = f"{shown(name)} has censored outcomes, and how simulated ones would be censored is not known"
        yield Problem((*place, "entry"), what, "choose an entry without `censored`")
    if weights:
        what = f"{shown(name)} has observation weights, but data simulated from its model have none"
        yield Problem((*place, "entry"), what, "choose an entry with `weights: {}`")


def _recovery(
    place: tuple, recovery: Recovery, study: Study, signatures: Mapping[str, plugins.Signature]
) -> Iterator[Problem]:
    yield from _known((*place, "entries"), recovery.entries, study.models, "an entry of this study")
    for name in recovery.entries:
        yield from _one_fit((*place, "entries"), name, study.models)
        sites = plugins.sites(plugins.find("models", study.models[name].model)) if name in signatures else None
        if sites is not None:
            what = f"a parameter of {study.models[name].model}"
            yield from _known((*place, "sites"), recovery.sites, sites, what)
    if isinstance(study.dataset, Table):
        yield Problem(place, f"the table {study.dataset.table} is not simulated", NEEDS_TRUTH)
        return
    try:
        path = plugins.find("datasets", study.dataset)
        if not plugins.has_function(path, "simulate"):
            yield Problem(place, f"the dataset {study.dataset} is not simulated", NEEDS_TRUTH)
        else:
            arguments = list(plugins.defaults(path, "simulate").items())[1:]
            what = f"an argument of simulate() in {path.name}"
            known = [name for name, _ in arguments]
            yield from _known((*place, "over"), recovery.over, known, what)
            for name, values in recovery.over.items():
                for value in values if name in known else ():
                    yield from _typed((*place, "over", name), value, dict(arguments)[name])
    except UserError:
        return  # the mistake in the dataset was reported


def _one_fit(place: tuple, name: str, entries: Mapping[str, Entry]) -> Iterator[Problem]:
    """An entry that is fitted separately for each member of a group has no single posterior."""
    if name in entries and entries[name].by is not None:
        what = f"{shown(name)} is fitted separately for each {entries[name].by}"
        yield Problem(place, what, "choose an entry without `by`")


def _figure(place: tuple, figure: Figure, kinds: Mapping[str, Path]) -> Iterator[Problem]:
    yield from _known((*place, "kind"), [figure.kind], kinds, "a kind of figure")
    if figure.kind in kinds:
        _, *options = plugins.defaults(kinds[figure.kind], "draw").items()
        given = {name: value for name, value in figure.options().items() if name not in PAGE_OPTIONS}
        yield from _arguments(place, given, dict(options), f"an option of {figure.kind}")


def _arguments(place: tuple, given: Mapping[str, Any], defaults: Mapping[str, Any], what: str) -> Iterator[Problem]:
    """Arguments that the function does not take, required ones that are missing, and values of the
    wrong type."""
    known = [name for name in defaults if not name.startswith("**")]
    if len(known) == len(defaults):
        yield from _known(place, given, known, what)
    for name, default in defaults.items():
        if name not in given:
            if default is plugins.REQUIRED:
                yield Problem((*place, name), "missing", f"add it: it is {what} without a default")
        else:
            yield from _typed((*place, name), given[name], default)


def _typed(place: tuple, value: Any, default: Any) -> Iterator[Problem]:
    """A value that is not of the type of the argument's default."""
    if not _fits(value, default):
        wanted = TYPES[type(default)]
        fix = how_to_write(wanted, value) or f"the default is {shown(default)}"
        yield Problem(place, f"{shown(value)} ({kind(value)}) is not {WANTED[wanted]}", fix)


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(default) not in TYPES or type(value) is type(default)
