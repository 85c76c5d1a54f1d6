"""One formula from its table to its verdict, with tadpool's command."""

import argparse
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import ROOT


def main() -> None:
    """Run the workflow to the verdict, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("started", "folder", "case", "threads"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    target = "results/one/it/check.json"
    subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-m", "tadpool", target, "--cores", options.threads],
        cwd=options.folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    attempt = json.loads((Path(options.folder) / target).read_text())["attempts"][-1]["diagnostics"]
    ess = min(attempt["ess_bulk_min"], attempt["ess_tail_min"])
    versions = {name: version(name) for name in ("jax", "numpyro", "snakemake")}
    print(json.dumps({"seconds": {"ess": ess}, "memory_mb": 0.0, "versions": versions}))


if __name__ == "__main__":
    main()
