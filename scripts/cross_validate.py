"""Score one fit, or every point of a sweep, on units or members of a group that it has not seen."""

from tadpool.modelling.entry import Entry
from tadpool.workflow.child_process import run_job


def main(job, spec):
    from tadpool.evaluation.cross_validation import cross_validate

    entry, settings = Entry.parse(spec)
    cross_validate(job, entry, **settings)


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
