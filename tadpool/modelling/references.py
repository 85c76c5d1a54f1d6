"""References to models: the name of a model file, or that with what config makes of it: the design
that a model of the ladder is built for, and observation weights, `{"name": "mine", "weights": {"y":
"w"}}`.

A file of the ladder is a model like others, but what it asks of the data follows from a design,
which config makes:

    {"name": "partial", "design": {
        "family": "normal", "outcome": "log_radon", "unit": "house", "groups": ["county"],
        "predictors": [{"name": "floor", "kind": "binary", "per": null}], "slopes": ["floor"],
        "trials": null, "exposure": null, "offset": null, "standard_error": null, "censored": null,
        "interval_end": null, "truncated": null}}

A reference is JSON, part of what decides whether a job runs again; `design_of` reads its design.

No JAX here: the Snakefile's process reads config with it.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tadpool.files import plugins
from tadpool.modelling import formula_priors
from tadpool.modelling.design import Design
from tadpool.modelling.formula_design import FormulaDesign
from tadpool.modelling.rungs import RUNGS

FORMULA = "formula"
"""Name of the model's file that every formula is built by."""
Reference = str | Mapping[str, Any]


def reference(study: Mapping[str, Any], entry: str) -> Reference:
    """What jobs are told of an entry's model.

    Args:
        study: A study that was read, with complete designs, as a plain mapping.
        entry: Name of the entry.

    Returns:
        The name of the model's file; of a model of the ladder a mapping that holds its design too.
    """
    chosen = study["models"][entry]
    model, given = chosen["model"], chosen["design"]
    if given is None:
        return model
    columns = {} if isinstance(study["dataset"], str) else study["dataset"]["columns"]
    imputed = [name for name, column in columns.items() if column.get("missing") == "impute"]
    predictors = [
        {"name": name, "kind": kind, "per": columns.get(name, {}).get("per"), "imputed": name in imputed}
        for name, kind in given["predictors"].items()
    ]
    ends = given.get("truncated")
    truncated = None if ends is None else [ends["lower"], ends["upper"]]
    told = {"truncated": truncated, "outcome": study["outcomes"][0], "unit": study["unit"], "predictors": predictors}
    if model == FORMULA:
        priors, numbers = formula_priors.chosen(chosen["priors"])
        told |= {"formula": chosen["formula"], "parameters_of": chosen["parameters"], "prior_numbers": numbers}
        told |= {"unpooled": chosen["pooling"] == "none"}
        given = {key: value for key, value in given.items() if key not in ("slopes", "group_means")}
        return {"name": model, "design": FormulaDesign.from_json({**given, **told, "priors": priors}).to_json()}
    return {"name": model, "design": Design.from_json({**given, **told}).to_json()}


def name(reference: Reference) -> str:
    """The name of the model's file."""
    return reference if isinstance(reference, str) else reference["name"]


def design_of(reference: Reference) -> Design | None:
    """The design that a model of the ladder is built for; None for any other model."""
    design = None if isinstance(reference, str) or name(reference) == FORMULA else reference.get("design")
    return None if design is None else Design.from_json(design)


def formula_of(reference: Reference) -> FormulaDesign | None:
    """The design of a model that is a formula; None for any other model."""
    return FormulaDesign.from_json(reference["design"]) if name(reference) == FORMULA else None


def imputed(reference: Reference) -> tuple[str, ...]:
    """The predictors of a formula whose missing values are imputed."""
    design = formula_of(reference)
    return () if design is None else design.imputed


def weights(reference: Reference) -> Mapping[str, str]:
    """Observation weights that config gives the model, outcome -> variable of the data
    (`modelling.observation_weights`)."""
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
    """The model's arguments.

    Args:
        reference: The model.

    Returns:
        The arguments as written; of a model of the ladder the variables, outcomes and
            hyperparameters that its design asks
        for: the family's hyperparameters stand between the numbers and the other options of the
            file. Variables that a
        predictor with one value per group needs beyond these, `<group>_index`, are found when data
            are bound.

    Raises:
        UserError: There is no such file, or its arguments do not say what they are.
    """
    written, design, formula = plugins.signature(path(reference)), design_of(reference), formula_of(reference)
    if formula is not None:
        hyperparameters = {**formula.hyperparameters, **written.hyperparameters}
        return replace(
            written, variables=formula.variables, outcomes=(formula.outcome,), hyperparameters=hyperparameters
        )
    if design is None:
        return written
    rung = RUNGS[name(reference)]
    own = {key: value for key, value in written.hyperparameters.items() if _applies(key, design)}
    numbers = {key: value for key, value in own.items() if isinstance(value, float)}
    family = {key: value for parameter in design.parameters for key, value in parameter.hyperparameters}
    return replace(
        written,
        variables=rung.variables(design),
        outcomes=rung.observed(design),
        hyperparameters={**numbers, **family, **own},
    )


def _applies(hyperparameter: str, design: Design) -> bool:
    """Cutpoints stand in place of the population intercept, beside which only separate intercepts
    are left."""
    return hyperparameter != "alpha_location" or not design.family.link.cutpoints
