"""Predict a new member of a group from one entry's posterior."""

from tadpool.modelling.entry import Entry
from tadpool.workflow.child_process import run_job


def main(job, spec):
    from tadpool.fitting.prediction import predict

    entry, settings = Entry.parse(spec)
    predict(job, entry, **settings)


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
