"""From files to a `Config`, or to sentences about everything that is wrong with them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from tadpool import ROOT
from tadpool.config import parsed_values, yaml_files
from tadpool.config.checks import studies as references
from tadpool.config.checks import thresholds
from tadpool.config.ladder import entries
from tadpool.config.messages import explain
from tadpool.config.parsed_values import NotReadable, Problem, printable
from tadpool.config.schema.analyses import Calibration, Comparison, Figure, Prediction, Recovery
from tadpool.config.schema.run import Settings
from tadpool.config.schema.study import LADDER, Config, Entry, Study
from tadpool.config.schema.sweep import Sweep
from tadpool.config.schema.types import RESERVED, SLUG, colliding
from tadpool.errors import UserError, did_you_mean

CONFIG = Path("config/config.yaml")
OWN = Path("config/studies")
RESULTS = Path("results")
BUILT_IN = ROOT / OWN
OVERLAY = "--config or --configfile"
# Named things within a study: each is valid or not on its own.
NAMED = {
    "models": Entry,
    "sweeps": Sweep,
    "comparisons": Comparison,
    "predictions": Prediction,
    "calibration": Calibration,
    "recovery": Recovery,
    "figures": Figure,
}


class ConfigErrors(UserError):
    """All problems of the config and study files; `problems` holds one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def read(overlay: Mapping[str, Any] | None = None) -> Config:
    """Read config/config.yaml of the working directory (or defaults) with `overlay` over it, and the studies it names.

    Raises ConfigErrors that lists all problems of all files at once.
    """
    below, below_problems = _load(CONFIG) if CONFIG.exists() or CONFIG.is_symlink() else ({}, [])
    above, above_problems = _checked(overlay or {})
    settings, invalid = _validated(Settings, merge(below, above), [*below_problems, *above_problems])
    sentences = [
        *_wrong_endings(),
        *_sentences(CONFIG, below_problems),
        *_sentences(OVERLAY, above_problems),
        *(sentence for problem in invalid for sentence in _of_settings(problem, above)),
        *(sentence for problem in _of_valid(settings) for sentence in _of_settings(problem, above)),
    ]
    chosen_in = OVERLAY if "studies" in above else CONFIG
    studies: dict[str, Any] = {}
    for name in _wanted(above.get("studies", below.get("studies"))):
        studies[name], problems = _study(name, chosen_in, settings)
        sentences += problems
    if sentences or settings is None:
        raise ConfigErrors(list(dict.fromkeys(sentences)))
    if settings.quick:
        studies = {name: study.quickened() for name, study in studies.items()}
    return Config(settings=settings, studies=studies)


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, key by key in nested mappings; changes neither."""
    nested = {
        key: merge(below[key], value)
        for key, value in above.items()
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
    }
    return {**below, **above, **nested}


def default_studies() -> list[str]:
    """All studies of the working directory, or else the built-in ones."""
    return _stems(OWN) or _stems(BUILT_IN)


def _wanted(studies: Any) -> list[str]:
    if studies is None:
        return default_studies()
    return list(dict.fromkeys(name for name in studies if isinstance(name, str))) if isinstance(studies, list) else []


def _stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _sentences(file: object, problems: Iterable[Problem]) -> list[str]:
    return [f"{file}: {problem}" for problem in problems]


def _wrong_endings() -> list[str]:
    files = [CONFIG.with_suffix(".yml"), *sorted(OWN.glob("*.yml"))]
    return [f"{file}: files here end in .yaml; rename it" for file in files if file.exists()]


def _load(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The keys of a file, none where it is not readable, and what is wrong with them whatever they mean."""
    try:
        content, problems = yaml_files.load(path)
        return content, [*problems, *parsed_values.check(content)]
    except NotReadable as error:
        return {}, [Problem((), str(error))]


def _checked(overlay: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Problem]]:
    try:
        return overlay, parsed_values.check(overlay)
    except NotReadable as error:
        return {}, [Problem((), str(error))]


def _validated[M: BaseModel](
    model: type[M], content: Mapping[str, Any], known: Iterable[Problem]
) -> tuple[M | None, list[Problem]]:
    """The model, none where it is invalid, and what is wrong at places that have no known problem."""
    try:
        return model.model_validate(dict(content)), []
    except ValidationError as error:
        places = {problem.place for problem in known}
        return None, [problem for problem in explain(model, error) if problem.place not in places]


def _of_settings(problem: Problem, overlay: Mapping[str, Any]) -> list[str]:
    """The sentence of a problem of the settings, which come from the config file or the overlay."""
    given: Any = overlay
    for part in problem.place:
        if isinstance(given, Mapping):
            if part not in given:
                return _sentences(CONFIG, [problem])
            given = given[part]
    if not isinstance(problem.wrong_type, str):
        return _sentences(OVERLAY, [problem])
    if problem.wrong_type.lower() in ("true", "false") and len(problem.place) == 1:
        mend = f"write {problem.place[0]}={problem.wrong_type.capitalize()}"
    elif len(problem.place) > 1:
        mend = "inside --config every value is text: write it in a file and give that with --configfile"
    else:
        mend = problem.mend
    return _sentences(OVERLAY, [Problem(problem.place, problem.what, mend)])


def _of_valid(settings: Settings | None) -> Iterator[Problem]:
    """What is wrong with settings whose values are each valid."""
    if settings:
        yield from thresholds.of_run(settings)
        yield from _other_run(settings)


def _other_run(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the folder of the run to compare with."""
    if settings.compare_with is None:
        return
    folder = Path(settings.compare_with)
    if not folder.is_dir():
        mend = "give the results folder of another run, or leave the key out"
        yield Problem(("compare_with",), f"there is no folder {settings.compare_with!r}", mend)
    elif folder.resolve() == RESULTS.resolve():
        mend = "copy it before the run and give the copy"
        yield Problem(("compare_with",), f"{settings.compare_with!r} is the folder that this run writes", mend)


def _study(name: str, chosen_in: object, settings: Settings | None) -> tuple[Study | None, list[str]]:
    """A study, none where it is invalid, and all that is wrong with it.

    chosen_in: where its name stands. settings: of the run, none where they are invalid.
    """
    file = OWN / f"{name}.yaml"
    if not re.match(SLUG, name):
        what = f"{printable(str(file))}: {name!r} is not a usable name"
        return None, [
            f"{what}; rename the file with letters, digits, _ and - alone"
        ] if name in default_studies() else []
    try:
        path = _path(name)
    except UserError as error:
        return None, [f"{chosen_in}: studies: {error}"]
    content, known = _load(path)
    if not content:
        empty = Problem((), "it is empty; write a title, a question, a dataset and models, see config/README.md")
        return None, _sentences(file, known or [empty])
    study, invalid = _validated(Study, content, known)
    parts = study or _valid_parts(Study, content)
    misread = any("design" in problem.place for problem in (*known, *invalid))
    parts, wrong = (entries.unknown(parts), []) if misread else entries.completed(parts)
    unknown = [*references.check(parts), *thresholds.of_study(parts, settings)]
    return parts if study else None, _sentences(file, [*known, *invalid, *_collisions(content), *wrong, *unknown])


def _collisions(content: Mapping[str, Any]) -> Iterator[Problem]:
    for key in NAMED:
        names = content.get(key)
        for first, second in colliding(filter(_is_text, names if isinstance(names, Mapping) else ())):
            what = f"{first!r} and {second!r} differ in upper and lower case alone"
            yield Problem((key,), what, "their results would share a folder, rename one")


def _path(name: str) -> Path:
    """The study's file, of the working directory or built in. Raises UserError where there is none or there are two."""
    own, built_in = OWN / f"{name}.yaml", BUILT_IN / f"{name}.yaml"
    if name.lower() in RESERVED:
        raise UserError(f"the name {name!r} is reserved for a folder of results; choose another name")
    known = [_stems(OWN), [] if OWN.resolve() == BUILT_IN else _stems(BUILT_IN)]
    for first, second in colliding([*known[0], *known[1]]):
        if name in (first, second):
            what = f"{first!r} and {second!r} differ in upper and lower case alone"
            raise UserError(f"{what}, their results would share a folder; rename one")
    if name in known[0] and name in known[1]:
        raise UserError(f"{own} has the name of a built-in study; rename yours")
    if name in known[0]:
        return own
    if name in known[1]:
        return built_in
    raise UserError(f"{name!r}: there is no file {own}{did_you_mean(name, known[0] + known[1])}")


def _valid_parts[M: BaseModel](model: type[M], content: Any) -> M:
    """An invalid study with None for what is invalid, so that what it names is checked at once with the rest."""
    content = {key: value for key, value in content.items() if _is_text(key)} if isinstance(content, Mapping) else {}
    parts = dict(content) if model is Figure else {}
    for key, field in model.model_fields.items():
        given = content.get(field.alias or key)
        if model is Study and key == "models" and given == LADDER:
            parts[key] = LADDER
        elif model is Study and key in NAMED:
            named = given.items() if isinstance(given, Mapping) else ()
            parts[key] = {name: _valid_parts(NAMED[key], each) for name, each in named if _is_text(name)}
        elif given is not None:
            parts[key] = _valid(field.rebuild_annotation(), given)
        elif field.is_required():
            parts[key] = None
    return model.model_construct(**parts)


def _valid(annotation: Any, value: Any) -> Any:
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError:
        return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
