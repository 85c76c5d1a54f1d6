"""Write the page that leads to all studies."""

import json
from pathlib import Path

from tadpool.files import io
from tadpool.files.provenance import RUN
from tadpool.files.results import StudyResults
from tadpool.reporting.pages.index import index_page
from tadpool.reporting.sections.changes import changes


def main(index, studies, quick, compare_with=None, unmade=None):
    folder = Path(index).parent
    results = [StudyResults(name, config, folder / name) for name, config in studies.items()]
    made = [result for result in results if result.study not in (unmade or {})]
    records = [io.read_json(result.folder / RUN) for result in made] if compare_with else []
    changed = {record["study"]: changes(record, compare_with["folder"]) for record in records}
    io.write_text(index, index_page(results, quick, changed, unmade))


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(snakemake.output.index, **json.loads(snakemake.params.spec))
