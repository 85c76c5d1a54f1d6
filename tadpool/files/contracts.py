"""The contents of each result file: groups, required variables and dims. They are checked on
writing and on reading."""

from dataclasses import dataclass

import xarray as xr

from tadpool.errors import UserError


@dataclass(frozen=True)
class Group:
    """A group of a NetCDF file.

    dims: dims that every variable has. variables: names of required variables. optional: the group
    may be absent.
    """

    dims: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Contract:
    """A result file: its groups, and the required attributes of its root."""

    description: str
    groups: dict[str, Group]
    attributes: tuple[str, ...] = ("provenance",)


REMAKE = "delete the file and run again"
SAMPLE = ("chain", "draw")
STATS = ("lp", "energy", "diverging", "n_steps", "tree_depth", "reached_max_treedepth", "acceptance_rate", "step_size")
OBSERVED = {"observed_data": Group(), "constant_data": Group(optional=True)}

DATA = Contract("one dataset", {**OBSERVED, "truth": Group(optional=True)})
PRIOR = Contract(
    "draws from the prior and the prior predictive distribution of one entry",
    {"prior": Group(SAMPLE), "prior_predictive": Group(SAMPLE), **OBSERVED},
    ("provenance", "status", "relations"),
)
FIT = Contract(
    "the posterior of one entry",
    {
        "posterior": Group(SAMPLE),
        "sample_stats": Group(SAMPLE, STATS),
        "log_likelihood": Group(SAMPLE, optional=True),
        "log_prior": Group(SAMPLE, optional=True),
        "posterior_predictive": Group(SAMPLE, optional=True),
        **OBSERVED,
    },
    ("provenance", "status", "attempts"),
)
SWEEP = Contract(
    "the posteriors of one entry over the points of a sweep",
    {
        "posterior": Group(SAMPLE),
        "sample_stats": Group(SAMPLE, STATS),
        "log_likelihood": Group(SAMPLE, optional=True),
        **OBSERVED,
        "truth": Group(optional=True),
    },
    ("provenance", "status", "attempts", "over"),
)
CRASHED = Contract("a result without numbers, because its process or its fit failed", {}, ("provenance", "status"))
LOO = Contract(
    "predictive density of each held-out unit or member of a group",
    {
        "loo": Group((), ("elpd", "mcse", "pareto_k", "p_loo", "method", "rhat", "diverging")),
        "predictive": Group(SAMPLE, optional=True),
    },
    ("provenance", "status"),
)
SENSITIVITY = Contract(
    "power-scaling sensitivity of every parameter to its priors and to the data",
    {"sensitivity": Group(("parameter",), ("site", "prior", "likelihood", "diagnosis"))},
    ("provenance", "status"),
)
PREDICTIONS = Contract(
    "predictions for new groups",
    {"predictions": Group(SAMPLE), "predictions_constant_data": Group(optional=True)},
    ("provenance", "status"),
)
ANSWERS = Contract(
    "quantities that answer a study's question, and their draws",
    {"answers": Group(("row",), ("answer", "quantity", "model", "role", "is", "value", "reason"))},
    ("provenance", "status"),
)
CALIBRATION = Contract(
    "simulation-based calibration of one entry",
    {
        "simulations": Group(("simulation",), ("rank", "below", "truth", "mean", "sd", "ess", "outcome", "reason")),
        "quantities": Group(("quantity",), ("p_value", "coverage_50", "coverage_89", "site")),
    },
    ("provenance", "status", "verdict", "reasons"),
)
RECOVERY = Contract(
    "recovery of true values by one entry over a grid of simulator arguments",
    {
        "fits": Group(("replicate",), ("outcome", "reason")),
        "estimates": Group(("replicate", "parameter"), ("mean", "sd", "eti89_low", "eti89_high")),
    },
    ("provenance", "status"),
)
RANKING_COUNTS = ("rank", "doubtful", "n_units", "rows_psis", "rows_refit", "rows_kfold")
RANKING = (
    *(
        "model",
        "target",
        "rank",
        "elpd",
        "se",
        "mcse",
        "elpd_diff",
        "dse",
        "tie",
        "p_worse",
        "diag_diff",
        "p_loo",
        "weight",
    ),
    *(*RANKING_COUNTS[1:], "verdict"),
)
"""Columns of every ranking, also where no entry has numbers."""

FILES = {
    "<study>/data.nc": DATA,
    "<study>/<entry>/prior.nc": PRIOR,
    "<study>/<entry>/fit.nc": FIT,
    "<study>/<entry>/loo.nc": LOO,
    "<study>/<entry>/logo_<group>.nc": LOO,
    "<study>/<entry>/sensitivity.nc": SENSITIVITY,
    "<study>/<entry>/predictions.nc": PREDICTIONS,
    "<study>/answers.nc": ANSWERS,
    "<study>/sweeps/<sweep>/fit.nc": SWEEP,
    "<study>/sweeps/<sweep>/loo.nc": LOO,
    "<study>/calibration/<calibration>.nc": CALIBRATION,
    "<study>/recovery/<recovery>/<entry>.nc": RECOVERY,
}
"""Every NetCDF file below results/ and its contract."""


def check(tree: xr.DataTree, contract: Contract, path: str, fix: str = REMAKE) -> None:
    """Check a result against its contract. A result whose status is not "ok" may lack groups.

    Args:
        tree: Content of the file.
        contract: What it must contain.
        path: The file, for messages.
        fix: The fix that messages give.

    Raises:
        UserError: Something is missing; the message names the file and the group.
    """
    for attribute in contract.attributes:
        if attribute not in tree.attrs:
            raise UserError(f"{path}: the attribute {attribute} is missing; {fix}")
    complete = tree.attrs.get("status", "ok") == "ok"
    for name, group in contract.groups.items():
        if name in tree.children:
            _check_group(tree[name].to_dataset(), group, f"{path}, group {name}", fix)
        elif complete and not group.optional:
            raise UserError(f"{path}: the group {name} is missing ({contract.description}); {fix}")


def _check_group(dataset: xr.Dataset, group: Group, where: str, fix: str) -> None:
    for name in group.variables:
        if name not in dataset:
            raise UserError(f"{where}: the variable {name} is missing; {fix}")
    for name, variable in dataset.data_vars.items():
        absent = [dim for dim in group.dims if dim not in variable.dims]
        if absent:
            raise UserError(f"{where}: {name} has no dim {absent[0]}; {fix}")
