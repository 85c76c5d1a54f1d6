"""Draw all figures of one study; one that cannot be drawn costs that figure alone."""

import json
from pathlib import Path

from tadpool.figures.drawing import draw_all
from tadpool.files.results import StudyResults
from tadpool.workflow.failed_results import or_failed, remember


def main(figures, crashes, log, study, config):
    failed = draw_all(StudyResults(study, config, Path(figures).parent), Path(figures), log)
    if failed:
        remember(crashes, "; ".join(failed.values()))


if __name__ == "__main__":
    with or_failed(snakemake.log, snakemake.output, snakemake.params):
        main(snakemake.output.figures, snakemake.params.crashes, snakemake.log[0], **json.loads(snakemake.params.spec))
