"""Fit a calibration's simulated data sets and test whether the true values rank uniformly among the draws."""

from tadpool.modelling.entry import Entry
from tadpool.workflow.child_process import run_job


def main(job, spec):
    from tadpool.calibration.sbc_jobs import calibrate

    entry, settings = Entry.parse(spec)
    calibrate(job, entry, **settings)


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
