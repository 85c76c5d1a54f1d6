"""Draw from one entry's prior and prior predictive distribution."""

import json

from tadpool.files import io, provenance
from tadpool.workflow import child_process


def main(output, provenance, data, threads, seed, study, entry, model, hyperparameters, observed_where, precision):
    from tadpool import seeds
    from tadpool.engine import compile_cache, lanes
    from tadpool.files import contracts
    from tadpool.fitting import sampling
    from tadpool.modelling import binding

    lanes.start(threads, precision)
    with compile_cache.active():
        tree, bound = binding.open_bound(data, model, hyperparameters, observed_where)
        tree.update(sampling.prior(bound, seeds.key(seed, study, entry, "prior")))
    tree.attrs = {"provenance": provenance, "status": "ok", "relations": io.canonical(binding.relations(bound))}
    io.write(output, tree, contracts.PRIOR)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        child_process.guarded(
            __file__,
            output=snakemake.output.prior,
            crashes=snakemake.params.crashes,
            resources=snakemake.resources,
            provenance=provenance.record(spec, snakemake.params.digest, snakemake.input.data),
            data=snakemake.input.data,
            threads=snakemake.threads,
            **spec,
        )
