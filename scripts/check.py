"""Judge whether one fit, or every point of a sweep, converged."""

import json

from tadpool.convergence import verdicts
from tadpool.files import contracts, io, provenance
from tadpool.workflow.failed_results import or_failed


def main(fit, check, study, entry, over, by, verdict=None):
    tree = io.read(fit, contracts.SWEEP if over else contracts.FIT)
    made = tree.attrs["provenance"]
    provenance.require_made_for(fit, made, {"study": study, "entry": entry, "by": by})
    report = verdicts.report(tree, over or by, whole=by is not None, own=verdict)
    attempts = json.loads(tree.attrs["attempts"])
    io.write_json(check, {"study": study, "entry": entry, **report, "attempts": attempts, "provenance": made})


if __name__ == "__main__":
    with or_failed(snakemake.log, snakemake.output, snakemake.params):
        main(fit=snakemake.input.fit, check=snakemake.output.check, **json.loads(snakemake.params.spec))
