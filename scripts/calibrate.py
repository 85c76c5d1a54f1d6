"""Fit some of a calibration's simulated data sets and rank the true values among the draws."""

import json

from tadpool import io, isolation, provenance


def main(output, provenance, data, threads, **settings):
    from tadpool.calibrating import calibrate_part

    calibrate_part(output, provenance, data, threads, **settings)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        isolation.guarded(
            __file__,
            output=snakemake.output.part,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            provenance=provenance.record(spec, snakemake.params.digest, snakemake.input.data),
            data=snakemake.input.data,
            threads=snakemake.threads,
            **spec,
        )
