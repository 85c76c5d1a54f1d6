"""Fits of other programs, judged by what their files hold.

Parameters and sampler are judged as those of tadpool's own fits. What a file does not hold is not
judged, and is said.
"""

import warnings
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tadpool.convergence import verdicts
from tadpool.errors import UserError
from tadpool.evaluation import predictive_checks

NEEDS = {
    "diverging": "diverging",
    "tree_depth": "reached_max_treedepth",
    "bfmi": "energy",
    "acceptance_rate": "acceptance_rate",
}
"""Code of a diagnostic -> what it needs of sample_stats."""
WORDS = {"diverging": "divergences", "tree_depth": "tree depth", "bfmi": "E-BFMI"}
NEEDED = ("diverging", "reached_max_treedepth", "energy", "acceptance_rate", "n_steps")


def judged(tree: xr.DataTree, only: Sequence[str] = ()) -> dict[str, Any]:
    """Judge the draws of one fit.

    Args:
        tree: As from `foreign_draws.read`.
        only: Parameters to judge; by default all.

    Returns:
        As `verdicts.check`, and `unknown`: sentences about what cannot be known, `psis`: scores by
            PSIS, `sensitivity`: parameters whose prior and data disagree, `predictive`: test
            quantities of the observed data among replicated ones. Each is None where the file does
            not hold what it needs.

    Raises:
        UserError: There is no such parameter.
    """
    posterior = tree["posterior"].to_dataset()
    if unknown := [name for name in only if name not in posterior]:
        known = ", ".join(map(str, posterior.data_vars))
        raise UserError(f"there is no parameter {unknown[0]!r}; known: {known}")
    posterior = _marked(posterior[list(only)] if only else posterior)
    given = tree["sample_stats"].to_dataset() if "sample_stats" in tree.children else xr.Dataset()
    like = next(iter(posterior.data_vars.values()))
    empty = xr.zeros_like(like.isel({dim: 0 for dim in like.dims if dim not in ("chain", "draw")}, drop=True), float)
    stats = xr.Dataset({name: given.get(name, empty) for name in NEEDED})
    whole = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
    whole.attrs.update(status="ok", attempts="[]")
    with np.errstate(invalid="ignore", divide="ignore"):
        report = verdicts.check(whole)
    absent = [code for code, name in NEEDS.items() if name not in given]
    reasons = [each for each in report["reasons"] if each["code"] not in absent]
    worst = max((each["severity"] for each in reasons), key=verdicts.ORDER.index, default="pass")
    without = [key for code in absent for key in _keys(code)]
    numbers = {name: value for name, value in report["diagnostics"].items() if name not in without}
    found = {"verdict": worst, "reasons": reasons, "diagnostics": numbers, "parameters": report["parameters"]}
    found |= {"psis": _psis(tree), "sensitivity": _sensitivity(tree), "predictive": _predictive(tree)}
    return found | {"unknown": [*_unknown(tree, absent)]}


def _keys(code: str) -> tuple[str, ...]:
    return {"bfmi": ("bfmi_min", "bfmi_low"), "acceptance_rate": ("acceptance_rate", "acceptance_rate_min")}.get(
        code, (NEEDS[code],)
    )


def _marked(posterior: xr.Dataset) -> xr.Dataset:
    """The parameters; arrays of which some elements never change, such as the diagonal of a
    correlation matrix, are marked as computed, so that these elements are not taken for stuck."""
    marked = {}
    for name, variable in posterior.data_vars.items():
        still = (variable == variable.isel(chain=0, draw=0)).all(("chain", "draw"))
        computed = bool(still.any()) and not bool(still.all())
        marked[name] = variable.assign_attrs(site="deterministic" if computed else "latent")
    return posterior.assign(marked)


def _psis(tree: xr.DataTree) -> list[dict[str, Any]] | None:
    """The score by PSIS of each outcome whose log likelihood is there."""
    if "log_likelihood" not in tree.children:
        return None
    from arviz_stats import loo

    found = []
    for name, densities in tree["log_likelihood"].data_vars.items():
        if not np.isfinite(densities).all():
            found.append({"outcome": str(name), "reason": "a log likelihood is not finite"})
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what they say is in pareto_k
                score = loo(tree, var_name=name, pointwise=True)
        except ValueError as error:  # such as an observation with the same density in all draws
            found.append({"outcome": str(name), "reason": str(error)})
            continue
        counts = {"bad": int((score.pareto_k > score.good_k).sum()), "of": int(score.n_data_points)}
        numbers = {"elpd": float(score.elpd), "se": float(score.se), "p": float(score.p), "good_k": float(score.good_k)}
        found.append({"outcome": str(name), **numbers, **counts})
    return found


def _sensitivity(tree: xr.DataTree) -> dict[str, Any] | None:
    """Parameters that depend on the priors, by power-scaling of these together.

    The prior of an effect of a group is part of the model that the data inform. A file does not say
    which these are, so only priors of parameters with one element are scaled.
    """
    if not {"log_likelihood", "log_prior"} <= set(tree.children):
        return None
    posterior, priors = tree["posterior"].to_dataset(), tree["log_prior"].to_dataset()
    scaled = [name for name in priors.data_vars if name not in posterior or posterior[name].ndim == 2]
    if not scaled:
        return None
    from tadpool.evaluation import power_scaling

    parameters = power_scaling.stacked(posterior)
    densities = (_total(priors[scaled]), _total(tree["log_likelihood"].to_dataset()))
    prior, likelihood = (power_scaling.sensitivity(parameters, density) for density in densities)
    diagnoses = power_scaling.diagnosed(prior, likelihood, np.zeros(len(prior)))
    found = zip(
        parameters["parameter"].values.tolist(), prior.tolist(), likelihood.tolist(), diagnoses.tolist(), strict=True
    )
    names = ("parameter", "prior", "likelihood", "diagnosis")
    rows = [dict(zip(names, row, strict=True)) for row in found if row[-1] != "none"]
    return {"scaled": [str(name) for name in scaled], "parameters": rows}


def _predictive(tree: xr.DataTree) -> list[dict[str, Any]] | None:
    """Test quantities of each outcome for which the file has observed and replicated values."""
    if not {"posterior_predictive", "observed_data"} <= set(tree.children):
        return None
    replicated, observed = tree["posterior_predictive"].to_dataset(), tree["observed_data"].to_dataset()
    outcomes = [
        _outcome(str(name), observed[name], replicated[name])
        for name in observed.data_vars
        if name in replicated and replicated[name].sizes == {**_sizes(replicated[name]), **observed[name].sizes}
    ]
    if not outcomes:
        return None
    rows = predictive_checks.table(outcomes).to_dict("records")
    return [{key: _json(value) for key, value in row.items()} for row in rows]


def _sizes(replicated: xr.DataArray) -> dict[Hashable, int]:
    return {dim: replicated.sizes[dim] for dim in ("chain", "draw")}


def _outcome(name: str, observed: xr.DataArray, replicated: xr.DataArray) -> predictive_checks.Outcome:
    values = observed.to_numpy().ravel()
    draws = replicated.transpose("chain", "draw", *observed.dims).to_numpy()
    return predictive_checks.Outcome(
        name,
        predictive_checks.kind("", values),
        values,
        draws.reshape(*draws.shape[:2], -1),
        counted=np.isfinite(values) if values.dtype.kind == "f" else None,
    )


def _json(value: Any) -> Any:
    """None for a number that JSON does not have."""
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _total(densities: xr.Dataset) -> xr.DataArray:
    """The sum of all log densities (chain, draw)."""
    return sum(
        each.sum([dim for dim in each.dims if dim not in ("chain", "draw")]) for each in densities.data_vars.values()
    )


def _unknown(tree: xr.DataTree, absent: Sequence[str]) -> Iterator[str]:
    lacking = [WORDS[code] for code in absent if code in WORDS]
    if lacking:
        yield f"{', '.join(lacking)}: the file has no such statistics of the sampler"
    if "log_likelihood" not in tree.children:
        yield "how well the model predicts: the file has no log likelihood of each observation"
    if "log_prior" not in tree.children or "log_likelihood" not in tree.children:
        yield "how much the prior matters: the file has no log prior beside the log likelihood"
    if not {"posterior_predictive", "observed_data"} <= set(tree.children):
        yield "whether simulated outcomes look like the observed ones: the file does not hold both"
    yield "scores of observations with a large Pareto k, and of groups held out together: these need refits"
    yield "whether the program samples this model rightly: simulation-based calibration needs refits"
