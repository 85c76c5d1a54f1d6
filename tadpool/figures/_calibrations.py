"""What figures of one calibration share."""

import numpy as np
import xarray as xr

from tadpool.calibration.sbc_verdict import ALPHA
from tadpool.figures import NotDrawn

HIGHLIGHT = "#D55E00"


def read_calibration(results, name: str) -> tuple[xr.Dataset, xr.Dataset, int]:
    """Simulations, quantities, and how many fits are ranked. Raises NotDrawn where none is."""
    tree = results.calibration(name)
    if tree.attrs["status"] != "ok":
        raise NotDrawn(f"the calibration {name} has no numbers")
    simulations, quantities = tree["simulations"].to_dataset(), tree["quantities"].to_dataset()
    ranked = int((simulations["rank"] >= 0).all("quantity").sum())
    if ranked < 2:
        raise NotDrawn(f"the calibration {name} has no ranks")
    return simulations, quantities, ranked


def label(results, name: str) -> str:
    """The calibrated entry's name, with the calibration's where it differs."""
    entry = results.config["calibration"][name]["entry"]
    return results.label(entry) + ("" if name == entry else f" ({name})")


def sites(quantities: xr.Dataset) -> dict[str, np.ndarray]:
    """Site -> positions of its quantities, in their order."""
    owners = quantities["site"].values
    return {str(site): np.flatnonzero(owners == site) for site in dict.fromkeys(owners.tolist())}


def suspicious(quantities: xr.Dataset) -> np.ndarray:
    """Which quantities have ranks that are not uniform, after the correction for their number."""
    p = quantities["p_value"].values
    return p * len(p) < ALPHA
