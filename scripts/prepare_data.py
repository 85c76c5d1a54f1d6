"""Load or simulate a study's dataset and split it into outcomes, the rest, and the truth where it
is known."""

import json

from tadpool.files import contracts, io, provenance
from tadpool.loading.preparation import prepare


def main(data, provenance, study, dataset, arguments, outcomes, dims, seed=None):
    tree = prepare(dataset, arguments, outcomes, study, seed, dims)
    tree.attrs["provenance"] = provenance
    io.write(data, tree, contracts.DATA)


if __name__ == "__main__":
    spec = json.loads(snakemake.params.spec)
    with io.job_log(snakemake.log[0]):
        main(snakemake.output.data, provenance.record(spec, snakemake.params.digest), **spec)
