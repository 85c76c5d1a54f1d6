"""Rank the entries of one comparison by how well they predict."""

from pathlib import Path

from tadpool.files import contracts, io, provenance
from tadpool.workflow.child_process import run_plain


def main(loos, checks, table, entries, target, rank_failed=False):
    from tadpool.evaluation import comparison

    trees = {Path(path).parent.name: io.read(path, contracts.LOO) for path in loos}
    provenance.require_same_data(dict(zip(loos, trees.values(), strict=True)))
    for path, tree in zip(loos, trees.values(), strict=True):
        provenance.require_made_for(path, tree.attrs["provenance"], {"entry": Path(path).parent.name})
    verdicts = {Path(path).parent.name: io.read_json(path)["verdict"] for path in checks}
    ranked = [
        name for name, tree in trees.items() if "loo" in tree.children and (rank_failed or verdicts[name] != "fail")
    ]
    pointwise = {name: trees[name]["loo"].to_dataset() for name in ranked}
    io.write_csv(table, comparison.table(target, pointwise, verdicts, entries))


if __name__ == "__main__":
    files = {"loos": [*snakemake.input.loos], "checks": [*snakemake.input.checks], "table": snakemake.output.table}
    run_plain(__file__, files, snakemake.output, snakemake.params, snakemake.log, snakemake.resources)
