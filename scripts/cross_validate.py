"""Score one fit, or every point of a sweep, on units or members of a group that it has not seen."""

import json

from tadpool.files import io, provenance
from tadpool.workflow import child_process


def main(output, provenance, data, fit, threads, **settings):
    from tadpool.evaluation.cross_validation import cross_validate

    cross_validate(output, provenance, data, fit, threads, **settings)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        child_process.guarded(
            __file__,
            output=snakemake.output.loo,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            shares=list(getattr(snakemake.input, "shares", [])),
            provenance=provenance.record(spec, snakemake.params.digest, snakemake.input.data),
            data=snakemake.input.data,
            fit=snakemake.input.fit,
            threads=snakemake.threads,
            **spec,
        )
