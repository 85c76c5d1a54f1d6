"""Fixes for Snakemake's SLURM executor (2.8), which otherwise can wait forever for jobs that have
ended.

It treats a cancelled job as running, because `sacct` prints "CANCELLED by 1000" where the executor
expects "CANCELLED". It loses track of all jobs when SLURM does not answer once, and always on a
cluster with `sacct` but without accounting.
"""

import shlex
import sys

from tadpool.errors import UserError


def fix_executor() -> None:
    """Pass the first word of each state to the executor, if it is in use; ask squeue where sacct
    fails.

    If neither answers, the executor gets no states and asks again later.

    Raises:
        UserError: The executor is of a version without the functions that are replaced.
    """
    executor = sys.modules.get("snakemake_executor_plugin_slurm")
    if not executor:
        return
    if absent := [name for name in ("query_job_status", "query_job_status_squeue") if not hasattr(executor, name)]:
        what = f"this version of snakemake-executor-plugin-slurm has no function {absent[0]}"
        why = "without replacing it a run would wait for cancelled jobs without end"
        raise UserError(f"{what}, and {why}; install the version in requirements.lock")
    query, logged = executor.query_job_status, set()

    def warn_once(logger, sentence):
        if sentence not in logged:
            logged.add(sentence)
            logger.warning(sentence)

    async def query_states(command, logger):
        states, seconds = await query(command, logger)
        program, *_, run = shlex.split(command)
        if states is None and program == "sacct":
            warn_once(
                logger, "sacct failed, squeue is used instead; without accounting, set `slurm-status-command: squeue`"
            )
            states, seconds = await query(executor.query_job_status_squeue(run), logger)
        if states is None:
            warn_once(logger, "SLURM did not report the states of its jobs; it is asked again until it does")
            return {}, 0.0
        return {job: state.partition(" ")[0] for job, state in states.items()}, seconds

    executor.query_job_status = query_states
