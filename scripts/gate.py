"""Compare every verdict with what is expected of it."""

import json
from pathlib import Path

from tadpool.convergence.gate import compare
from tadpool.files import failures, io


def main(reports, results, gate, expected, quick):
    judged = [*reports, *(path for path in results if path.endswith("check.json"))]
    failed = [Path(path).parent for path in judged if io.read_json(path)["verdict"] == "fail"]
    without = failures.independent(results, failed)
    io.write_json(gate, compare([io.read_json(path) for path in reports], expected, without, quick))


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(
            snakemake.input.checks, snakemake.input.results, snakemake.output.gate, **json.loads(snakemake.params.spec)
        )
