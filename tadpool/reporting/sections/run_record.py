"""The record of one study's run, `run.json`: its config and what came of it, for a later run to be
compared with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tadpool.errors import UserError
from tadpool.files import io
from tadpool.files.provenance import RUN, sha256
from tadpool.files.results import StudyResults
from tadpool.formatting import missing
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.sections.calibration import Calibration
from tadpool.reporting.sections.comparison import Row
from tadpool.reporting.sections.overview import Light
from tadpool.reporting.sections.provenance import Provenance

FORMAT = 2
"""Of the record: another number is not read."""
NUMBERS = ("mean", "mcse_mean", "sd", "mcse_sd")


def record(
    results: StudyResults,
    settings: Mapping[str, Any],
    fits: Sequence[Fit],
    rows: Mapping[str, Sequence[Row]],
    calibrations: Sequence[Calibration],
    lights: Sequence[Light],
    headline: str,
    provenance: Provenance,
) -> dict[str, Any]:
    """The record. settings: of the run, as far as they decide numbers. rows: of each comparison."""
    return {
        "format": FORMAT,
        "study": results.study,
        "config": dict(results.config) | {"run": dict(settings)},
        "data": {str(name): _digest(variable) for name, variable in results.data.variables.items()},
        "code": {path: code for path, *_, code in provenance.files},
        "versions": dict(provenance.versions),
        "headline": headline,
        "checks": {light.name: light.state for light in lights},
        "fits": {fit.entry: "fail" if fit.failed else fit.verdict for fit in fits},
        "sweeps": {name: results.sweep_check(name)["verdict"] for name in results.config["sweeps"]},
        "calibrations": {each.name: each.verdict for each in calibrations},
        "standings": {name: {row.entry: row.standing for row in table} for name, table in rows.items()},
        "estimates": {fit.entry: _estimates(fit) for fit in fits if not fit.failed},
        "scores": {name: _scores(table) for name, table in rows.items()},
    }


def _digest(variable: Any) -> str:
    """sha256 of a variable's dims, type and values."""
    values = variable.values
    content = "\0".join(map(str, values.ravel())) if values.dtype.kind in "OU" else values.tobytes()
    return sha256(",".join(map(str, variable.dims)), str(values.dtype.kind), str(values.shape), content)


def _estimates(fit: Fit) -> dict[str, list[float | None]]:
    """NUMBERS of each parameter."""
    return {row["parameter"]: [row.get(name) for name in NUMBERS] for row in fit.parameters}


def _scores(table: Sequence[Row]) -> dict[str, list[float]]:
    """elpd and its Monte Carlo error of each entry that is ranked."""
    ranked = [row for row in table if row.ranked and not missing(row.numbers["mcse"])]
    return {row.entry: [float(row.numbers["elpd"]), float(row.numbers["mcse"])] for row in ranked}


def read(folder: str | Path, study: str) -> dict[str, Any]:
    """The record of a study in a results folder. Raises UserError that says why there is none to
    compare with."""
    place = Path(folder) / study / RUN
    if not place.parent.is_dir():
        raise UserError(f"{folder} has no study {study}")
    if not place.is_file():
        raise UserError(
            f"{folder} has no {study}/{RUN}: that run did not end, or an earlier version of tadpool made it"
        )
    try:
        found = io.read_json(place)
    except (UserError, OSError) as error:
        raise UserError(f"{place} cannot be read; copy it again from where it was made") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise UserError(
            f"{place} was written by another version of tadpool; run that version's config again with this one"
        )
    return found
