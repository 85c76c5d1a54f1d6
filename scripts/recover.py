"""Fit one entry to data simulated over a grid of the simulator's arguments."""

import json

from tadpool.files import io, provenance
from tadpool.workflow import child_process


def main(output, provenance, threads, **settings):
    from tadpool.calibration.recovery_study import recover

    recover(output, provenance, threads, **settings)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        child_process.guarded(
            __file__,
            output=snakemake.output.recovery,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            shares=list(getattr(snakemake.input, "shares", [])),
            provenance=provenance.record(spec, snakemake.params.digest),
            threads=snakemake.threads,
            **spec,
        )
