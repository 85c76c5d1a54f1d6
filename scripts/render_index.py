"""Write the page that leads to all studies."""

import json
from pathlib import Path

from tadpool import io
from tadpool.reporting.index import index_page
from tadpool.results import StudyResults


def main(index, studies, quick):
    folder = Path(index).parent
    results = [StudyResults(name, config, folder / name) for name, config in studies.items()]
    io.write_text(index, index_page(results, quick))


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(snakemake.output.index, **json.loads(snakemake.params.spec))
