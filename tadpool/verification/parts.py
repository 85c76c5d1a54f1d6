"""The parts of `make verify`: where their functions are, and which plug-ins they use. Free of
JAX."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One job of `make verify`.

    Attributes:
        module: Module of `tadpool.verification` that has a function of the part's name.
        models: Models that it loads by name.
        datasets: Datasets that it loads by name.
    """

    module: str
    models: Sequence[str] = ()
    datasets: Sequence[str] = ()


EXACT, PLANTED = "exact_comparisons", "planted_errors"
COOKIES = ("cookies_pooled", "cookies_unpooled", "cookies_hierarchical")
PARTS = {
    "sigma_grid": Part(EXACT, ("frogs_fixed_sigma",), ("reedfrogs",)),
    "planted_in_models": Part(PLANTED, ("cookies_unpooled",)),
    "frogs_elpd": Part(EXACT, ("frogs_multilevel", "frogs_fixed_sigma"), ("reedfrogs",)),
    "cookies_elpd": Part(EXACT, COOKIES, ("cookies",)),
    "radon": Part(EXACT, ("radon_hierarchical",), ("radon",)),
    "cookies": Part(EXACT, COOKIES, ("cookies",)),
    "reedfrogs": Part(EXACT, ("frogs_multilevel", "frogs_fixed_sigma"), ("reedfrogs",)),
    "normal": Part(EXACT),
    "log_densities": Part(EXACT, ("frogs_predator", "mundlak_latent"), ("reedfrogs", "mundlak")),
    "planted_in_fits": Part(PLANTED),
}
