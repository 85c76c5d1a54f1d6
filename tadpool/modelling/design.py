"""References to models: the name of a model file, or that with what config makes of it: the design that a rung of the pooling
ladder is built for, and observation weights, `{"name": "mine", "weights": {"y": "w"}}`.

A rung's file is a model like others, but what it asks of the data follows from a design, which config makes:

    {"name": "partial", "design": {
        "family": "normal", "outcome": "log_radon", "unit": "house", "groups": ["county"],
        "predictors": [{"name": "floor", "kind": "binary"}], "slopes": ["floor"],
        "trials": null, "exposure": null, "offset": null, "standard_error": null}}

groups: the first one is what pooled, unpooled, slopes and group means are about; further ones have intercepts too where these
are partially pooled. predictors: of kind number, binary, categorical (known to data.nc as `<name>_index`, with the dim
`<name>`) or ordered (counted from 0, with the dim `<name>_level`). A predictor with one value for each member of a group may
say so, `"per": <group>`: it has no group mean. slopes: those predictors, numbers or yes/no, whose slope varies by the first
group.

A group may be the unit: each row is a member. standard_error: the known standard deviation of each row of a normal outcome, in
place of a common one.

No JAX here: the Snakefile's process reads config with it.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tadpool.files import plugins

Reference = str | Mapping[str, Any]
Design = Mapping[str, Any]

FAMILIES = ("normal", "student", "bernoulli", "binomial", "poisson", "negative_binomial", "ordered")
RUNGS = ("pooled", "unpooled", "partial", "partial_slopes", "mundlak", "latent_mundlak")
KEYS = ("family", "outcome", "unit", "groups", "predictors", "slopes", "trials", "exposure", "offset", "standard_error")
ROLES = ("trials", "exposure", "offset", "standard_error")
ALL_GROUPS = ("partial", "partial_slopes", "mundlak", "latent_mundlak")
# Hyperparameters that some families alone have.
OF_FAMILIES = {
    "sigma_scale": ("normal", "student"),
    "nu_shape": ("student",),
    "nu_rate": ("student",),
    "overdispersion_scale": ("negative_binomial",),
    "cutpoint_scale": ("ordered",),
}


def reference(study: Mapping[str, Any], entry: str) -> Reference:
    """What jobs are told of an entry's model. study: one that was read, with complete designs, as a plain mapping."""
    model, design = study["models"][entry]["model"], study["models"][entry]["design"]
    if design is None:
        return model
    columns = {} if isinstance(study["dataset"], str) else study["dataset"]["columns"]
    predictors = [
        {"name": each, "kind": kind, "per": columns.get(each, {}).get("per")}
        for each, kind in design["predictors"].items()
    ]
    said = {"outcome": study["outcomes"][0], "unit": study["unit"], "predictors": predictors}
    return {"name": model, "design": {**design, **said}}


def name(reference: Reference) -> str:
    """The name of the model's file."""
    return reference if isinstance(reference, str) else reference["name"]


def of(reference: Reference) -> Design | None:
    """The design that the model is built for; None for a model that is its file alone."""
    return None if isinstance(reference, str) else reference.get("design")


def weights(reference: Reference) -> Mapping[str, str]:
    """Observation weights that config gives the model, outcome -> variable of the data (`modelling.observation_weights`)."""
    return {} if isinstance(reference, str) else reference.get("weights", {})


def weighted(reference: Reference, weights: Mapping[str, str]) -> Reference:
    """The reference with observation weights, if there are any."""
    if not weights:
        return reference
    return {**({"name": reference} if isinstance(reference, str) else reference), "weights": dict(weights)}


def path(reference: Reference) -> Path:
    """The model's file. Raises UserError where there is none."""
    return plugins.find("models", name(reference))


def signature(reference: Reference) -> plugins.Signature:
    """The model's arguments: as written, or of a rung those that its design asks for.

    Variables that a predictor with one value per group needs beyond these, `<group>_index`, are found when data are bound.
    """
    written = plugins.signature(path(reference))
    design = of(reference)
    if design is None:
        return written
    mine = {
        key: value
        for key, value in written.hyperparameters.items()
        if design["family"] in OF_FAMILIES.get(key, FAMILIES)
        and (key != "alpha_location" or _has_intercept(reference))
        and (key != "sigma_scale" or not design["standard_error"])
    }
    return replace(
        written,
        variables=variables(name(reference), design),
        outcomes=observed(name(reference), design),
        hyperparameters=mine,
    )


def _has_intercept(reference: Reference) -> bool:
    """An ordered outcome has cutpoints in its place, beside which only separate intercepts are left."""
    return of(reference)["family"] != "ordered"


def variables(rung: str, design: Design) -> tuple[str, ...]:
    """The variables of the dataset that a rung needs, without those that it observes."""
    taken = [_known_as(predictor) for predictor in design["predictors"]]
    taken += [f"{group}_index" for group in groups(rung, design) if group != design["unit"]]
    taken += [design[role] for role in ROLES if design[role]]
    return tuple(each for each in dict.fromkeys(taken) if each not in observed(rung, design))


def groups(rung: str, design: Design) -> tuple[str, ...]:
    """The groups whose members have something of their own in a rung."""
    return tuple(design["groups"] if rung in ALL_GROUPS else design["groups"][: rung != "pooled"])


def observed(rung: str, design: Design) -> tuple[str, ...]:
    """The observed sites of a rung: the outcome, and the predictors whose group means are latent."""
    latent = latent_means(design) if rung == "latent_mundlak" else ()
    return (*latent, design["outcome"])


def latent_means(design: Design) -> tuple[str, ...]:
    """The predictors whose group means can be latent: numbers that differ between the rows of a group."""
    return tuple(each["name"] for each in within(design) if each["kind"] == "number")


def within(design: Design) -> tuple[Mapping[str, Any], ...]:
    """The predictors, numbers or yes/no, that have a group mean: as far as the design says, they differ within groups."""
    group = design["groups"][0] if design["groups"] else None
    return tuple(
        each
        for each in design["predictors"]
        if each["kind"] in ("number", "binary") and (each.get("per") is None or each["per"] != group)
    )


def applies(rung: str, design: Design) -> str | None:
    """Why a rung is no model for a design, in words that follow its name; None where it is one."""
    group = design["groups"][0] if design["groups"] else None
    if rung != "pooled" and group is None:
        return "needs a group"
    alone = group == design["unit"] and design["family"] in ("normal", "student") and not design["standard_error"]
    if rung != "pooled" and alone:
        mend = f"`standard_error` of {design['outcome']} names the column with the known error of each row"
        return (
            f"needs several rows to each {group}, or their errors, to tell differences of {group} from noise ({mend})"
        )
    if rung == "partial_slopes" and not design["slopes"]:
        return f"needs a predictor whose slope varies by {group} (`slopes`)"
    if rung in ("mundlak", "latent_mundlak") and group == design["unit"]:
        return f"needs several rows to each {group}, but {group} is the unit"
    if rung == "mundlak" and not within(design):
        return f"needs a predictor, a number or yes/no, that varies within {group}"
    if rung == "latent_mundlak" and not latent_means(design):
        return f"needs a predictor, a number, that varies within {group}"
    return None


def _known_as(predictor: Mapping[str, Any]) -> str:
    return f"{predictor['name']}_index" if predictor["kind"] == "categorical" else predictor["name"]
