"""Sample some of the lanes of a job that is split, for the job that gathers them."""

import json
from pathlib import Path

from tadpool.files import io, provenance
from tadpool.workflow import child_process

if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    number, of = map(int, snakemake.wildcards.share.split("of"))
    inputs = dict(snakemake.input.items())
    with io.job_log(snakemake.log[0]):
        child_process.shared(
            str(Path(__file__).with_name(f"{snakemake.params.of}.py")),
            output=snakemake.output.share,
            share=(number - 1, of),
            resources=snakemake.resources,
            provenance=provenance.record(spec, snakemake.params.digest, inputs.get("data")),
            threads=snakemake.threads,
            **inputs,
            **spec,
        )
