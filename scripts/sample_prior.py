"""Draw from one entry's prior and prior predictive distribution."""

import json

from tadpool import io, isolation, provenance


def main(output, provenance, data, threads, seed, study, entry, model, hyperparameters, only_where, precision):
    from tadpool import binding, compile_cache, contracts, lanes, sampling, seeds

    lanes.start(threads, precision)
    with compile_cache.used():
        tree, bound = binding.open_bound(data, model, hyperparameters, only_where)
        tree.update(sampling.prior(bound, seeds.key(seed, study, entry, "prior")))
    tree.attrs = {"provenance": provenance, "status": "ok", "relations": io.canonical(binding.relations(bound))}
    io.write(output, tree, contracts.PRIOR)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        isolation.guarded(
            __file__,
            output=snakemake.output.prior,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            provenance=provenance.record(spec, snakemake.params.digest, snakemake.input.data),
            data=snakemake.input.data,
            threads=snakemake.threads,
            **spec,
        )
