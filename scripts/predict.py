"""Predict a new member of a group from one entry's posterior."""

import json

from tadpool.files import io, provenance
from tadpool.workflow import child_process


def main(output, provenance, data, fit, threads, **settings):
    from tadpool.fitting.prediction import predict

    predict(output, provenance, data, fit, threads, **settings)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        child_process.guarded(
            __file__,
            output=snakemake.output.predictions,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            provenance=provenance.record(spec, snakemake.params.digest, snakemake.input.data),
            data=snakemake.input.data,
            fit=snakemake.input.fit,
            threads=snakemake.threads,
            **spec,
        )
