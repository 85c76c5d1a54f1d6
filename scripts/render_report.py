"""Write the page of one study."""

import json
from pathlib import Path

from tadpool import io
from tadpool.reporting.study import study_page
from tadpool.results import StudyResults


def main(page, provenance, study, config, seed, samplers, quick):
    results = StudyResults(study, config, Path(page).parent)
    io.write_text(page, study_page(results, provenance, seed, samplers, quick))


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        main(snakemake.output.page, snakemake.params.digest, **spec)
