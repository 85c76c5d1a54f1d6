"""Bind the models of predictors that are missing in some rows.

Each has the terms of the outcome's linear predictor that look at no imputed predictor, or at those
whose models come before its own, and an intercept that differs between the members of every group.
Together they are a joint distribution of all imputed predictors, given the complete ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from tadpool.errors import UserError
from tadpool.formula.bound_formula import BoundEffect, BoundGroup, BoundImputation, BoundPredictor
from tadpool.formula.matrices import by_row
from tadpool.modelling.formula_design import FormulaDesign, imputation_of


def gathered(design: FormulaDesign, dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """What is known of the predictors that are missing in some rows of the study.

    Args:
        design: The design.
        dataset: The study's data.

    Returns:
        Predictor -> location and scale that priors are stated in (of a yes or no 0 and 1), whether
            it is binary, and the number of rows in which it is missing; numbers first.

    Raises:
        UserError: A predictor is missing in all rows, or has one value in all others.
    """
    found = {}
    for each in sorted((p for p in design.predictors if p.imputed), key=lambda p: p.kind == "binary"):
        values = by_row(dataset, each.variable, design.unit).astype(float)
        known = values[~np.isnan(values)]
        if known.size == values.size:
            continue
        if known.size == 0 or np.ptp(known) == 0:
            what = "is missing in all rows" if known.size == 0 else "has one value in all rows in which it is known"
            raise UserError(f"the formula: {each.name} {what}, so nothing says what it is elsewhere; leave it out")
        binary = each.kind == "binary"
        location, scale = (0.0, 1.0) if binary else (float(known.mean()), float(known.std()))
        missing = int(values.size - known.size)
        found[each.name] = {"location": location, "scale": scale, "binary": binary, "missing": missing}
    return found


def bound(
    facts: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, np.ndarray],
    main: BoundPredictor,
    products: Mapping[str, tuple[str, ...]],
) -> tuple[list[BoundImputation], dict[str, np.ndarray]]:
    """The models of imputed predictors.

    Args:
        facts: `gathered` of the study's data.
        given: The values of each of them (rows,), nan where it is missing.
        main: The linear predictor of the outcome.
        products: Column -> the imputed predictors that it is a product of.

    Returns:
        The models, and their arrays.
    """
    found, arrays, before = [], {}, set()
    for name, known in facts.items():
        missing, scales = f"formula:missing:{name}", f"formula:scales:{name}"
        rows = np.flatnonzero(np.isnan(given[name]))
        arrays |= {missing: rows, scales: np.array([known["location"], known["scale"]])}
        terms = [
            replace(term, own_prior=False)
            for term in main.terms
            if all(set(products.get(column, ())) <= before for column in term.columns)
        ]
        bare = BoundPredictor(imputation_of(name), True, True, tuple(terms), main.curves, ())
        predictor = replace(bare, groups=tuple(_groups(bare, main)))
        found.append(BoundImputation(name, known["binary"], predictor, scales, missing, len(rows)))
        before.add(name)
    return found, arrays


def _groups(predictor: BoundPredictor, main: BoundPredictor) -> Iterator[BoundGroup]:
    """An intercept for each member of every group that the outcome's predictor has."""
    for number, group in enumerate({each.name: each for each in main.groups}.values()):
        site = predictor.site("delta" if number else "alpha", group.name)
        effect = BoundEffect(site, predictor.site("sigma", group.name), None, None if number else "")
        yield BoundGroup(group.name, group.index, group.size, (effect,), None)
