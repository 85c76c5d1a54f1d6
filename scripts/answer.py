"""Answer the questions of a study from the draws of its fits."""

from tadpool.workflow.child_process import run_job


def main(job, spec):
    from tadpool.answers.answer_job import answer

    answer(job, **spec)


if __name__ == "__main__":
    run_job(
        __file__,
        {"data": snakemake.input.data},
        snakemake.output,
        snakemake.params,
        snakemake.log,
        snakemake.threads,
        snakemake.resources,
    )
