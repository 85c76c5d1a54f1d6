"""What a page says of test quantities: observed data against data sets that a fit replicates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tadpool.evaluation.predictive_checks import TAIL
from tadpool.formatting import an, counted, number, plural, scaled, sentence, whole
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.html.tables import Column, Table


@dataclass(frozen=True)
class PredictiveChecks:
    """The test quantities of one fit. table: a row each. reason: why there are none, "" where there
    are or none was asked.

    looked, extreme: how many quantities there are, and how many of them chance hardly explains; 0
    of a failed fit, of which nothing is said either.
    """

    table: Table
    sentences: list[str]
    looked: int = 0
    extreme: int = 0
    reason: str = ""

    @property
    def shown(self) -> bool:
        return bool(self.table.rows or self.reason)


def read_checks(fit: Fit) -> PredictiveChecks:
    """The numbers of the figure of test quantities of a fit. Of separate fits those that failed
    take part."""
    path = fit.results.folder / "figures" / f"{fit.entry}-test_quantities.csv"
    if not fit.usable:
        return PredictiveChecks(NOTHING, [], reason=f"its fit {'crashed' if fit.status == 'crashed' else 'failed'}")
    if not path.is_file():
        return PredictiveChecks(NOTHING, [])
    table = pd.read_csv(path, dtype={"outcome": str, "group": str}).fillna({"group": ""})
    table["what"] = [_members(fit, group) for group in table["group"]]
    several = table["outcome"].nunique() > 1
    shown = Table(COLUMNS, [{**row, "several": several} for row in table.to_dict("records")])
    if fit.failed and not fit.failed_members:
        return PredictiveChecks(shown, [])
    gates = fit.results.config["observed_where"].items()
    counts = [
        f"Values of {outcome} count only where {gate} is not 0, both observed and replicated."
        for outcome, gate in gates
    ]
    return PredictiveChecks(shown, [*_sentences(table, several), *counts], len(table), int(table["extreme"].sum()))


def _members(fit: Fit, group: str) -> str:
    """What the members are, in the plural; "" of the whole data."""
    known = group in fit.results.config["groups"] or f"{group}_index" in fit.results.data
    of = "levels" if group in fit.results.data else "combinations"
    return "" if not group else plural(group) if known else f"{of} of {group}"


def overall_words(found: Sequence[PredictiveChecks]) -> str:
    """How many quantities were checked in all, and how many of them are extreme."""
    looked, fits = sum(each.looked for each in found), sum(each.looked > 0 for each in found)
    if not looked:
        return ""
    extreme = sum(each.extreme for each in found)
    return (
        f"{sentence(counted(looked, 'quantity'))} of {counted(fits, 'fit')} {'was' if looked == 1 else 'were'} checked, and "
        f"{extreme} of them {'is' if extreme == 1 else 'are'} extreme; at most {number(2 * TAIL * looked, 1)} would be "
        "expected by chance from correct models. The checks use the data that were fitted, so that tail probabilities "
        "gather around 0.5: a value near 0.5 is weak evidence of fit."
    )


def _name(row: Mapping[str, Any], several: bool) -> str:
    of = f" of {row['outcome']}" if several else ""
    return f"{row['quantity']}{of}" + (f" by {row['group']}, outside of {row['members']}" if row["group"] else "")


def _value(row: Mapping[str, Any], key: str) -> str:
    """A number as precise as its spread over replicated data sets; no decimals where all numbers of
    the row are whole."""
    values = np.array([row[name] for name in ("observed", "median", "eti89_low", "eti89_high")], float)
    return whole(row[key]) if (values == values.round()).all() else scaled(row[key], row["sd"])


def _reading(row: Mapping[str, Any]) -> str:
    if not row["extreme"]:
        return ""
    if row["group"]:
        return "! too many"
    return "! high" if row["tail_probability"] < TAIL else "! low"


COLUMNS = (
    Column("Quantity", lambda row: _name(row, row["several"]), number=False),
    Column("Observed", lambda row: _value(row, "observed")),
    Column("Replicated, median", lambda row: _value(row, "median")),
    Column("89 % interval", lambda row: f"{_value(row, 'eti89_low')} to {_value(row, 'eti89_high')}"),
    Column("Tail probability ± MCSE", lambda row: f"{number(row['tail_probability'], 3)} ± {number(row['mcse'], 3)}"),
    Column("Reading", _reading, number=False),
)
NOTHING = Table(COLUMNS, [])


def _sentences(table: pd.DataFrame, several: bool) -> Iterator[str]:
    extreme = table[table["extreme"] & (table["group"] == "")]
    whole_data = table[table["group"] == ""]
    first = f"{len(extreme) or 'None'} of the {len(whole_data)} quantities of the whole data"
    if len(whole_data) == 1:
        first = f"The quantity of the whole data, {whole_data['quantity'].iloc[0]},"
    verb = "is" if len(extreme) < 2 else "are"
    extreme_or_not = "not extreme" if len(whole_data) == 1 and extreme.empty else "extreme"
    yield f"{first} {verb} {extreme_or_not} among {whole(table['replicates'].iloc[0])} replicated data sets."
    for _, row in extreme.iterrows():
        upper = row["tail_probability"] < TAIL
        share = row["tail_probability"] if upper else 1 - row["tail_probability"]
        low, high = _value(row, "eti89_low"), _value(row, "eti89_high")
        reach = f"{number(100 * share, 1)} % of replicated data sets" if share else "no replicated data set"
        beyond = ("exceed" if share else "exceeds") if upper else ("fall below" if share else "falls below")
        seen = f"{_name(row, several)} ({_value(row, 'observed')})"
        yield (
            f"The observed {seen} is {'high' if upper else 'low'}: {reach} {beyond} it, and 89 % of them lie "
            f"between {low} and {high}."
        )
    for _, row in table[table["group"] != ""].iterrows():
        of = f" of {row['outcome']}" if several else ""
        judged = ", more than chance explains" if row["extreme"] else ""
        quantity = an(row["quantity"])
        members, have = f"{row['members']} {row['what']}", "has" if row["observed"] == 1 else "have"
        yield (
            f"Of {members}, {whole(row['observed'])} {have} {quantity}{of} outside the 95 % interval "
            f"({number(row['mean'], 1)} expected){judged}."
        )
