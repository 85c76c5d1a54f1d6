"""The parts of `make verify`: which functions they are, and which plug-ins they use."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tadpool import ROOT
from tadpool.verification.findings import Finding

REFERENCE = ROOT / "tadpool" / "verification" / "reference"


@dataclass(frozen=True)
class Part:
    """A job: the module of `tadpool.verification` and its function, and the models and datasets that it loads by name."""

    module: str
    models: Sequence[str] = ()
    datasets: Sequence[str] = ()


COOKIES = ("cookies_pooled", "cookies_unpooled", "cookies_hierarchical")
PARTS = {
    "sigma_grid": Part("oracles", ("frogs_fixed_sigma",), ("reedfrogs",)),
    "planted_in_models": Part("battery", ("cookies_unpooled",)),
    "frogs_elpd": Part("oracles", ("frogs_multilevel", "frogs_fixed_sigma"), ("reedfrogs",)),
    "cookies_elpd": Part("oracles", COOKIES, ("cookies",)),
    "radon": Part("oracles", ("radon_hierarchical",), ("radon",)),
    "cookies": Part("oracles", COOKIES, ("cookies",)),
    "reedfrogs": Part("oracles", ("frogs_multilevel", "frogs_fixed_sigma"), ("reedfrogs",)),
    "normal": Part("oracles"),
    "log_densities": Part("oracles", ("frogs_predator", "mundlak_latent"), ("reedfrogs", "mundlak")),
    "planted_in_fits": Part("battery"),
}


def run(name: str, folder: Path, threads: int) -> list[Finding]:
    """What a part finds. folder: for files that it makes on the way."""
    from tadpool.verification import exact_comparisons, planted_errors

    module = {"battery": planted_errors, "oracles": exact_comparisons}[PARTS[name].module]
    return getattr(module, name)(folder, threads)
