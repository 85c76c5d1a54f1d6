"""Sample the posteriors of one entry over values of one of its hyperparameters."""

import json

from tadpool import io, isolation, provenance


def main(output, provenance, data, threads, **settings):
    from tadpool.fitting import fit

    fit(output, provenance, data, threads, **settings)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        isolation.guarded(
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
