"""Compare every verdict with what is expected of it."""

import json

from tadpool.convergence.gate import compare
from tadpool.files import io


def main(reports, results, gate, expected, quick):
    attributes = {path: io.attributes(path) for path in results}
    without = {path: found["reason"] for path, found in attributes.items() if found["status"] != "ok"}
    io.write_json(gate, compare([io.read_json(path) for path in reports], expected, without, quick))


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(
            snakemake.input.checks, snakemake.input.results, snakemake.output.gate, **json.loads(snakemake.params.spec)
        )
