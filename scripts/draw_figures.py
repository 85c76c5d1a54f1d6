"""Draw all figures of one study; one that cannot be drawn costs that figure alone."""

from pathlib import Path

from tadpool.files import io
from tadpool.files.results import DRAWN_FROM, StudyResults
from tadpool.workflow.child_process import run_plain
from tadpool.workflow.failed_results import remember


def main(figures, crashes, log, study, config):
    from tadpool.figures.drawing import draw_all

    results = StudyResults(study, config, Path(figures).parent)
    failed = draw_all(results, Path(figures), log)
    io.write_json(Path(figures) / DRAWN_FROM, results.drawn_from())
    if failed:
        remember(crashes, "; ".join(failed.values()))


if __name__ == "__main__":
    files = {"figures": snakemake.output.figures, "crashes": snakemake.params.crashes, "log": snakemake.log[0]}
    run_plain(__file__, files, snakemake.output, snakemake.params, snakemake.log, snakemake.resources)
