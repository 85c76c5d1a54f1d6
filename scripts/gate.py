"""Compare every verdict with what is expected of it."""

import json

from tadpool import checks, io


def main(reports, gate, expected):
    io.write_json(gate, checks.gate([io.read_json(path) for path in reports], expected))


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(snakemake.input.checks, snakemake.output.gate, **json.loads(snakemake.params.spec))
