"""The answers that studies of the ladder and of formulas have without asking: what each predictor
changes, who is first and last, and what the variance is made of."""

from collections.abc import Sequence
from typing import Any

from tadpool.config.schema.analyses import Figure
from tadpool.config.schema.answers import Answer
from tadpool.config.schema.study import Entry, Study
from tadpool.config.schema.table import Column, Table
from tadpool.modelling.design import Design
from tadpool.modelling.families import IDENTITY
from tadpool.modelling.formula_design import FormulaDesign
from tadpool.modelling.references import design_of, formula_of
from tadpool.modelling.rungs import PARTIAL, PARTIAL_SLOPES, POOLED, RUNGS

WITHOUT_MEAN = ("categorical", "von_mises")
EXPLAINED = ("normal", "lognormal", "gamma", "exponential", "poisson", "negative_binomial", "bernoulli", "binomial")
"""Families whose variance has a formula."""
ANSWERED_YES = ("yes", "y", "true", "t", "1")
"""Labels that say that something is there."""
HERO = "ranking"
"""Name of the figure beside the answers."""
LATENT = {"logit": "pi**2 / 3", "ordered": "pi**2 / 3", "ordered_probit": "1"}
"""The variance of what stands behind an outcome in levels, by link."""


def with_defaults(study: Study, problems: Sequence[object]) -> dict[str, Answer]:
    """The study's own answers, and behind them those that it has without asking; none of these
    where something is wrong with its models."""
    told = {} if problems else defaults(study)
    return study.answers | {name: each for name, each in told.items() if name not in study.answers}


def with_hero(study: Study) -> Study:
    """The study with a figure of its members in order, which stands beside the answers where it has
    no other one there."""
    name = next((name for name, each in study.answers.items() if name.startswith("ranking_") and each.rank), None)
    if name is None or study.hero is not None or HERO in study.figures:
        return study
    asked = study.answers[name]
    drawn = {"kind": "answer", "answer": name, "label": asked.label, "title": asked.label[:1].upper() + asked.label[1:]}
    drawn["caption"] = "Each point is the expected outcome of one member, with its 89 % interval, the highest first."
    return study.model_copy(update={"hero": HERO, "figures": {**study.figures, HERO: Figure.model_validate(drawn)}})


def defaults(study: Study) -> dict[str, Answer]:
    """The answers of the first entry that is asked: partial pooling or, in a study of formulas, the
    first of them. An entry without a complete design has none."""
    entry = _main(study.models)
    if entry is None:
        return {}
    reference = study.reference(entry)
    design = formula_of(reference) or design_of(reference)
    if design is None or design.bounded or design.family.name in WITHOUT_MEAN:
        return {}
    means = _comparisons(design, study) | _ranking(entry, design, study)
    units = None if _is_share(design) else _column(design.outcome, study).units
    asked = {name: {"units": units, **each} for name, each in means.items()}
    asked |= _shares(entry, design, study.models[entry])
    return {name: Answer.model_validate({"entry": entry, **each}) for name, each in asked.items()}


def _main(entries: dict[str, Entry]) -> str | None:
    complete = {name: entry for name, entry in entries.items() if entry.design is not None}
    if len(complete) < len(entries):
        return None  # beside models of files, whose study says what it asks
    formulas = [name for name, entry in complete.items() if entry.formula is not None]
    rungs = [name for rung in (PARTIAL, PARTIAL_SLOPES, POOLED) for name in complete if complete[name].model == rung]
    return PARTIAL if PARTIAL in formulas else next(iter([*formulas, *rungs]), None)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _is_share(design: Design | FormulaDesign) -> bool:
    return bool(design.trials) or design.family.name == "bernoulli"


def _column(name: str, study: Study) -> Column:
    """How a column of the table is described; with nothing where the data are no table."""
    columns = study.dataset.columns if isinstance(study.dataset, Table) else {}
    return columns.get(name) or Column.model_construct()


def _outcome(design: Design | FormulaDesign) -> str:
    outcome = _words(design.outcome)
    if _is_share(design):
        return f"share of {outcome}"
    return f"mean number of {outcome}" if design.family.counted else f"mean {outcome}"


def _comparisons(design: Design | FormulaDesign, study: Study) -> dict[str, dict]:
    """What each predictor changes, averaged over the observed rows."""
    found = {}
    aside = {*design.groups, design.offset, design.exposure, design.trials}
    own = [each for each in design.predictors if each.name not in aside]
    for each in own:
        name, outcome = _words(each.name), _outcome(design)
        change, words = "sd", f"one standard deviation more {name}, less that as it is"
        if each.kind == "binary":
            change, words = [0, 1], _with_or_without(name, _column(each.name, study).levels)
        elif each.kind in ("categorical", "ordered"):
            change, words = "levels", f"each level of {name}, less that with the first"
        found[f"effect_{each.name}"] = {"label": f"{outcome} with {words}", "compare": {each.name: change}}
    return found


def _with_or_without(name: str, levels: list[Any] | None) -> str:
    if levels is None or str(levels[1]).lower() in ANSWERED_YES:
        return f"{name}, less that without"
    return f"{name} {levels[1]}, less that with {levels[0]}"


def _ranking(entry: str, design: Design | FormulaDesign, study: Study) -> dict[str, dict]:
    """The members of the first group by their expected outcomes."""
    group = next(iter(design.groups), None)
    rung = RUNGS.get(study.models[entry].model)
    if group is None or group not in study.groups or (rung is not None and not rung.groups(design)):
        return {}
    label = f"{_outcome(design)} of each {_words(group)}"
    label += ", at typical values of the predictors" if design.predictors else ""
    found = {f"ranking_{group}": {"label": label, "rank": group, "also": []}}
    new = {
        "label": f"{_outcome(design)} of a new {_words(group)}",
        "predict": {},
        "over": "new",
        "group": group,
        "also": [],
    }
    partial = not design.unpooled if isinstance(design, FormulaDesign) else rung is None or rung.partial
    return found | ({f"new_{group}": new} if partial and len(design.groups) == 1 else {})


def _shares(entry: str, design: Design | FormulaDesign, chosen: Entry) -> dict[str, dict]:
    """What share of the variance lies between the members of each group, where only their levels
    differ; and what is explained with and without them."""
    found, outcome = {}, _words(design.outcome)
    residual = _residual(design)
    if residual and _only_intercepts(design, chosen):
        sds = [f"sigma_{group}" for group in design.groups]
        total = " + ".join([*(f"{sd}**2" for sd in sds), residual])
        for group, sd in zip(design.groups, sds, strict=True):
            what = "variance" if design.family.link == IDENTITY else "latent variance"
            label = f"share of the {what} of {outcome} between members of {_words(group)} (ICC)"
            found[f"icc_{group}"] = {"label": label, "value": f"{sd}**2 / ({total})", "also": []}
    if design.family.name in EXPLAINED and design.groups and not design.standard_error:
        kinds = {"conditional": "with", "marginal": "without"} if design.predictors else {"conditional": "with"}
        for kind, words in kinds.items():
            label = f"share of the variance of {outcome} that is explained, {words} the members' own effects (R²)"
            found[f"r2_{kind}"] = {"label": label, "r2": kind}
    return found


def _residual(design: Design | FormulaDesign) -> str | None:
    """The variance of outcomes of one member on the scale of the linear predictor."""
    if design.family.name == "normal":
        return None if design.standard_error or not design.parameters else "sigma**2"
    return LATENT.get(design.family.link.name) if design.family.name in ("bernoulli", "binomial", "ordered") else None


def _only_intercepts(design: Design | FormulaDesign, chosen: Entry) -> bool:
    """Whether members of groups differ in their intercepts alone."""
    if isinstance(design, Design):
        return RUNGS[chosen.model].partial and not (RUNGS[chosen.model].slopes and design.slopes)
    from tadpool.formula import syntax  # imports SciPy, which studies without a formula do not need

    if design.unpooled:
        return False
    terms = syntax.read(design.formula, None, list(design.groups)).groups
    plain = all(len(each.factors) == 1 and _names(each.left) == ["Intercept"] for each in terms)
    return (
        plain and not design.parameters_of and {each.factors[0] for each in terms} == set(design.groups) and bool(terms)
    )


def _names(tree: Any) -> list[str]:
    from tadpool.formula import syntax

    return [term.name for term in syntax.model(tree).common_terms]
