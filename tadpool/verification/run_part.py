"""Run one part of `make verify`."""

from pathlib import Path

from tadpool.verification import exact_comparisons, planted_errors
from tadpool.verification.findings import Finding
from tadpool.verification.parts import EXACT, PARTS, PLANTED

MODULES = {EXACT: exact_comparisons, PLANTED: planted_errors}


def run(name: str, folder: Path, threads: int) -> list[Finding]:
    """Run a part.

    Args:
        name: Key of `parts.PARTS`.
        folder: Empty folder for files that the part makes on the way.
        threads: Number of threads of the job.

    Returns:
        What the part found: values beside exact ones, or planted errors and whether they were
            caught.
    """
    return getattr(MODULES[PARTS[name].module], name)(folder, threads)
