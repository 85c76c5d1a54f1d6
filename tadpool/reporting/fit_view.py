"""One fit of a study as its pages show it: its model, settings, verdict and attempts."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from tadpool.convergence import sentences
from tadpool.files import contracts, plugins
from tadpool.files.results import StudyResults
from tadpool.formatting import listed, number
from tadpool.formula.equations import equations as formula_equations
from tadpool.ladder.data_facts import ENOUGH
from tadpool.ladder.equations import equations
from tadpool.modelling import references
from tadpool.modelling.design import Design
from tadpool.reporting.html import docstrings
from tadpool.reporting.html.markup import mathml
from tadpool.reporting.html.tables import Cell

PRIOR_ALONE = "{label} has nothing but its prior to predict {target} with"
NORMAL_95 = 1.96
"""A normal distribution has 95 % of its probability within so many standard deviations."""

SAMPLER_WORDS = {
    "chains": "chains",
    "warmup": "warm-up iterations",
    "draws": "draws per chain",
    "until_ess": "effective sample size at which chains end",
    "target_accept": "target acceptance",
    "max_tree_depth": "largest tree depth",
    "dense": "sites with a joint covariance",
    "precision": "precision",
    "platform": "platform",
}


def attributes(path: Path, wanted: tuple[str, ...]) -> dict[str, Any]:
    """The attributes of a NetCDF file without reading what it holds. Raises UserError where one
    that is wanted is missing."""
    with xr.open_dataset(path, engine="netcdf4") as root:
        contracts.check(xr.DataTree(root), contracts.Contract("a result", {}, wanted), str(path))
        return dict(root.attrs)


def draws(results: StudyResults, entry: str, group: str, names: Sequence[str] | None = None) -> xr.Dataset:
    """Variables of one group of an entry's fit.nc, the rest left unread; empty where the group is
    not there."""
    try:
        with xr.open_dataset(results.folder / entry / "fit.nc", group=group, engine="netcdf4") as found:
            return found[[name for name in found.data_vars if names is None or name in names]].load()
    except OSError:  # how xarray says that there is no such group
        return xr.Dataset()


def sites(results: StudyResults, entry: str) -> dict[str, xr.DataArray]:
    """Each site of an entry's posterior as one draw of it, which shows its dims and labels."""
    try:
        with xr.open_dataset(results.folder / entry / "fit.nc", group="posterior", engine="netcdf4") as found:
            return {str(name): value for name, value in found.isel(chain=0, draw=0, drop=True).load().data_vars.items()}
    except OSError:
        return {}


def families(results: StudyResults, entry: str) -> dict[str, str]:
    """Site -> NumPyro's name of its distribution; empty where the model could not be run."""
    return _relations(results, entry).get("sample_dist", {})


def shared_parents(results: StudyResults, entry: str) -> frozenset[str]:
    """The parameters without members that outcomes depend on directly."""
    relations = _relations(results, entry)
    parents = relations.get("sample_sample", {})
    of_members = {site for own in relations.get("plate_sample", {}).values() for site in own}
    return frozenset(
        site for outcome in results.config["outcomes"] for site in parents.get(outcome, ()) if site not in of_members
    )


def prior_alone(results: StudyResults, entry: str, group: str) -> bool:
    """Whether an entry has parameters of members of a group alone, one for each, so that nothing
    but its prior says anything of a new member."""
    latent = [site for site in sites(results, entry).values() if site.attrs.get("site", "latent") == "latent"]
    apart = bool(latent) and all(group in site.dims for site in latent)
    return apart or results.config["models"][entry]["by"] == group


def _relations(results: StudyResults, entry: str) -> dict[str, Any]:
    path = results.folder / entry / "prior.nc"
    return json.loads(attributes(path, ("relations",))["relations"]) if path.is_file() else {}


def parameters(check: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of a check without those of auxiliary sites, which stand in for reparametrized ones
    in the sampler alone."""
    return [row for row in check.get("parameters", []) if row.get("kind") != "auxiliary"]


@dataclass(frozen=True)
class Tried:
    """One sampling of a fit. number: of its attempt. words: its settings, and because of what they
    were chosen.

    found: the worst finding of its check.
    """

    number: int
    words: str
    because: str
    verdict: str
    found: str


@dataclass(frozen=True)
class Fit:
    """One entry of a study, as its page shows it."""

    results: StudyResults
    entry: str
    sampler: Mapping[str, Any]

    @property
    def label(self) -> str:
        return self.results.label(self.entry)

    @cached_property
    def check(self) -> dict[str, Any]:
        return self.results.check(self.entry)

    @property
    def verdict(self) -> str:
        return self.check["verdict"]

    @property
    def failed(self) -> bool:
        """Whether its numbers mean nothing: the verdict is fail, or the file says that it failed or
        crashed."""
        return self.verdict == "fail" or self.status != "ok"

    @property
    def badge(self) -> Cell:
        """Its verdict, in the words of its badge."""
        verdict = "fail" if self.failed else self.verdict
        words = self.status if self.failed and self.status != "ok" else verdict
        own = ", own thresholds" if self.check.get("thresholds") else ""
        return Cell(f"{words}{own}", badge=verdict)

    @cached_property
    def status(self) -> str:
        """ "ok", "failed" (numerically) or "crashed"."""
        return attributes(self.results.folder / self.entry / "fit.nc", ("status",))["status"]

    @property
    def usable(self) -> bool:
        """Whether it has numbers at all; its verdict may still be fail."""
        return self.status == "ok"

    @property
    def by(self) -> str | None:
        """The group whose members are fitted apart, where that is so."""
        return self.config["by"]

    @property
    def failed_members(self) -> list[str]:
        """Where members of a group are fitted apart, those whose fit failed."""
        points = self.check.get("points", []) if self.by else []
        return [str(point[self.by]) for point in points if point["verdict"] == "fail"]

    @property
    def members(self) -> int:
        """How many members of a group are fitted apart; 0 where it is one fit."""
        return len(self.check.get("points", [])) if self.by else 0

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """What its check found, the worst first."""
        return self.check["reasons"]

    @property
    def expected(self) -> Mapping[str, str] | None:
        """The verdict that the study declares in advance, and why."""
        return self.config["expect"]

    @property
    def surprising(self) -> bool:
        """Whether it failed without its study expecting that."""
        return self.failed and (not self.expected or self.expected["verdict"] != "fail")

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        return parameters(self.check)

    @property
    def attempts(self) -> list[dict[str, Any]]:
        return self.check.get("attempts", [])

    @property
    def history(self) -> list[Tried]:
        """Every sampling in order; the last one is what the page shows."""
        return [
            Tried(number, sentences.remedy(it), _said(it["because"]), it["verdict"], _said(it["found"]))
            for number, it in enumerate(self.attempts, 1)
        ]

    @property
    def remedied(self) -> list[str]:
        """What was tried beyond the settings as configured."""
        return sentences.tried(self.attempts)

    @property
    def reparametrized(self) -> list[str]:
        return self.attempts[-1]["settings"].get("reparametrized", []) if self.attempts else []

    @property
    def config(self) -> Mapping[str, Any]:
        return self.results.config["models"][self.entry]

    @property
    def reference(self) -> references.Reference:
        return references.reference(self.results.config, self.entry)

    @property
    def design(self) -> Design | None:
        """What a model of the ladder is made of here; None of any other."""
        return references.design_of(self.reference)

    @property
    def source(self) -> str:
        return f"models/{self.config['model']}.py"

    @cached_property
    def code(self) -> str:
        """The text of the model's file."""
        return plugins.find("models", self.config["model"]).read_text(encoding="utf-8").strip()

    @cached_property
    def description(self) -> tuple[str, Sequence[docstrings.Paragraph]]:
        about, more = docstrings.docstring(plugins.find("models", self.config["model"]))
        formula = references.formula_of(self.reference)
        if formula is not None:
            about = formula.written
            shown = formula_equations(formula, self.config["hyperparameters"], self.facts)
        elif self.design is not None:
            shown = equations(self.config["model"], self.design, self.config["hyperparameters"], self.facts)
        else:
            return about, more
        return about, [docstrings.Paragraph(True, (mathml(shown, "block"),)), *more]

    @property
    def written_equations(self) -> bool:
        """Whether the equations stand in the model's file, with the defaults of hyperparameters."""
        return self.design is None and references.formula_of(self.reference) is None

    @cached_property
    def facts(self) -> dict[str, Any] | None:
        """What a model of the ladder took from the data (`tadpool.ladder.data_facts`); None of
        others, and where it crashed."""
        found = attributes(self.results.folder / self.entry / "fit.nc", ("status",)).get("facts")
        return json.loads(found) if found else None

    @property
    def prior_of_effects(self) -> str:
        """What the prior of a predictor's effect says on a scale of factors, such as of odds; "" on
        others and without predictors."""
        scale, multiplied = dict(self.values).get("beta_scale"), self.design and self.design.family.link.multiplied
        if not scale or not multiplied or not self.design.predictors:
            return ""
        factor = number(math.exp(NORMAL_95 * scale), 1)
        return (
            f"With a probability of 95 %, one step of a predictor, or one standard deviation of a number, multiplies the "
            f"{multiplied} by a factor between 1/{factor} and {factor}. Where there are few rows, estimates of larger "
            "effects are shrunk towards none; a larger beta_scale, such as 2.5, shrinks them less."
        )

    @property
    def parametrization(self) -> list[str]:
        """Which effects of a model of the ladder are sampled centred, and why, a sentence each."""
        rule = dict(self.values).get("parametrization", "auto")
        effects = self.facts["effects"] if self.facts else {}
        aliased = [_aliased(name) for name in (self.facts or {}).get("aliased", ())]
        if rule != "auto" and effects:
            return [*aliased, f"{listed(list(effects))}: {rule.replace('_', '-')}, as configured."]
        return [*aliased, *(_parametrized(name, effect) for name, effect in effects.items())]

    @property
    def hyperparameters(self) -> list[tuple[str, Any, Any]]:
        """Name, value and default of each hyperparameter of the model."""
        defaults = references.signature(self.reference).hyperparameters
        changed = self.config["hyperparameters"]
        return [(name, changed.get(name, default), default) for name, default in defaults.items()]

    @property
    def weights(self) -> dict[str, str]:
        """Observation weights: outcome -> variable."""
        own = self.config.get("weights")
        return self.results.config.get("weights", {}) if own is None else own

    @property
    def values(self) -> list[tuple[str, Any]]:
        """Name and value of each hyperparameter."""
        return [(name, value) for name, value, _ in self.hyperparameters]

    @property
    def settings(self) -> list[tuple[str, Any]]:
        """What the sampler was told for the draws that are shown, in words."""
        used = self.attempts[-1]["settings"] if self.attempts else {}
        settings = {key: used.get(key, value) for key, value in self.sampler.items()}
        settings["dense"] = ", ".join(settings.get("dense", [])) or None
        return [(SAMPLER_WORDS[key], value) for key, value in settings.items() if value is not None]


def _said(finding: Mapping[str, Any] | None) -> str:
    return sentences.sentence(finding) if finding else ""


def _aliased(column: str) -> str:
    return (
        f"{column} is determined by the terms before it: the data do not tell their coefficients apart, and these rest "
        "on their priors."
    )


def _parametrized(name: str, effect: Mapping[str, Any]) -> str:
    way = "centred" if effect["centred"] else "non-centred"
    share, limit = number(100 * effect["reliability"], 0), number(100 * ENOUGH, 0)
    return (
        f"{name} is sampled {way}: its own rows settle {share} % of the differences between members "
        f"(median of {effect['groups']}), and the rule is centred above {limit} %."
    )


def all_fits(results: StudyResults, samplers: Mapping[str, Mapping[str, Any]]) -> list[Fit]:
    """samplers: the sampler settings by entry."""
    return [Fit(results, entry, samplers.get(entry, {})) for entry in results.entries]
