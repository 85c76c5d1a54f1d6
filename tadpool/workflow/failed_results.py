"""The result of a job that failed: it has no numbers and says why, so that everything that does not
depend on it goes on.

`tadpool.files.failures` finds it again. A record of the failure, which decides a re-run, makes the
next run try the job again.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tadpool.files import failures, io


def say(output: str, cause: str) -> None:
    """Print why a job failed, in its log and on the terminal, with its file once."""
    print(cause, file=sys.stderr)
    told = cause if cause.startswith(f"{output}:") else f"{output}: {cause}"
    io.tell(told)


def remember(crashes: str, cause: str) -> None:
    """Record a failure. crashes: the record and what it says, see `Specs.crashes`."""
    known = json.loads(crashes)
    io.write_json(known["record"], [*known["earlier"], cause])


def write(path: str, spec: Mapping[str, Any], cause: str) -> None:
    """Write the result of a job that runs no model and failed: a check, a ranking, or a folder of
    figures.

    Args:
        path: The result.
        spec: The job's arguments.
        cause: A sentence without its end.
    """
    if path.endswith("check.json"):
        report = {"verdict": "fail", "reasons": [finding(cause)], "diagnostics": {}, "parameters": [], "attempts": []}
        points = {"points": []} if spec["over"] or spec["by"] else {}
        io.write_json(path, {"study": spec["study"], "entry": spec["entry"], **report, **points})
    elif path.endswith(".csv"):
        import pandas as pd

        from tadpool.files import contracts

        nothing = pd.DataFrame({"model": spec["entries"], "target": spec["target"]}).reindex(
            columns=list(contracts.RANKING)
        )
        io.write_csv(path, nothing.assign(**{failures.COLUMN: cause}))
    else:
        shutil.rmtree(path, ignore_errors=True)
        io.write_json(Path(path) / "figures.json", [])
        io.write_json(Path(path) / failures.FIGURES, {"": cause})


def write_crashed(path: str, record: str, cause: str) -> None:
    """Write a NetCDF result without numbers whose status is "crashed". record: its provenance.
    cause: a sentence without its end."""
    import xarray as xr

    from tadpool.files import contracts

    nothing = {"attempts": "[]", "over": "", "relations": "{}", "verdict": "fail"}
    nothing["reasons"] = io.canonical([finding(cause)])
    attributes = {"provenance": record, "status": "crashed", "reason": cause, **nothing}
    io.write(path, xr.DataTree(xr.Dataset(attrs=attributes)), contracts.CRASHED)


def complete(outputs: Sequence[str]) -> None:
    """Write the tables that a job without numbers did not write. outputs: a NetCDF result and the
    tables beside it."""
    for path in outputs[1:]:
        if not Path(path).exists():
            import pandas as pd

            io.write_csv(path, pd.DataFrame({failures.COLUMN: [io.attributes(outputs[0])["reason"]]}))


def finding(cause: str) -> dict[str, Any]:
    """Why there are no numbers, as in a check.json."""
    values = {"status": "crashed", "reason": cause}
    return {"severity": "fail", "code": "status", "values": values, "site": "", "labels": []}
