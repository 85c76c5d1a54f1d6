"""Fit some of a calibration's simulated data sets and rank the true values among the draws."""

import json

from tadpool.files import io, provenance
from tadpool.workflow import child_process


def main(output, provenance, data, threads, **settings):
    from tadpool.calibration.sbc_jobs import calibrate_part

    calibrate_part(output, provenance, data, threads, **settings)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        child_process.guarded(
            __file__,
            output=snakemake.output.part,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            provenance=provenance.record(spec, snakemake.params.digest, snakemake.input.data),
            data=snakemake.input.data,
            threads=snakemake.threads,
            **spec,
        )
