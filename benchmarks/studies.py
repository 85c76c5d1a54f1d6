"""Data of the studies as the workflow prepares them, and the same arrays for the variants that have
no tadpool."""

import json
from pathlib import Path

import numpy as np

from benchmarks.common import MAX_TREE_DEPTH, TARGET_ACCEPT
from tadpool import config
from tadpool.files import contracts, io
from tadpool.files.data_file import merged
from tadpool.loading.preparation import prepare
from tadpool.workflow.specs import Specs


def prepared(study: str, folder: Path) -> tuple[Path, Path]:
    """Write data.nc of a study, and its arrays with the sizes of its dims (n_<dim>) as .npz;
    returns both paths."""
    spec = json.loads(_specs(study).spec("prepare_data", {"study": study}))
    tree = prepare(spec.pop("dataset"), **spec)
    tree.attrs["provenance"] = "{}"
    data, arrays = folder / f"{study}.nc", folder / f"{study}.npz"
    io.write(data, tree, contracts.DATA)
    dataset = merged(tree)
    sizes = {f"n_{dim}": np.array(size) for dim, size in dataset.sizes.items()}
    np.savez(arrays, **{name: variable.values for name, variable in dataset.data_vars.items()}, **sizes)
    return data, arrays


def fit_spec(study: str, entry: str, warmup: int, draws: int) -> str:
    """The params of a fit job as the workflow writes them, with the sampler's settings of the
    benchmarks."""
    spec = json.loads(_specs(study).spec("fit", {"study": study, "model": entry}))
    iterations = {"chains": 4, "warmup": warmup, "draws": draws}
    limits = {"target_accept": TARGET_ACCEPT, "max_tree_depth": MAX_TREE_DEPTH}
    return io.canonical(spec | {"sampler": {**spec["sampler"], **iterations, **limits, "precision": "float64"}})


def _specs(study: str) -> Specs:
    return Specs(config.read({"studies": [study]}))
