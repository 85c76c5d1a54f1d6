"""Write the page of one study and the record of its run."""

import json
from pathlib import Path

from tadpool.files import io
from tadpool.files.provenance import config_digest
from tadpool.files.results import StudyResults
from tadpool.reporting.pages.study import study_page, study_record
from tadpool.reporting.sections.changes import changes


def main(page, run, provenance, study, config, seed, samplers, quick, compare_with=None, made_with=None):
    results = StudyResults(study, config, Path(page).parent, seed, samplers, made_with or {})
    if made_with is not None:
        results.require_own()
    record = study_record(results, provenance, seed, samplers, quick)
    changed = changes(record, compare_with["folder"]) if compare_with else None
    io.write_json(run, record | {"made_with": config_digest(made_with or {})})
    io.write_text(page, study_page(results, provenance, seed, samplers, quick, changed))


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        main(snakemake.output.page, snakemake.output.run, snakemake.params.digest, **spec)
