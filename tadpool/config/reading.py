"""Reading the config and study files: a `Config`, or a sentence for each mistake.

Each study is checked in two steps: its keys and values first and, once these are right, what it
refers to.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from tadpool import ROOT
from tadpool.config import parsed_values, yaml_files
from tadpool.config.checks import studies as checks
from tadpool.config.checks import thresholds
from tadpool.config.ladder import entries
from tadpool.config.messages import explain
from tadpool.config.parsed_values import NotReadable, Problem, printable
from tadpool.config.schema.run import Settings
from tadpool.config.schema.study import Config, Study
from tadpool.config.schema.types import RESERVED, SLUG, colliding
from tadpool.errors import UserError, did_you_mean

CONFIG = Path("config/config.yaml")
OWN = Path("config/studies")
RESULTS = Path("results")
BUILT_IN = ROOT / OWN
OVERLAY = "--config or --configfile"
# Keys of a study whose names become folders or files.
NAMED = ("models", "sweeps", "comparisons", "predictions", "calibration", "recovery", "figures")


class ConfigErrors(UserError):
    """The mistakes in the config and study files; `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def read(overlay: Mapping[str, Any] | None = None) -> Config:
    """Read config/config.yaml of the working directory, or the defaults, and the studies that it
    names.

    Args:
        overlay: Values that override the file's, key by key.

    Raises:
        ConfigErrors: There are mistakes; it lists those of all files.
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
    """`below` with the values of `above` in their place, key by key in nested mappings; changes
    neither."""
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
    return [f"{file}: files in this folder end in .yaml; rename it" for file in files if file.exists()]


def _load(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The keys of a file (none if it cannot be read), and problems that do not depend on what they
    mean."""
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
    model: type[M], content: Mapping[str, Any], reported: Iterable[Problem]
) -> tuple[M | None, list[Problem]]:
    """The model (None if it is invalid), and the problems at places without a reported one."""
    try:
        return model.model_validate(dict(content)), []
    except ValidationError as error:
        places = {problem.place for problem in reported}
        return None, [problem for problem in explain(model, error) if problem.place not in places]


def _of_settings(problem: Problem, overlay: Mapping[str, Any]) -> list[str]:
    """The sentence for a problem of the settings, which names the config file or the overlay."""
    given: Any = overlay
    for part in problem.place:
        if isinstance(given, Mapping):
            if part not in given:
                return _sentences(CONFIG, [problem])
            given = given[part]
    if not isinstance(problem.wrong_type, str):
        return _sentences(OVERLAY, [problem])
    if problem.wrong_type.lower() in ("true", "false") and len(problem.place) == 1:
        fix = f"write {problem.place[0]}={problem.wrong_type.capitalize()}"
    elif len(problem.place) > 1:
        fix = "inside --config every nested value is text: write it in a file and pass that with --configfile"
    else:
        fix = problem.fix
    return _sentences(OVERLAY, [Problem(problem.place, problem.what, fix)])


def _of_valid(settings: Settings | None) -> Iterator[Problem]:
    """Problems of settings whose values are each valid."""
    if settings:
        yield from thresholds.of_run(settings)
        yield from _other_run(settings)


def _other_run(settings: Settings) -> Iterator[Problem]:
    """Problems with the folder of the run to compare with."""
    if settings.compare_with is None:
        return
    folder = Path(settings.compare_with)
    if not folder.is_dir():
        fix = "give the results folder of another run, or remove the key"
        yield Problem(("compare_with",), f"there is no folder {settings.compare_with!r}", fix)
    elif folder.resolve() == RESULTS.resolve():
        fix = "copy it before the run and name the copy"
        yield Problem(("compare_with",), f"{settings.compare_with!r} is the folder that this run writes", fix)


def _study(name: str, chosen_in: object, settings: Settings | None) -> tuple[Study | None, list[str]]:
    """A study (None if it is invalid), and its mistakes as sentences.

    Args:
        name: Name of the study.
        chosen_in: The file that names it.
        settings: Settings of the run; None if they are invalid.
    """
    file = OWN / f"{name}.yaml"
    if not re.match(SLUG, name):
        what = f"{printable(str(file))}: {name!r} is not a valid name"
        return None, [
            f"{what}; rename the file, with letters, digits, _ and - only"
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
    mistakes = [*known, *invalid, *_collisions(content)]
    if study is None or mistakes:
        return None, _sentences(file, mistakes)
    study, mistakes = entries.completed(study)
    return study, _sentences(file, [*mistakes, *checks.check(study), *thresholds.of_study(study, settings)])


def _collisions(content: Mapping[str, Any]) -> Iterator[Problem]:
    for key in NAMED:
        names = content.get(key)
        texts = [name for name in names if isinstance(name, str)] if isinstance(names, Mapping) else []
        for first, second in colliding(texts):
            what = f"{first!r} and {second!r} differ only in upper and lower case"
            yield Problem((key,), what, "rename one: on many disks their results would share a folder")


def _path(name: str) -> Path:
    """The study's file, in the working directory or built in. Raises UserError unless there is
    exactly one; an unchanged copy of a built-in file, as snakedeploy leaves it, is the same one."""
    own, built_in = OWN / f"{name}.yaml", BUILT_IN / f"{name}.yaml"
    if name.lower() in RESERVED:
        raise UserError(f"the name {name!r} is reserved for a folder of results; choose another name")
    known = [_stems(OWN), [] if OWN.resolve() == BUILT_IN else _stems(BUILT_IN)]
    for first, second in colliding([*known[0], *known[1]]):
        if name in (first, second):
            what = f"{first!r} and {second!r} differ only in upper and lower case"
            raise UserError(f"{what}; rename one: on many disks their results would share a folder")
    if name in known[0] and name in known[1] and own.read_bytes() != built_in.read_bytes():
        raise UserError(f"{own} has the name of a built-in study; rename yours")
    if name in known[0]:
        return own
    if name in known[1]:
        return built_in
    raise UserError(f"{name!r}: there is no file {own}{did_you_mean(name, known[0] + known[1])}")
