"""Draw from the prior and the prior predictive distribution of one entry, and write prior.nc."""

from tadpool import seeds
from tadpool.engine import compile_cache, lanes
from tadpool.files import contracts, io
from tadpool.fitting import sampling
from tadpool.fitting.job import Job
from tadpool.modelling import binding, prior_checks
from tadpool.modelling.entry import Entry


def sample_prior(job: Job, entry: Entry, precision: str) -> None:
    """Write draws from the prior, and the model as a graph, into `job.output` (contracts.PRIOR).

    Args:
        job: Reads `data`.
        entry: What is drawn from.
        precision: "float64" or "float32".

    Raises:
        UserError: The model and the data do not fit together.
    """
    lanes.start(job.threads, precision)
    with compile_cache.active():
        tree, bound = binding.open_bound(job.data, entry)
        key = seeds.key(**entry.address, role="prior")
        prior_checks.check(bound, key)
        tree.update(sampling.prior(bound, key))
    tree.attrs = {"provenance": job.provenance, "status": "ok", "relations": io.canonical(binding.relations(bound))}
    io.write(job.output, tree, contracts.PRIOR)
