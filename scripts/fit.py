"""Sample the posterior of one entry, or the posteriors over a sweep, with everything derived from the draws."""

from tadpool.modelling.entry import Entry
from tadpool.workflow.child_process import run_job


def main(job, spec):
    from tadpool.fitting.fit_job import fit

    entry, settings = Entry.parse(spec)
    fit(job, entry, **settings)


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
