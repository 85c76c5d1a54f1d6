"""What the variants of the benchmarks share: the table, the grid, the clocks, and the line that
each prints."""

import argparse
import csv
import json
import resource
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

FROGS = Path(__file__).parent.parent / "data" / "reedfrogs.csv"
TARGET_ACCEPT = 0.8
MAX_TREE_DEPTH = 10
SEED = 20250214
CHAINS = 4


def options(description: str, **more: dict[str, Any]) -> argparse.Namespace:
    """The command line of a variant: the size of its work, and when the process was started.

    more: options of this variant alone, name -> keyword arguments of `add_argument`.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--started", type=float, default=time.monotonic(), help="monotonic clock at the process' start")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    for name, settings in more.items():
        parser.add_argument(f"--{name}", **settings)
    return parser.parse_args()


def grid_options(description: str, **more: dict[str, Any]) -> argparse.Namespace:
    """The command line of a variant of the sigma grid; `sigmas` are the grid's values."""
    chosen = options(
        description,
        values={"type": int, "default": 20, "help": "number of values of sigma from 0.1 to 5"},
        chains={"type": int, "default": 4},
        diagnose={"action": "store_true", "help": "add effective sample sizes, computed after the clocks stopped"},
        **more,
    )
    chosen.sigmas = np.linspace(0.1, 5.0, chosen.values)
    return chosen


def fit_options(description: str, **more: dict[str, Any]) -> argparse.Namespace:
    """The command line of a variant that fits one model of a study; more: as of `options`."""
    return options(
        description,
        model={"required": True},
        data={"required": True, "help": "data.nc, or the .npz for variants without tadpool"},
        number={"type": int, "default": 0, "help": "another number, another random seed"},
        diagnose={"action": "store_true", "help": "add effective sample sizes, computed after the clocks stopped"},
        **more,
    )


def frogs() -> dict[str, np.ndarray]:
    """The reed frog table: density and survived, counts with the dim tank (48)."""
    with FROGS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([int(row[name]) for row in rows]) for name in ("density", "survived")}


class CompileClock:
    """Wall-clock seconds in which JAX traced, lowered or compiled anything, in whichever thread,
    nested or not."""

    def __init__(self) -> None:
        import jax

        self.spans = []
        jax.monitoring.register_event_duration_secs_listener(self._heard)

    def _heard(self, event: str, seconds: float, **_) -> None:
        if event.startswith("/jax/core/compile/"):
            now = time.monotonic()
            self.spans.append((now - seconds, now))

    def seconds(self) -> float:
        """The length of the union of the spans."""
        total, reached = 0.0, 0.0
        for start, end in sorted(self.spans):
            total += max(0.0, end - max(start, reached))
            reached = max(reached, end)
        return total


def line(
    seconds: dict[str, float], packages: Sequence[str], memory_of: int = resource.RUSAGE_SELF, **results: Any
) -> None:
    """Print the variant's one line of JSON.

    seconds: of `start` (interpreter and imports), `compile_and_sample`, and `sample` alone where it
    is known. memory_of: whose peak memory counts, RUSAGE_SELF or RUSAGE_CHILDREN.
    """
    memory = resource.getrusage(memory_of).ru_maxrss / 1024
    versions = {package: version(package) for package in packages}
    print(json.dumps({"seconds": seconds, "memory_mb": memory, "versions": versions, **results}), flush=True)


def summarise(alpha_bar: np.ndarray) -> dict[str, list[float]]:
    """Posterior mean and sd of alpha_bar (values, chains, draws) at each sigma: what all variants
    must agree on."""
    return {"mean": alpha_bar.mean(axis=(1, 2)).tolist(), "sd": alpha_bar.std(axis=(1, 2), ddof=1).tolist()}


def elpd(log_likelihood: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log of the mean likelihood of (..., chains, draws), and its Monte Carlo standard error from
    the chains' spread."""
    highest = log_likelihood.max(axis=(-2, -1), keepdims=True)
    chains = np.exp(log_likelihood - highest).mean(axis=-1)
    mean = chains.mean(axis=-1)
    error = chains.std(axis=-1, ddof=1) / chains.shape[-1] ** 0.5 / mean
    return np.log(mean) + highest[..., 0, 0], error


def diagnose(alpha_bar: np.ndarray, alpha: np.ndarray) -> dict[str, list[float]]:
    """Effective sample sizes of alpha_bar (values, chains, draws) and alpha (values, chains, draws,
    tank).

    ess: the smallest bulk effective sample size over the parameters of each fit. mcse_mean,
    mcse_sd: Monte Carlo standard errors of alpha_bar's mean and sd in each fit.
    """
    from arviz_stats.base import array_stats

    parameters = np.moveaxis(np.concatenate([alpha_bar[..., None], alpha], axis=-1), -1, 1)
    ess = array_stats.ess(parameters, chain_axis=2, draw_axis=3, method="bulk")
    errors = {
        f"mcse_{method}": array_stats.mcse(alpha_bar, chain_axis=1, draw_axis=2, method=method).tolist()
        for method in ("mean", "sd")
    }
    return {"ess": ess.min(axis=1).tolist(), **errors}


def diagnose_sites(draws: Mapping[str, np.ndarray], latents: Sequence[str], wanted: bool) -> dict[str, Any]:
    """Of latent sites (chains, draws, ...): the smallest bulk effective sample size, and the
    moments of small sites.

    ess: site -> the smallest over its elements. moments: site of at most 10 elements -> mean, sd
    and their Monte Carlo standard errors (4, elements). Nothing where they are not wanted.
    """
    if not wanted:
        return {}
    from arviz_stats.base import array_stats

    ess, moments = {}, {}
    for name in latents:
        values = draws[name].reshape(*draws[name].shape[:2], -1)
        axes = {"chain_axis": 0, "draw_axis": 1}
        ess[name] = float(array_stats.ess(values, **axes, method="bulk").min())
        if values.shape[-1] <= 10:
            errors = [np.ravel(array_stats.mcse(values, **axes, method=method)).tolist() for method in ("mean", "sd")]
            moments[name] = [values.mean(axis=(0, 1)).tolist(), values.std(axis=(0, 1), ddof=1).tolist(), *errors]
    return {"ess": ess, "moments": moments}
