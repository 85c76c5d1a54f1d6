"""Sample some of the lanes of a job that is split, for the job that gathers them."""

from pathlib import Path

from tadpool.workflow.child_process import run_job

if __name__ == "__main__":
    run_job(
        str(Path(__file__).with_name(f"{snakemake.params.of}.py")),
        snakemake.input,
        snakemake.output,
        snakemake.params,
        snakemake.log,
        snakemake.threads,
        snakemake.resources,
        snakemake.wildcards.share,
    )
