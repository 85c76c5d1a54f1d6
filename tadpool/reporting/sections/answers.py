"""The answers at the top of a page, each with what must be said in the same breath, and their
tables."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import pandas as pd

from tadpool.evaluation.power_scaling import SENSITIVE
from tadpool.files.results import StudyResults
from tadpool.formatting import decimals_for, first_of, general, listed, missing, number
from tadpool.reporting.fit_view import Fit
from tadpool.reporting.html.tables import Column, Table
from tadpool.reporting.sections.model_checks import FLAGGED, Grid
from tadpool.reporting.sections.recovery_grids import Recovery

TOP = 4
"""Answers at the top of a page; further ones have a section of their own."""
FEW = 3
"""Quantities of an answer that stand at the top one by one."""
FEW_MODELS = 5
SURE = 0.999
BECAUSE = {
    "Monte Carlo error": "the Monte Carlo error is too large",
    "prior": "priors of half the weight would change it",
    "models": "the models disagree",
}


@dataclass(frozen=True)
class Shown:
    """One answer.

    Attributes:
        name: Its name in config.
        label: What it is.
        entry: The entry whose answer it is.
        model: Its label.
        lines: What it is, a line each, the value and the rest of the line.
        caveats: What must be said beside it, in sentences: what its priors do, and true values.
        elsewhere: Its values in other models, in a sentence, where they have it.
        disputed: Whether another model's value lies outside its interval.
        known: Whether there is an answer.
        table: All quantities in all models, where the lines do not show them.
        value: The expression that is its value; "" where it has none.
    """

    name: str
    label: str
    entry: str
    model: str
    lines: list[tuple[str, str]]
    caveats: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    disputed: bool = False
    known: bool = True
    table: Table | None = None
    value: str = ""


def caveats(found: Sequence[Shown], checks: Grid, grids: Sequence[Recovery]) -> list[str]:
    """What the checks of a model found that holds for all its answers, a sentence for each model,
    and which others recover a parameter as well over a grid. What its priors do is shown with each
    answer."""
    told = []
    for row in checks.rows:
        troubles = [(name, cell) for name, cell in row.troubles if name != "Priors" and cell.means != FLAGGED]
        if troubles and not row.fit.failed and row.fit.entry in {each.entry for each in found}:
            words = [f"{name if name.isupper() else name.lower()} ({each.words})" for name, each in troubles]
            told.append(f"Checks of {row.fit.label} that did not pass: {listed(words)}.")
    first = {answer.value: answer for answer in reversed(found)}
    return [*told, *(words for each in grids for value in first for words in each.rivals(value, first[value].model))]


def answers(results: StudyResults, all_fits: Sequence[Fit]) -> list[Shown]:
    """Every answer of a study, in its order."""
    if not results.config["answers"] or not (results.folder / "answers.nc").is_file():
        return []
    tree, fits = results.answers(), {fit.entry: fit for fit in all_fits}
    if tree.attrs["status"] != "ok":
        return []
    rows = tree["answers"].to_dataset().to_dataframe().reset_index(drop=True)
    found = []
    for name, asked in results.config["answers"].items():
        own = rows[rows["answer"] == name]
        if len(own):
            found.append(_shown(name, asked, own, fits))
    return found


def _shown(name: str, asked: Mapping[str, Any], rows: pd.DataFrame, fits: Mapping[str, Fit]) -> Shown:
    fit = fits[asked["entry"]]
    own, others = rows[rows["role"] == "own"], rows[rows["role"] == "other"]
    elsewhere = _elsewhere(asked, own, others, fits)
    if own["reason"].iloc[0]:
        why = [("not known", f": {own['reason'].iloc[0]}")]
        return Shown(
            name, asked["label"], fit.entry, fit.label, why, _against_truth(asked, own), elsewhere, known=False
        )
    lines = _ranked(asked, own) if asked["rank"] is not None else _lines(asked, own)
    caveats = [*_by_prior(asked, own), *_against_truth(asked, own)]
    disputed = bool(elsewhere) and _outside(own.iloc[0], others["value"])
    several = len(own) > 1 or asked["rank"] is not None
    table = _table(asked, own) if several else None
    said = (name, asked["label"], fit.entry, fit.label, lines, caveats, elsewhere, disputed)
    return Shown(*said, table=table, value=asked["value"] or "")


def value_words(row: Mapping[str, Any], units: str | None = None) -> tuple[str, str]:
    """The value, and its interval or what else belongs to it."""
    if row["is"] == "probability":
        return probability(row["value"], row["draws"]), f" probability{_error(row['value'], row['mcse'])}"
    if missing(row["value"]):
        return "not known", ""
    decimals = _decimals(row)
    low, high = number(row["eti89_low"], decimals), number(row["eti89_high"], decimals)
    which = "median, " if row["is"] == "median" else ""
    return number(row["value"], decimals), f"{f' {units}' if units else ''} ({which}89 % interval {low} to {high})"


def _decimals(row: Mapping[str, Any]) -> int:
    low, high = row["value"] - row["eti89_low"], row["eti89_high"] - row["value"]
    return decimals_for(min(low, high) or row["value"] if row["is"] == "median" else row["sd"], 2)


def probability(value: float, draws: float) -> str:
    """A probability; at 0 and 1 what so many draws can say."""
    least = max(1 - SURE, math.ceil(1000 / draws) / 1000 if draws else 1 - SURE)
    if value > 1 - least:
        return f"> {number(1 - least, 3)}"
    if value < least:
        return f"< {number(least, 3)}"
    return number(value, 3 if min(value, 1 - value) < 0.05 else 2)


def _error(value: float, mcse: float) -> str:
    """The Monte Carlo error, where two decimals show it."""
    return f" (Monte Carlo error {number(mcse, 2)})" if mcse >= 0.01 else ""


def _lines(asked: Mapping[str, Any], own: pd.DataFrame) -> list[tuple[str, str]]:
    records = own.to_dict("records")
    if len(records) <= FEW:
        return [_line(asked, row, len(records) > 1) for row in records]
    lines = []
    if asked["decide"] is not None:
        lines.append(_decisions(asked, own))
    low, high = own.loc[own["value"].idxmin()], own.loc[own["value"].idxmax()]
    decimals = min(_decimals(low), _decimals(high)) if low["is"] != "probability" else 2
    units = f" {asked['units']}" if asked["units"] else ""
    span = f"{number(low['value'], decimals)} to {number(high['value'], decimals)}"
    lines.append((span, f"{units}, from {low['quantity']} to {high['quantity']} ({len(own)} in the table below)"))
    return lines


def _decisions(asked: Mapping[str, Any], own: pd.DataFrame) -> tuple[str, str]:
    """For how many quantities the decision is yes, and for how many the opposite would be."""
    line, statement = asked["decide"], _statement(asked)
    probability_of = own["probability"].where(own["is"] != "probability", own["value"])
    counts = {word: int((own["decision"] == word).sum()) for word in ("yes", "no", "undecided")}
    opposite = int(((own["decision"] == "no") & (probability_of < 1 - line)).sum())
    parts = [
        f"{statement} with a probability above {line:g}",
        f"{opposite} with one below {1 - line:.2g}",
        f"{counts['no'] - opposite} with one between",
    ]
    parts = [part for part in parts if not part.startswith("0 ")]
    parts += [f"{counts['undecided']} undecided"] if counts["undecided"] else []
    return f"{counts['yes']} of {len(own)}", f" {listed(parts)}"


def _line(asked: Mapping[str, Any], row: Mapping[str, Any], named: bool) -> tuple[str, str]:
    value, rest = value_words(row, asked["units"])
    if row["is"] != "probability" and not missing(row["probability"]):
        rest += f"; {_chance(asked, row)}"
    if row["decision"]:
        why = [BECAUSE[each] for each in row["because"].split(", ") if each]
        rest += f": {row['decision']}{f' ({listed(why)})' if why else ''}"
    return (f"{row['quantity']}: {value}" if named and row["quantity"] else value), rest


def _chance(asked: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """The probability of what is asked, or of the likelier direction where nothing is."""
    asks = any(asked[key] is not None for key in ("above", "below", "within"))
    if asks or row["probability"] >= 0.5:
        return f"{_statement(asked, row['line'])} with probability {probability(row['probability'], row['draws'])}"
    return f"below {general(row['line'], 3)} with probability {probability(1 - row['probability'], row['draws'])}"


def _statement(asked: Mapping[str, Any], line: float | None = None) -> str:
    for key in ("above", "below"):
        if asked[key] is not None:
            return f"{key} {general(asked[key])}"
    if asked["within"] is not None:
        return f"between {general(asked['within'][0])} and {general(asked['within'][1])}"
    return f"above {general(line, 3)}" if not missing(line) else "true"


def _ranked(asked: Mapping[str, Any], own: pd.DataFrame) -> list[tuple[str, str]]:
    """The members that are most probably first and last."""
    best, worst = own.loc[own["p_best"].idxmax()], own.loc[own["p_worst"].idxmax()]
    first, last = ("highest", "lowest") if asked["best"] == "highest" else ("lowest", "highest")
    lines = []
    for row, key, word in ((best, "p_best", first), (worst, "p_worst", last)):
        member = f"{asked['rank']} {row['quantity']}" if row["quantity"].isdigit() else row["quantity"]
        value, interval = value_words(row, asked["units"])
        chance = probability(row[key], row["draws"])
        if row[key] < 0.5:
            rest = f" stands out as the {word}; the likeliest is {member}, with probability {chance}"
            lines.append(("None", f"{rest}: {value}{interval}"))
        else:
            lines.append((member, f", the {word} with probability {chance}: {value}{interval}"))
    return lines


def _by_prior(asked: Mapping[str, Any], own: pd.DataFrame) -> list[str]:
    """That the answer depends on the priors, and what it would be if they had half their weight."""
    moved = own[own["prior"] >= SENSITIVE]
    if not len(moved):
        return []
    if len(own) > 1:
        count = "All" if len(moved) == len(own) else f"{len(moved)} of the {len(own)}"
        return [f"{count} depend on the priors."]
    row = moved.iloc[0]
    if missing(row["weaker"]):
        return ["It depends on its priors; how far, importance sampling cannot tell."]
    weaker = (
        probability(row["weaker"], row["draws"])
        if row["is"] == "probability"
        else number(row["weaker"], _decimals(row))
    )
    return [f"It depends on its priors: if they had half their weight it would be {weaker}."]


def _elsewhere(asked: Mapping[str, Any], own: pd.DataFrame, others: pd.DataFrame, fits: Mapping[str, Fit]) -> list[str]:
    """Its value in the other models that have it."""
    if len(own) > 1 or not len(others) or others["quantity"].nunique() > 1:
        return []
    first = own.iloc[0]
    parts = []
    for row in others.to_dict("records"):
        also = [f"a {row['is']}"] if row["is"] != first["is"] else []
        also += [_interval(row)] if len(others) <= FEW and not missing(row["eti89_low"]) else []
        also += ["its interval does not include the true value"] if _missed(first["truth"], row) else []
        beside = f" ({'; '.join(also)})" if also else ""
        parts.append(f"{value_words(row)[0]} by {fits[row['model']].label}{beside}")
    return [f"In other models: {first_of(parts, FEW_MODELS)}."]


def _outside(row: Mapping[str, Any], values: pd.Series) -> bool:
    """Whether any of these values lies outside the interval."""
    return bool(((values < row["eti89_low"]) | (values > row["eti89_high"])).any())


def _against_truth(asked: Mapping[str, Any], own: pd.DataFrame) -> list[str]:
    """The true value of simulated data, and whether the interval includes it."""
    if len(own) > 1 or missing(own["truth"].iloc[0]):
        return []
    row = own.iloc[0]
    return [
        f"The true value is {general(row['truth'], 3)}{', outside this interval' if _missed(row['truth'], row) else ''}."
    ]


def _missed(truth: float, row: Mapping[str, Any]) -> bool:
    """Whether there is a true value outside the interval; no interval misses anything."""
    return bool(truth < row["eti89_low"] or truth > row["eti89_high"])


def _table(asked: Mapping[str, Any], own: pd.DataFrame) -> Table:
    """All quantities of an answer by its own model."""
    units = f", {asked['units']}" if asked["units"] else ""
    columns = [
        Column("Quantity", itemgetter("quantity"), number=False),
        Column(f"{own['is'].iloc[0].capitalize()}{units}", lambda row: value_words(row)[0], own=True),
    ]
    if own["is"].iloc[0] != "probability":
        columns.append(Column("89 % interval", _interval))
    if own["probability"].notna().any():
        said = _statement(asked, own["line"].iloc[0])
        columns.append(Column(f"P({said})", lambda row: probability(row["probability"], row["draws"]), own=True))
    if own["decision"].astype(bool).any():
        columns.append(Column("Decision", lambda row: _decision(row, asked["decide"]), number=False))
    if asked["rank"] is not None:
        top = min(asked["top"], len(own))
        columns += [
            Column("Expected rank", lambda row: number(row["rank"], 1), own=True),
            Column(
                "89 % interval of the rank",
                lambda row: f"{general(row['rank_low'])} to {general(row['rank_high'])}",
                own=True,
            ),
            Column("P(first)", lambda row: probability(row["p_best"], row["draws"]), own=True),
            Column(f"P(first {top})", lambda row: probability(row["p_top"], row["draws"]), own=True),
            Column("P(last)", lambda row: probability(row["p_worst"], row["draws"]), own=True),
        ]
    if own["prior"].notna().any():
        columns.append(Column("Prior sensitivity", lambda row: number(row["prior"], 2), own=True))
    ordered = own.sort_values("rank", kind="stable") if asked["rank"] is not None else own
    return Table(columns, ordered.to_dict("records"))


def _interval(row: Mapping[str, Any]) -> str:
    decimals = _decimals(row)
    return f"{number(row['eti89_low'], decimals)} to {number(row['eti89_high'], decimals)}"


def _decision(row: Mapping[str, Any], line: float) -> str:
    """`no` is said where the opposite is as sure."""
    sure = row["probability"] if row["is"] != "probability" else row["value"]
    if row["decision"] == "no" and sure >= 1 - line:
        return f"not above {line:g}"
    why = [BECAUSE[each] for each in row["because"].split(", ") if each]
    return f"{row['decision']}{f': {listed(why)}' if why else ''}"
