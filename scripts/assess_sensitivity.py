"""How far the priors and the data of one entry move its posterior."""

import json

from tadpool.files import io, provenance
from tadpool.workflow import child_process


def main(output, provenance, data, prior, fit, threads, **settings):
    from tadpool.evaluation.prior_sensitivity import assess

    assess(output, provenance, data, prior, fit, threads, **settings)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        child_process.guarded(
            __file__,
            output=snakemake.output.sensitivity,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            provenance=provenance.record(spec, snakemake.params.digest, snakemake.input.data),
            data=snakemake.input.data,
            prior=snakemake.input.prior,
            fit=snakemake.input.fit,
            threads=snakemake.threads,
            **spec,
        )
