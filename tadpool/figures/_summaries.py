"""Numbers that figures share: intervals, densities and elements of sites."""

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats

from tadpool.elements import element_labels, element_names
from tadpool.figures import NotDrawn
from tadpool.intervals import HIGH, LOW
from tadpool.magnitude import power_of_two

QUANTILES = {"eti89_low": LOW, "eti50_low": 0.25, "median": 0.5, "eti50_high": 0.75, "eti89_high": HIGH}
SAMPLE = ("chain", "draw")
MANY_DRAWS = 500


def usable(results, entries: Iterable[str]) -> list[str]:
    """The entries whose fits have numbers. Raises NotDrawn where none has."""
    found = [entry for entry in entries if results.usable(entry)]
    if not found:
        raise NotDrawn("no fit that this figure shows has numbers")
    return found


def sites(results, entry: str, group: str = "posterior") -> xr.Dataset:
    """A group of an entry's draws (chain, draw, ...): posterior, prior, or a predictive one.

    Raises NotDrawn where its fit has no numbers.
    """
    tree = results.prior(entry) if group.startswith("prior") else results.fit(entry)
    if tree.attrs.get("status", "ok") != "ok" or group not in tree.children:
        raise NotDrawn(f"{entry} has no {group}")
    return tree[group].to_dataset()


def distribution(results, entry: str, site: str) -> str:
    """NumPyro's name of the distribution of a site, "" where it is not known."""
    return json.loads(results.prior(entry).attrs["relations"]).get("sample_dist", {}).get(site, "")


def latents(posterior: xr.Dataset) -> list[str]:
    """Names of the sites that were sampled, as the model states them; other computed sites repeat
    what they say."""
    sampled = [str(name) for name, site in posterior.data_vars.items() if site.attrs.get("site", "latent") == "latent"]
    stated = [name.removesuffix("_decentered") for name in sampled]
    return [name if name in posterior else own for name, own in zip(stated, sampled, strict=True)]


def dims(site: xr.DataArray) -> list[str]:
    return [str(dim) for dim in site.dims if dim not in SAMPLE]


def draws(site: xr.DataArray) -> np.ndarray:
    """The site as (elements, draws of all chains)."""
    return site.transpose(..., *SAMPLE).values.reshape(-1, site.sizes["chain"] * site.sizes["draw"]).astype(float)


def summary(values: np.ndarray) -> pd.DataFrame:
    """Mean, median, 50 % and 89 % equal-tailed intervals of each row of values (elements,
    draws)."""
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=1)
    return pd.DataFrame({"mean": values.mean(axis=1), **dict(zip(QUANTILES, quantiles, strict=True))})


def without_truth(results) -> list[str]:
    """Parameters of a simulated study that have no true value, as they do not apply there: their
    posterior is their prior."""
    truth = {} if results.truth is None else results.truth.data_vars
    return [
        name
        for site in truth.values()
        for name, value in zip(element_names(site), np.ravel(site.values), strict=True)
        if np.isnan(value)
    ]


def in_words(row: Mapping[str, float]) -> str:
    """Median and 89 % interval of one row of `summary`, for alt texts."""
    return f"median {row['median']:.3g}, 89 % interval {row['eti89_low']:.3g} to {row['eti89_high']:.3g}"


def site_summary(site: xr.DataArray) -> pd.DataFrame:
    """`summary` of each element of a site, with the columns parameter, site and element (its label,
    "" for a scalar)."""
    names = element_names(site)
    elements = [", ".join(labels) for labels in element_labels(site)]
    identity = pd.DataFrame({"parameter": names, "site": str(site.name), "element": elements})
    return identity.join(summary(draws(site)))


def density(values: np.ndarray, points: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Kernel density estimate (ArviZ) of a sample: grid and density.

    Many draws are shown without their most extreme 0.2 %, or 5 % of long tails, which would stretch
    the axis.
    """
    flat = np.ravel(values).astype(float)
    cut = 0.001 if flat.size >= MANY_DRAWS else 0.0
    low, quartile, upper, high = np.quantile(flat, [cut, 0.25, 0.75, 1 - cut])
    if cut and high - low > 20 * (upper - quartile):
        low, high = np.quantile(flat, [0.025, 0.975])
    unit = power_of_two(high - low)
    grid, height, _ = array_stats.kde(flat[(flat >= low) & (flat <= high)] / unit, grid_len=points)
    return grid * unit, height / unit


def count_values(values: np.ndarray, support: Sequence[int]) -> np.ndarray:
    """How often each value of `support` (consecutive integers) occurs in each row of values (draws,
    units)."""
    size = len(support)
    positions = values.astype(np.int64) - support[0]
    inside = (positions >= 0) & (positions < size)
    rows = np.broadcast_to(np.arange(len(values))[:, None], values.shape)
    flat = (rows * size + positions)[inside]
    return np.bincount(flat, minlength=len(values) * size).reshape(len(values), size)
