"""Fail if an exact value was missed or a planted error was not found."""

from tadpool.errors import UserError
from tadpool.files import io
from tadpool.verification import findings


def main(found, verdict):
    values, detections = findings.from_json([io.read_json(path) for path in found])
    problems = findings.problems(values, detections)
    if problems:
        raise UserError("\n".join([*problems, "results/verify.html shows all of them."]))
    io.write_json(verdict, {"values": len(values), "detections": len(detections)})


if __name__ == "__main__":
    with io.job_log(snakemake.log[0]):
        main(snakemake.input.found, snakemake.output.verdict)
