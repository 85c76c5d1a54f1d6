"""Models of the ladder in a study: their designs completed, and `models: ladder` written out as the
entries that it means."""

from collections.abc import Iterable, Iterator, Mapping

from tadpool.config.ladder import answers, formula_rungs, formulas
from tadpool.config.ladder.design import DesignInference
from tadpool.config.ladder.figures import figures
from tadpool.config.parsed_values import Problem
from tadpool.config.schema.analyses import Comparison, Prediction
from tadpool.config.schema.study import LADDER, Entry, Study
from tadpool.config.schema.table import Table
from tadpool.modelling.design import Design
from tadpool.modelling.references import design_of
from tadpool.modelling.rungs import PARTIAL, RUNGS

OLD, NEW = "old_groups", "new_groups"


def completed(study: Study) -> tuple[Study, list[Problem]]:
    """The study with the complete design of every entry of the ladder, and all that is wrong with
    these.

    `models: ladder` becomes the rungs that apply, with comparisons, predictions and figures below
    the study's own; where too much is wrong to know them, all rungs. An entry whose design has a
    mistake gets none.
    """
    if study.models == LADDER:
        return _written_out(study) if study.ladder is None else _made_from_formula(study)
    if study.ladder is not None:
        alone = Problem(("ladder",), "it belongs to `models: ladder`", "write that, or write its models as entries")
        found, problems = completed(study.model_copy(update={"ladder": None}))
        return found, [alone, *problems]
    entries, problems = {}, []
    for name, entry in study.models.items():
        problems += _of_formula(name, entry)
        if entry.formula is not None:
            entries[name], wrong = formulas.completed(study, name)
            problems += wrong
        elif entry.model in RUNGS:
            found = DesignInference(study, name)
            problems += [*found.problems, *_of_entry(study, name, found)]
            entries[name] = entry.model_copy(update={"design": found.design})
        else:
            problems += _without_design(name, entry)
            entries[name] = entry.model_copy(update={"design": None})
    made = study.model_copy(update={"models": entries})
    return answers.with_hero(made.model_copy(update={"answers": answers.with_defaults(made, problems)})), problems


def _of_formula(name: str, entry: Entry) -> Iterator[Problem]:
    """An entry is of a file or of a formula, and some keys belong to a formula alone."""
    if entry.model is None and entry.formula is None:
        fix = "add it, for example `model: frogs_fixed_sigma`, or write `formula`"
        yield Problem(("models", name, "model"), "missing", fix)
    if entry.model is not None and entry.formula is not None:
        yield Problem(("models", name, "formula"), "the entry has a `model` too", "remove one of them")
    for key in ("family", "parameters", "priors", "pooling"):
        if entry.formula is None and getattr(entry, key) not in (None, {}, "partial"):
            yield Problem(("models", name, key), "the entry has no `formula`, to which it belongs", "remove it")


def _of_entry(study: Study, name: str, found: DesignInference) -> Iterator[Problem]:
    entry = study.models[name]
    if entry.by is not None:
        mend = "remove it; `unpooled` estimates every member alone"
        yield Problem(("models", name, "by"), f"{entry.model} is fitted to all members of a group at once", mend)
    if found.design:
        made = study.model_copy(update={"models": {name: entry.model_copy(update={"design": found.design})}})
        reason = RUNGS[entry.model].inapplicable(design_of(made.reference(name)))
        if reason:
            mend = "choose another model, or change the design"
            yield Problem(("models", name, "model"), f"{entry.model} {reason}", mend)
        yield from _named_like_parameters(made, [name])


def _without_design(name: str, entry: Entry) -> Iterator[Problem]:
    if entry.design is not None:
        what = f"{entry.model!r} is not a model of the ladder and has no design"
        yield Problem(("models", name, "design"), what, f"remove it, or choose {', '.join(RUNGS)}")


def _written_out(study: Study) -> tuple[Study, list[Problem]]:
    found = DesignInference(study)
    problems = [*found.problems, *_weighted(study)]
    if found.design is None:
        return study.model_copy(update={"models": {rung: Entry(model=rung) for rung in RUNGS}}), problems
    rungs = {name: Entry(model=name, label=rung.label, design=found.design, weights={}) for name, rung in RUNGS.items()}
    design = design_of(study.model_copy(update={"models": rungs}).reference(PARTIAL))
    entries = {name: entry for name, entry in rungs.items() if RUNGS[name].inapplicable(design) is None}
    added = {
        "comparisons": _comparisons(entries, design),
        "predictions": _predictions(entries, design),
        "figures": figures(entries, design),
    }
    own = {key: {**made, **(getattr(study, key) or {})} for key, made in added.items()}
    written = study.model_copy(update={"models": entries, "design": found.design, **own})
    written = answers.with_hero(written.model_copy(update={"answers": answers.with_defaults(written, problems)}))
    return written, [*problems, *_named_like_parameters(written, entries)]


def _made_from_formula(study: Study) -> tuple[Study, list[Problem]]:
    entries, like, problems = formula_rungs.entries(study)
    if problems or like is None:
        return study.model_copy(update={"models": entries, "ladder": None}), problems
    added = {
        "comparisons": _comparisons(entries, like),
        "predictions": _predictions(entries, like),
        "figures": figures(entries, like),
    }
    own = {key: {**made, **(getattr(study, key) or {})} for key, made in added.items()}
    written = study.model_copy(update={"models": entries, **own})
    return answers.with_hero(written.model_copy(update={"answers": answers.with_defaults(written, [])})), []


def _named_like_parameters(study: Study, entries: Iterable[str]) -> Iterator[Problem]:
    """Names of the study that entries of the ladder give to their parameters."""
    told: set[str] = set()
    for name in entries:
        rung, design = RUNGS[study.models[name].model], design_of(study.reference(name))
        dims = [each.levels_dim for each in design.predictors if each.levels_dim]
        taken = [*rung.observed(design), design.unit, *rung.groups(design), *dims]
        sites = rung.sites(design)
        for site in dict.fromkeys(sites):
            if site in told or (site not in taken and sites.count(site) == 1):
                continue
            told.add(site)
            what, mend = f"{site!r} is also the name of a parameter of {rung.name}", "choose another name"
            if site not in taken:
                what, mend = f"two parameters of {rung.name} would be called {site!r}", "rename a column"
            if site == study.unit:
                yield Problem(("unit",), what, mend)
            elif isinstance(study.dataset, Table):
                yield Problem(("dataset", "columns"), what, f"{mend}, and name the heading in the table with `column`")
            else:
                yield Problem(("dataset",), what, mend)


def _weighted(study: Study) -> Iterator[Problem]:
    if study.weights:
        mend = "remove them, or name the models yourself, with one of your own that is weighted"
        yield Problem(("weights",), "no model of `models: ladder` takes observation weights", mend)


def _comparisons(entries: Iterable[str], design: Design) -> dict[str, Comparison]:
    """Rows of old groups, unless each row is a group, and members of the first group that are
    new."""
    names = list(entries)
    if len(names) < 2:
        return {}
    old = {} if design.rows_are_members else {OLD: Comparison(entries=names)}
    return {**old, NEW: Comparison(entries=names, target="unit" if design.rows_are_members else design.group)}


def _predictions(entries: Mapping[str, Entry], design: Design) -> dict[str, Prediction]:
    """Of a new member by partial pooling; not where it would stand in unknown members of further
    groups."""
    if PARTIAL not in entries or len(design.groups) > 1:
        return {}
    return {PARTIAL: Prediction(group=design.group)}
