"""Write the page that leads to all studies."""

import json
from pathlib import Path

from tadpool import io
from tadpool.provenance import RUN
from tadpool.reporting.changes import changes
from tadpool.reporting.index import index_page
from tadpool.results import StudyResults


def main(index, graph, studies, quick, compare_with=None):
    folder = Path(index).parent
    results = [StudyResults(name, config, folder / name) for name, config in studies.items()]
    records = [io.read_json(result.folder / RUN) for result in results] if compare_with else []
    changed = {record["study"]: changes(record, compare_with["folder"]) for record in records}
    io.write_text(index, index_page(results, quick, json.loads(graph), changed))


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(snakemake.output.index, snakemake.params.graph, **json.loads(snakemake.params.spec))
