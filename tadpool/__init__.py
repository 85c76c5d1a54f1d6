"""The whole Bayesian workflow for grouped data as one Snakemake workflow.

NumPy chooses its kernels by the processor, and they round differently. So it is limited to AVX2
before it is loaded, as `tadpool.engine.lanes.start` limits XLA. OpenBLAS is not limited: version
0.3.34 crashes with kernels that it did not choose.
"""

import importlib
import os
from pathlib import Path

PACKAGE = Path(__file__).parent
"""The folder of this package."""
INSTALLED = (PACKAGE / "installed").is_dir()
"""Whether this is an installed wheel, in which the files of the workflow are inside the package."""
ROOT = PACKAGE / "installed" if INSTALLED else PACKAGE.parent
"""The folder of the workflow: Snakefile, rules, scripts, config, data, report and profiles."""

os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", "X86_V4 AVX512_ICL AVX512_SPR")


def load(folder: "str | Path" = "results"):
    """The results in a folder, for Python and notebooks: see `tadpool.loaded.Results`.

    Args:
        folder: The results folder of a run.

    Returns:
        Studies by name, as attributes and items.

    Raises:
        UserError: There are no results.
    """
    return importlib.import_module("tadpool.loaded").load(folder)  # by name, so that no job depends on its code
