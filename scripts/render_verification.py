"""Write the page of what verification found, and all values as a table."""

from tadpool.files import io
from tadpool.reporting.pages.verification import table, verification_page
from tadpool.verification import findings


def main(found, page, values):
    compared, detections = findings.from_json([io.read_json(path) for path in found])
    io.write_csv(values, table(compared))
    io.write_text(page, verification_page(compared, detections))


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(snakemake.input.found, snakemake.output.page, snakemake.output.values)
