"""Draw and write all figures of a study."""

import inspect
import sys
import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tadpool.errors import UserError, did_you_mean
from tadpool.figures import OWNERS, SECTIONS, Drawn, NotDrawn, Standard, _style
from tadpool.files import failures, io, plugins
from tadpool.files.results import StudyResults
from tadpool.formatting import listed, with_minus


@dataclass(frozen=True)
class Wanted:
    """A figure to draw.

    owner: a mapping of one of OWNERS to its name, or nothing. caption, title: "" leaves them to the
    kind.
    """

    name: str
    kind: str
    section: str
    owner: Mapping[str, str]
    options: Mapping[str, Any]
    caption: str = ""
    title: str = ""


def standard() -> dict[str, Standard]:
    """Kinds of figures that are drawn without being asked for, as their modules declare them, in
    reading order."""
    modules = {kind: import_module(f"tadpool.figures.{kind}") for kind in plugins.figures()}
    found = {kind: module.STANDARD for kind, module in modules.items() if hasattr(module, "STANDARD")}
    return dict(sorted(found.items(), key=lambda item: (SECTIONS.index(item[1].section), item[1].place, item[0])))


def wanted_figures(config: Mapping[str, Any]) -> list[Wanted]:
    """All figures of a study in reading order: its own, then the standard ones.

    Args:
        config: The study.

    Returns:
        What is to be drawn, of fits that failed too.

    Raises:
        UserError: An own figure has the name of a standard one, or an unknown section or option.
    """
    shared = _shared(config)
    return [*(_own(name, figure, shared) for name, figure in config["figures"].items()), *shared.values()]


def _shared(config: Mapping[str, Any]) -> dict[str, Wanted]:
    """The standard figures of a study by name, in reading order."""
    kinds = standard()
    shared = [
        Wanted(f"{name}-{kind}", kind, chosen.section, {owner: name}, {owner: name})
        for owner, key in OWNERS.items()
        for name in config[key]
        for kind, chosen in kinds.items()
        if chosen.owner == owner and (not chosen.key or config[chosen.key])
    ]
    return {figure.name: figure for figure in shared}


def _own(name: str, figure: Mapping[str, Any], taken: Collection[str]) -> Wanted:
    """A figure of the study's own. taken: names of its standard figures."""
    options = dict(figure)
    kind, caption = options.pop("kind"), options.pop("caption")
    section, title = options.pop("section", "story"), options.pop("title", "")
    if section not in SECTIONS:
        raise UserError(f"figures.{name}.section: {section!r}{did_you_mean(section, list(SECTIONS))}")
    known = [option for option in inspect.signature(_kind(kind)).parameters if option != "results"]
    for option in options:
        if option not in known:
            raise UserError(f"figures.{name}: unknown option {option!r}{did_you_mean(option, known)}")
    if name in taken:
        raise UserError(f"figures.{name}: a standard figure has this name; rename it")
    return Wanted(name, kind, section, {}, options, caption, title)


def _kind(kind: str):
    return import_module(f"tadpool.figures.{kind}").draw


def draw_all(results: StudyResults, folder: Path, log: str = "") -> dict[str, str]:
    """Draw every figure of the study into `folder`, with figures.json; see `tadpool.figures` for
    what is written.

    Figures of fits that failed are left out. Any other that cannot be drawn costs that figure
    alone; its traceback is printed.

    Args:
        results: The study's results.
        folder: Where the figures go.
        log: The file for what is printed, which reasons name.

    Returns:
        Why figures could not be drawn, by name, as in failed.json.
    """
    listed, failed = [], {}
    folder.mkdir(parents=True, exist_ok=True)
    shared, own = _shared(results.config), results.config["figures"]
    for name in [*own, *(name for name in shared if name not in own)]:
        try:
            figure = _own(name, own[name], shared) if name in own else shared[name]
            with _style.figure_style(name):
                drawn = _kind(figure.kind)(results, **figure.options)
                described = _described(figure, drawn, results)
                _write(folder, name, drawn)
            listed.append(described)
        except NotDrawn:
            continue
        except Exception as error:
            failed[name] = failures.logged(failures.words(error), log)
            print(f"figure {name}:", file=sys.stderr)
            traceback.print_exc()
            for suffix in ("svg", "csv", "json"):
                (folder / f"{name}.{suffix}").unlink(missing_ok=True)
    io.write_json(folder / "figures.json", listed)
    if failed:
        io.write_json(folder / failures.FIGURES, failed)
    return failed


def _failed(results: StudyResults, options: Any) -> list[str]:
    """The entries that options name whose fits failed, those of separate fits left aside: what a
    study says of them would be said of numbers that must not be used."""
    if isinstance(options, Mapping):
        parts = [
            each for key, value in options.items() if key not in ("site", "sites") for each in _failed(results, value)
        ]
        return list(dict.fromkeys(parts))
    if isinstance(options, (list, tuple)):
        return list(dict.fromkeys(each for value in options for each in _failed(results, value)))
    if not isinstance(options, str) or options not in results.config["models"]:
        return []
    if results.config["models"][options].get("by") or not results.usable(options):
        return []  # which a figure leaves out where it has no numbers
    return [results.label(options)] if results.check(options)["verdict"] == "fail" else []


def _described(figure: Wanted, drawn: Drawn, results: StudyResults) -> dict[str, Any]:
    width, height = drawn.figure.get_size_inches() * 72
    caption = fill_caption(figure.name, " ".join((figure.caption or drawn.caption).split()), drawn.values)
    if figure.caption and (failed := _failed(results, figure.options)):
        caption = f"Not described, since a fit failed: {listed(failed)}."
    owners = {owner: figure.owner.get(owner) for owner in OWNERS}
    return {
        "name": figure.name,
        "kind": figure.kind,
        "section": figure.section,
        **owners,
        "title": figure.title or drawn.title,
        "caption": caption,
        "alt": with_minus(drawn.alt),
        "width": round(width, 1),
        "height": round(height, 1),
        "explorer": drawn.explorer is not None,
    }


def fill_caption(name: str, caption: str, values: Mapping[str, Any]) -> str:
    """The caption with its placeholders filled, and minus signs. Raises UserError for a placeholder
    that the figure has no value for."""
    try:
        return with_minus(caption.format(**values))
    except (KeyError, IndexError) as error:
        known = ", ".join(f"{{{value}}}" for value in values)
        raise UserError(
            f"figures.{name}.caption: {error} is not a value of this figure; it has {known or 'none'}"
        ) from error
    except ValueError as error:
        raise UserError(f"figures.{name}.caption: {error}; write a placeholder as {{name}} or {{name:.2f}}") from error


def _write(folder: Path, name: str, drawn: Drawn) -> None:
    _style.wrap_labels(drawn.figure)
    with io.replacing(folder / f"{name}.svg") as path:
        _style.lay_out(drawn.figure)
        drawn.figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    io.write_csv(folder / f"{name}.csv", _rounded(drawn.numbers))
    if drawn.explorer is not None:
        io.write_text(folder / f"{name}.json", io.canonical(drawn.explorer) + "\n")


def _rounded(numbers: pd.DataFrame) -> pd.DataFrame:
    """Floats with seven significant digits: more than any figure shows."""

    def significant(column: pd.Series) -> pd.Series:
        values = column.to_numpy(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            digits = 6 - np.floor(np.log10(np.abs(values)))
        scale = 10.0 ** np.where(np.isfinite(digits), digits, 0)
        return pd.Series(np.round(values * scale) / scale, index=column.index)

    floats = numbers.select_dtypes("floating").columns
    return numbers.assign(**{name: significant(numbers[name]) for name in floats})
