"""Compare results with exact values, or plant errors and look whether the checks find them."""

import json
import tempfile
from pathlib import Path

from tadpool.files import io


def main(found, threads, part):
    from tadpool.engine import lanes
    from tadpool.verification import findings, run_part

    lanes.start(threads)
    with tempfile.TemporaryDirectory() as folder:
        io.write_json(found, findings.as_json(run_part.run(part, Path(folder), threads)))


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(snakemake.output.found, snakemake.threads, **json.loads(snakemake.params.spec))
