"""A mend of Snakemake's SLURM executor (2.8): it waits without end for a job that someone cancelled.

`sacct` says "CANCELLED by 1000" of such a job where the executor knows "CANCELLED" alone, and takes all else for running.
"""

import sys


def understand_cancelled() -> None:
    """Give the executor, where it is the one that runs jobs, the first word of each state."""
    executor = sys.modules.get("snakemake_executor_plugin_slurm")
    if not executor:
        return
    query = executor.query_job_status

    async def first_words(command, logger):
        states, seconds = await query(command, logger)
        return states and {job: state.partition(" ")[0] for job, state in states.items()}, seconds

    executor.query_job_status = first_words
