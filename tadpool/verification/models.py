"""Models of verification alone: one with a closed form, and two that are hard to sample unless
written otherwise."""

from collections.abc import Callable, Mapping, Sequence
from math import prod

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import xarray as xr

from tadpool import seeds
from tadpool.modelling.binding import Bound

ROWS, GROUPS = 120, 6
NOISE, BETWEEN, WIDE = 1.0, 0.7, 2.0
MODES = 4
NECK = 9


def made(
    function: Callable, latents: Mapping[str, Sequence[str]], dataset: xr.Dataset, outcomes: Sequence[str] = ()
) -> Bound:
    """A function bound to the variables of a dataset that it names. latents: latent site -> its
    dims."""
    dims = {name: tuple(own) for name, own in latents.items()} | {name: dataset[name].dims for name in outcomes}
    return Bound(
        model=function.__name__,
        given={},
        function=function,
        data={str(name): dataset[name].values for name in dataset.data_vars},
        outcomes=tuple(outcomes),
        latents=tuple(latents),
        hyperparameters={},
        dims=dims,
        sizes={name: prod(dataset.sizes[dim] for dim in own) for name, own in dims.items()},
        dataset=dataset,
    )


def normal_data(seed: int) -> xr.Dataset:
    """Made-up rows in groups with two predictors of opposite effect; dims row, group, column."""
    rng = seeds.generator(seed, "verification", "normal", "simulate")
    x, group = rng.normal(size=(ROWS, 2)), np.arange(ROWS) % GROUPS
    y = rng.normal(0, BETWEEN, GROUPS)[group] + x @ [1.0, -1.0] + rng.normal(0, NOISE, ROWS)
    variables = {"y": ("row", y), "x": (("row", "column"), x), "group_index": ("row", group)}
    coords = {"row": np.arange(ROWS), "group": np.arange(GROUPS), "column": np.arange(2)}
    return xr.Dataset(variables, coords)


def normal(x, group_index, y=None):
    """Normal outcomes with known scales: groups around a common mean, and two predictors."""
    centre = numpyro.sample("centre", dist.Normal(0.0, WIDE))
    with numpyro.plate("column", 2):
        slope = numpyro.sample("slope", dist.Normal(0.0, 1.0))
    with numpyro.plate("group", GROUPS):
        effect = numpyro.sample("effect", dist.Normal(centre, BETWEEN))
    with numpyro.plate("row", ROWS):
        numpyro.sample("y", dist.Normal(effect[group_index] + x @ slope, NOISE), obs=y)


def normal_bound(dataset: xr.Dataset) -> Bound:
    """The normal model bound to data such as `normal_data`."""
    return made(normal, {"centre": (), "slope": ("column",), "effect": ("group",)}, dataset, ["y"])


def normal_design(dataset: xr.Dataset) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The model as a linear one: names of the coefficients (centre, slopes, effects), X and their
    prior covariance."""
    names = ["centre", *(f"slope[{i}]" for i in range(2)), *(f"effect[{i}]" for i in range(GROUPS))]
    design = np.concatenate([np.zeros((ROWS, 1)), dataset["x"], np.eye(GROUPS)[dataset["group_index"]]], axis=1)
    prior = np.zeros((len(names), len(names)))
    related = np.ix_([0, *range(3, len(names))], [0, *range(3, len(names))])
    prior[related] = WIDE**2
    prior += np.diag([0.0, 1.0, 1.0, *[BETWEEN**2] * GROUPS])
    return names, design, prior


def funnel(centred: bool) -> Bound:
    """Neal's funnel (2003, Annals of Statistics 31:705): an unknown scale of nine values, as it is
    or standardized."""

    def model():
        log_scale = numpyro.sample("log_scale", dist.Normal(0.0, 3.0))
        with numpyro.plate("value", NECK):
            scale = jnp.exp(log_scale / 2) if centred else 1.0
            numpyro.sample("x", dist.Normal(0.0, scale))

    return made(model, {"log_scale": (), "x": ("value",)}, xr.Dataset(coords={"value": np.arange(NECK)}))


def signs(free: bool) -> Bound:
    """Roots of observed squares: each has two, unless only positive ones are allowed."""

    def model(square):
        prior = dist.Normal(0.0, 10.0) if free else dist.HalfNormal(10.0)
        with numpyro.plate("number", MODES):
            root = numpyro.sample("root", prior)
            numpyro.sample("square", dist.Normal(root**2, 1.0), obs=square)

    observed = xr.Dataset({"square": ("number", np.full(MODES, 25.0))}, {"number": np.arange(MODES)})
    return made(model, {"root": ("number",)}, observed, ["square"])
