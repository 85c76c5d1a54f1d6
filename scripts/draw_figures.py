"""Draw all figures of one study."""

import json
from pathlib import Path

from tadpool.figures.drawing import draw_all
from tadpool.files import io
from tadpool.files.results import StudyResults


def main(figures, study, config):
    draw_all(StudyResults(study, config, Path(figures).parent), Path(figures))


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(snakemake.output.figures, **json.loads(snakemake.params.spec))
