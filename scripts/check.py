"""Judge whether one fit, or every point of a sweep, converged."""

import json

from tadpool.files import contracts, io, provenance
from tadpool.workflow.child_process import run_plain


def main(fit, check, study, entry, over, by, verdict=None):
    from tadpool.convergence import verdicts

    tree = io.read(fit, contracts.SWEEP if over else contracts.FIT)
    made = tree.attrs["provenance"]
    provenance.require_made_for(fit, made, {"study": study, "entry": entry, "by": by})
    report = verdicts.report(tree, over or by, whole=by is not None, own=verdict)
    attempts = json.loads(tree.attrs["attempts"])
    io.tell(f"{study}/{entry}{f' over {over}' if over else ''}: {report['verdict']}")
    io.write_json(check, {"study": study, "entry": entry, **report, "attempts": attempts, "provenance": made})


if __name__ == "__main__":
    files = {"fit": snakemake.input.fit, "check": snakemake.output.check}
    run_plain(__file__, files, snakemake.output, snakemake.params, snakemake.log, snakemake.resources)
