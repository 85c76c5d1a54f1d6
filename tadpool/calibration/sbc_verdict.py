"""What the ranks of a calibration say: uniformity, coverage, contraction, and a verdict. See `tadpool.calibration.sbc`."""

import numpy as np
import xarray as xr

from tadpool.calibration import uniformity

LOG_LIKELIHOOD = "log likelihood"
ALPHA = 0.05
# How a simulated fit ends.
OK, FLAGGED, FAILED, IMPOSSIBLE = "ok", "flagged", "failed", "impossible"


def summary(simulations: xr.Dataset) -> xr.Dataset:
    """What the simulations say of each quantity, dim quantity.

    p_value: of uniform ranks. coverage_50, coverage_90: share of true values inside the central intervals. contraction:
    mean of 1 - posterior variance / prior variance. z_mean, z_sd: of (mean - truth) / sd. poorly_mixed: share of fits whose
    ESS is below the number of draws that ranks are among. n: fits that have ranks.
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
        "coverage_90": mean(np.abs(below - 0.5) <= 0.45),
        "contraction": np.where(ranked["site"] == LOG_LIKELIHOOD, np.nan, mean(contraction)),
        "z_mean": mean(z),
        "z_sd": z.std(axis=0, ddof=1) if n > 1 else np.full(z.shape[1], np.nan),
        "poorly_mixed": mean(ess < largest),
    }
    dataset = xr.Dataset({name: ("quantity", value) for name, value in columns.items()})
    return dataset.assign(site=("quantity", ranked["site"].values)).assign_coords(quantity=ranked["quantity"].values)


def verdict(simulations: xr.Dataset, quantities: xr.Dataset) -> tuple[str, list[str]]:
    """pass, warn or fail, and why.

    It fails where a quantity's p-value is below ALPHA after the correction for their number (Bonferroni): one correct
    model in twenty does. It warns where fits were flagged or failed, as what they say of the ranks is not to be relied on.
    """
    count = len(simulations["simulation"])
    outcome = simulations["outcome"].values
    p = quantities["p_value"].values
    corrected = np.minimum(1.0, p * len(p))
    bad = np.flatnonzero(~(corrected >= ALPHA))
    reasons = []
    if len(bad):
        worst = bad[np.argsort(p[bad], kind="stable")][:5]
        shown = ", ".join(str(quantities["quantity"].values[i]) for i in worst)
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        reasons.append(f"The ranks of {shown}{more} are not uniform.")
    for kind, words in (
        (FAILED, "failed and have no ranks"),
        (FLAGGED, "were sampled badly (they are counted all the same)"),
        (IMPOSSIBLE, "have data that cannot be, and were not fitted"),
    ):
        if (outcome == kind).any():
            reasons.append(f"{(outcome == kind).sum()} of {count} simulations {words}.")
    return ("fail" if len(bad) else "warn" if reasons else "pass"), reasons
