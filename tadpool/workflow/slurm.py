"""Mends of Snakemake's SLURM executor (2.8), which else waits without end for jobs that are no more.

It takes a job that someone cancelled for one that runs: `sacct` says "CANCELLED by 1000" where it knows "CANCELLED" alone.
It forgets all jobs once SLURM did not answer, and always on a cluster that has `sacct` but keeps no accounts.
"""

import shlex
import sys

from tadpool.errors import UserError


def fix_executor() -> None:
    """Give the executor, where it is the one that runs jobs, the first word of each state, by squeue where sacct fails.

    Where neither answers it is told of no states, and asks again for the jobs that it has.

    Raises UserError where the executor is of a version without the functions that are replaced.
    """
    executor = sys.modules.get("snakemake_executor_plugin_slurm")
    if not executor:
        return
    if absent := [name for name in ("query_job_status", "query_job_status_squeue") if not hasattr(executor, name)]:
        what = f"this version of snakemake-executor-plugin-slurm has no function {absent[0]}"
        why = "without replacing it a run would wait for cancelled jobs without end"
        raise UserError(f"{what}, and {why}; install the version in requirements.lock")
    query, said = executor.query_job_status, set()

    def say_once(logger, sentence):
        if sentence not in said:
            said.add(sentence)
            logger.warning(sentence)

    async def answered(command, logger):
        states, seconds = await query(command, logger)
        program, *_, run = shlex.split(command)
        if states is None and program == "sacct":
            say_once(
                logger, "sacct failed, squeue is asked instead; without accounting, set `slurm-status-command: squeue`"
            )
            states, seconds = await query(executor.query_job_status_squeue(run), logger)
        if states is None:
            say_once(logger, "SLURM did not say how its jobs are; it is asked again until it does")
            return {}, 0.0
        return {job: state.partition(" ")[0] for job, state in states.items()}, seconds

    executor.query_job_status = answered
