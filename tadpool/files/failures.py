"""Results that say that their job failed, found again.

A job that fails writes its result all the same, without numbers and with the reason
(`tadpool.workflow.failed_results`), so that everything that does not depend on it goes on and the
page says what is missing.
"""

from collections.abc import Iterable
from pathlib import Path

from tadpool.errors import UserError
from tadpool.files import io

COLUMN = "failed"
"""Column of a ranking whose job failed; every row says why."""
FIGURES = "failed.json"
"""Beside figures that could not be drawn: name -> why; "" for all of them."""
MOST_LINES = 20
"""How much of a log is repeated elsewhere."""


def words(error: Exception) -> str:
    """What an exception says, in one sentence: of a UserError its own, without its end."""
    return str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"


def logged(cause: str, log: str) -> str:
    """The cause, and the file that says more."""
    return f"{cause} (log: {log})" if log else cause


def end_of(log: str | Path) -> str:
    """Why a job failed, as its log says at the end: the sentences of a UserError, or the last line
    of a traceback."""
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        lines = []
    said = [line for line in lines if line.strip()]
    if not said:
        return "its log is empty, so it was ended from outside (most often the system ran out of memory)"
    raised = any(line.startswith("Traceback") for line in said)
    return said[-1] if raised else " ".join(said[-MOST_LINES:])


def told(path: str | Path) -> dict[str, str]:
    """What a result says about its job, if that failed: path -> what is missing and why, a
    predicate; empty where all is well.

    Args:
        path: A NetCDF file, a check.json, a ranking or a folder of figures.
    """
    path = Path(path)
    if path.suffix == ".nc":
        found = io.attributes(path)
        return {} if found.get("status", "ok") == "ok" else {str(path): f"has no numbers: {found['reason']}"}
    if path.suffix == ".json":
        found = [each["values"] for each in io.read_json(path)["reasons"] if each["code"] == "status"]
        crashed = [each["reason"] for each in found if each["status"] == "crashed"]
        return {str(path): f"has no verdict: {why}" for why in crashed[:1]}
    if path.suffix == ".csv":
        table = io.read_csv(path)
        return {str(path): f"has no ranks: {why}" for why in table.get(COLUMN, [])[:1]}
    failed = io.read_json(path / FIGURES) if (path / FIGURES).is_file() else {}
    return {str(path / name): f"could not be drawn: {why}" for name, why in failed.items()}


def independent(paths: Iterable[str | Path], failed: Iterable[str | Path] = ()) -> dict[str, str]:
    """What the results say whose own job failed: not those that have no numbers because the fit in
    their folder has none.

    Args:
        paths: Results, see `told`; those that are not there are left out.
        failed: Folders of fits that failed.
    """
    found = [told(path) for path in paths if Path(path).exists()]
    without = {path: why for each in found for path, why in each.items()}
    judged = {*map(Path, failed), *(Path(path).parent for path in without if path.endswith("check.json"))}
    return {
        path: why
        for path, why in without.items()
        if path.endswith("check.json") or not judged & set(Path(path).parents)
    }
