"""Draw from one entry's prior and prior predictive distribution."""

from tadpool.modelling.entry import Entry
from tadpool.workflow.child_process import run_job


def main(job, spec):
    from tadpool.fitting.prior_job import sample_prior

    entry, settings = Entry.parse(spec)
    sample_prior(job, entry, **settings)


if __name__ == "__main__":
    run_job(
        __file__,
        snakemake.input,
        snakemake.output,
        snakemake.params,
        snakemake.log,
        snakemake.threads,
        snakemake.resources,
    )
