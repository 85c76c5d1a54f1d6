"""Fit one entry to data simulated over a grid of the simulator's arguments."""

import json

from tadpool import io, isolation, provenance


def main(output, provenance, threads, **settings):
    from tadpool.recovering import recover

    recover(output, provenance, threads, **settings)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        isolation.guarded(
            __file__,
            output=snakemake.output.recovery,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            shares=list(getattr(snakemake.input, "shares", [])),
            provenance=provenance.record(spec, snakemake.params.digest),
            threads=snakemake.threads,
            **spec,
        )
