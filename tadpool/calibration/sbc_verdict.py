"""What the ranks of a calibration say: uniformity, coverage, contraction, and a verdict. See
`tadpool.calibration.sbc`."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import xarray as xr

from tadpool.calibration import uniformity
from tadpool.convergence.diagnostics import Finding
from tadpool.files import io
from tadpool.intervals import LEVEL

LOG_LIKELIHOOD = "log likelihood"
ALPHA = 0.05
NAMED = 5
# How a simulated fit ends.
OK, FLAGGED, FAILED, IMPOSSIBLE = "ok", "flagged", "failed", "impossible"


def as_text(findings: Sequence[Finding]) -> str:
    """Findings as a result file keeps them: a list as canonical JSON, [] where there are none."""
    return io.canonical([asdict(finding) for finding in findings])


def summary(simulations: xr.Dataset) -> xr.Dataset:
    """Summarize the simulations of a calibration by quantity.

    Args:
        simulations: Dims (simulation, quantity), of `tadpool.calibration.sbc.calibrate`.

    Returns:
        Dim quantity. `p_value` of uniform ranks; `coverage_50` and `coverage_89`, the share of true
            values inside the
        central intervals; `contraction`, the mean of 1 - posterior variance / prior variance;
            `z_mean` and `z_sd` of
        (mean - truth) / sd; `poorly_mixed`, the share of fits whose ESS is below the number of
            draws that ranks are
        among.
    """
    ranked = simulations.isel(simulation=np.flatnonzero(simulations["outcome"].isin([OK, FLAGGED]).values))
    largest = int(simulations.attrs["largest_rank"])
    n = ranked.sizes["simulation"]
    below, ess = ranked["below"].values, ranked["ess"].values

    def mean(values: np.ndarray) -> np.ndarray:
        return values.mean(axis=0) if n else np.full(ranked.sizes["quantity"], np.nan)

    with np.errstate(all="ignore"):  # priors without a variance, and fits that never moved
        prior = np.nanvar(np.where(np.isfinite(simulations["truth"]), simulations["truth"], np.nan), axis=0, ddof=1)
        z = ((ranked["mean"] - ranked["truth"]) / ranked["sd"]).values
        contraction = 1 - ranked["sd"].values ** 2 / prior
    columns = {
        "p_value": uniformity.p_values(ranked["rank"].values, largest),
        "coverage_50": mean(np.abs(below - 0.5) <= 0.25),
        "coverage_89": mean(np.abs(below - 0.5) <= LEVEL / 2),
        "contraction": np.where(ranked["site"] == LOG_LIKELIHOOD, np.nan, mean(contraction)),
        "z_mean": mean(z),
        "z_sd": z.std(axis=0, ddof=1) if n > 1 else np.full(z.shape[1], np.nan),
        "poorly_mixed": mean(ess < largest),
    }
    dataset = xr.Dataset({name: ("quantity", value) for name, value in columns.items()})
    return dataset.assign(site=("quantity", ranked["site"].values)).assign_coords(quantity=ranked["quantity"].values)


def verdict(simulations: xr.Dataset, quantities: xr.Dataset) -> tuple[str, list[Finding]]:
    """Judge a calibration.

    It fails where a quantity's p-value is below ALPHA after the correction for their number
    (Bonferroni): one correct model in twenty does. It warns where fits were flagged or failed, as
    what they say of the ranks is not to be relied on.

    Args:
        simulations: Dims (simulation, quantity), of `tadpool.calibration.sbc.calibrate`.
        quantities: Dim quantity, of `summary`.

    Returns:
        "pass", "warn" or "fail", and the findings behind it.
    """
    outcome, p = simulations["outcome"].values, quantities["p_value"].values
    corrected = np.minimum(1.0, p * len(p))
    bad = np.flatnonzero(~(corrected >= ALPHA))
    found = []
    if len(bad):
        names = quantities["quantity"].values[bad[np.argsort(p[bad], kind="stable")]]
        found.append(Finding("fail", "ranks", {"quantities": names.tolist(), "shown": NAMED}))
    for kind in (FAILED, FLAGGED, IMPOSSIBLE):
        if count := int((outcome == kind).sum()):
            found.append(Finding("warn", "simulations", {"outcome": kind, "count": count, "of": len(outcome)}))
    return ("fail" if len(bad) else "warn" if found else "pass"), found
