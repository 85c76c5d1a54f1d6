"""A second opinion on draws from elsewhere: `tadpool judge FILE...`.

Parameters and sampler are judged as those of tadpool's own fits. What a file does not hold is not
judged, and is said.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tadpool.convergence import sentences, verdicts
from tadpool.errors import UserError
from tadpool.files import foreign_draws
from tadpool.formatting import counted, first_of

NEEDS = {
    "diverging": "diverging",
    "tree_depth": "reached_max_treedepth",
    "bfmi": "energy",
    "acceptance_rate": "acceptance_rate",
}
"""Code of a diagnostic -> what it needs of sample_stats."""
WORDS = {"diverging": "divergences", "tree_depth": "tree depth", "bfmi": "E-BFMI"}
NEEDED = ("diverging", "reached_max_treedepth", "energy", "acceptance_rate", "n_steps")
SHOWN = 10


def judged(tree: xr.DataTree, only: Sequence[str] = ()) -> dict[str, Any]:
    """Judge the draws of one fit.

    Args:
        tree: As from `foreign_draws.read`.
        only: Parameters to judge; by default all.

    Returns:
        As `verdicts.check`, and `unknown`: sentences about what cannot be known, `psis`: scores by
            PSIS, `sensitivity`: parameters whose prior and data disagree, or None where the file
            does not hold what these need.

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
    return found | {"psis": _psis(tree), "sensitivity": _sensitivity(tree), "unknown": [*_unknown(tree, absent)]}


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
    yield "whether simulated outcomes look like the observed ones: no predictive check is made of a file"
    yield "scores of observations with a large Pareto k, and of groups held out together: these need refits"
    yield "whether the program samples this model rightly: simulation-based calibration needs refits"


def lines(name: str, report: dict[str, Any]) -> Iterator[str]:
    """What is printed of a fit. name: its files. report: as from `judged`."""
    numbers = report["diagnostics"]
    size = f"{counted(numbers['chains'], 'chain')} of {counted(numbers['draws'], 'draw')}"
    yield f"{name}: {report['verdict']} ({size}, {counted(len(report['parameters']), 'parameter')})"
    reasons = [sentences.sentence(each) for each in report["reasons"]]
    yield from (f"  {reason}" for reason in reasons[:SHOWN])
    if len(reasons) > SHOWN:
        yield f"  and {len(reasons) - SHOWN} more findings"
    yield f"  largest R-hat {_number(numbers['rhat_max'], 4)}, smallest bulk ESS {_number(numbers['ess_bulk_min'], 0)}, " \
        f"smallest tail ESS {_number(numbers['ess_tail_min'], 0)}"  # fmt: skip
    yield from (f"  {_score(score)}" for score in report["psis"] or [])
    if report["sensitivity"]:
        yield from _prior_lines(**report["sensitivity"])
    yield "  not known:"
    yield from (f"  - {sentence}" for sentence in report["unknown"])


def _score(score: dict[str, Any]) -> str:
    """What is printed of a score by PSIS."""
    if "reason" in score:
        return f"{score['outcome']}: no elpd can be computed by PSIS ({score['reason']})"
    bad = f"{score['bad']} of {score['of']} observations have a Pareto k above {score['good_k']:.2f}"
    reliable = ", so it cannot be relied on" if score["bad"] else ""
    return f"{score['outcome']}: elpd {score['elpd']:.1f} (SE {score['se']:.1f}) by PSIS; {bad}{reliable}"


def _prior_lines(scaled: Sequence[str], parameters: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What is printed of the sensitivity to priors."""
    if not parameters:
        yield f"  no parameter is sensitive to the priors of {first_of(scaled, SHOWN)}"
    for row in parameters[:SHOWN]:
        words = (
            "prior and data may disagree" if row["diagnosis"] == "conflict" else "the prior matters more than the data"
        )
        numbers = f"sensitivity {row['prior']:.2f} to the prior, {row['likelihood']:.2f} to the likelihood"
        yield f"  {row['parameter']}: {words} ({numbers})"
    if len(parameters) > SHOWN:
        yield f"  and {len(parameters) - SHOWN} more parameters"


def _number(value: float | None, decimals: int) -> str:
    return "unknown" if value is None else f"{value:.{decimals}f}"


def parser() -> argparse.ArgumentParser:
    """The arguments of `tadpool judge`."""
    description = "Judge the draws of other programs as those of tadpool's own fits are judged."
    parser = argparse.ArgumentParser(prog="tadpool judge", description=description)
    parser.add_argument(
        "files", nargs="+", help=".nc (ArviZ), .csv (CmdStan: the chains of one fit; or a table), .parquet"
    )
    parser.add_argument("--only", action="append", default=[], metavar="PARAMETER", help="judge this one (repeatable)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found to this file")
    return parser


def main(arguments: list[str]) -> int:
    """Print the verdicts; returns 0 where none is fail, 1 where one is, 2 where a file cannot be
    read."""
    given = parser().parse_args(arguments)
    try:
        reports = {name: judged(tree, given.only) for name, tree in foreign_draws.read(given.files)}
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    for name, report in reports.items():
        print("\n".join(lines(name, report)))
    if given.json:
        given.json.write_text(json.dumps(reports, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return 1 if any(report["verdict"] == "fail" for report in reports.values()) else 0
