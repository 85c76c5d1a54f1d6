"""The whole Bayesian workflow for grouped data as one Snakemake workflow.

NumPy chooses its kernels by the processor, and they round differently: before it is loaded it is held at AVX2, as
`tadpool.engine.lanes.start` holds XLA. OpenBLAS is not: told to use other kernels than its own choice, version 0.3.34 crashes.
"""

import os
from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The folder of the workflow: Snakefile, rules, scripts, config, data and report."""

os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", "X86_V4 AVX512_ICL AVX512_SPR")
