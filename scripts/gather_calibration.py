"""Put the simulations of one calibration together and test whether the ranks are uniform."""

import json

from tadpool.calibration.sbc_jobs import gather
from tadpool.files import io, provenance


def main(parts, calibration, record):
    gather(parts, calibration, record)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        record = provenance.record(spec, snakemake.params.digest, snakemake.input.data)
        main(snakemake.input.parts, snakemake.output.calibration, record)
