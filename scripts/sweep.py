"""Sample the posteriors of one entry over values of one of its hyperparameters."""

import json

from tadpool.files import io, provenance
from tadpool.workflow import child_process


def main(output, provenance, data, threads, **settings):
    from tadpool.fitting.fit_job import fit

    fit(output, provenance, data, threads, **settings)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        child_process.guarded(
            __file__,
            output=snakemake.output.fit,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            shares=list(getattr(snakemake.input, "shares", [])),
            provenance=provenance.record(spec, snakemake.params.digest, snakemake.input.data),
            data=snakemake.input.data,
            threads=snakemake.threads,
            **spec,
        )
