"""The whole Bayesian workflow for grouped data as one Snakemake workflow.

NumPy and OpenBLAS choose their kernels by the processor, and these round differently: before either is loaded, both are held
at AVX2, as `tadpool.lanes.start` holds XLA.
"""

import os
from pathlib import Path

os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", "X86_V4 AVX512_ICL AVX512_SPR")
_processor = Path("/proc/cpuinfo")
if _processor.is_file() and " avx2 " in _processor.read_text(encoding="utf-8", errors="replace"):
    os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")
