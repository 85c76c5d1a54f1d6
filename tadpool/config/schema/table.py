"""The keys of a table that a study describes instead of naming a dataset."""

import keyword
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from tadpool.config.schema.types import Distinct, Strict, Text, broken_rule

RESERVED = ("chain", "draw", "elpd", "elpd_psis", "mcse", "pareto_k", "p_loo", "method", "rhat", "diverging")
"""Names of dims of all results, and of what a file of scores holds of each unit or member."""


def _label(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise PydanticCustomError("label_type", "text or a whole number")
    return value


def _usable(name: str) -> str:
    if keyword.iskeyword(name):
        raise broken_rule(
            f"{name!r} is a word of the language Python", "choose another name, and give the heading as `column`"
        )
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name) or name == "self":
        what = f"{name!r} cannot be the name of a model's argument"
        raise broken_rule(what, "use letters, digits and _, and give the heading in the table as `column`")
    if name.endswith("_index") or name.startswith("n_") or name in RESERVED:
        what = f"the name {name!r} is reserved, as are all names with n_ at the start or _index at the end"
        raise broken_rule(what, "choose another, and give the heading in the table as `column`")
    return name


def _free(name: str) -> str:
    if name in RESERVED:
        raise broken_rule(f"results have something else of the name {name!r}", "choose another name")
    return name


Label = Annotated[Any, AfterValidator(_label), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})]
Name = Annotated[str, AfterValidator(_usable)]
Dim = Annotated[str, AfterValidator(_free)]


class Column(Strict):
    """A column of the table, under the name that models use.

    | kind | cells | a model's arguments |
    |---|---|---|
    | `number` | finite numbers | `x`; with `missing: mask` or `impute` also `x_known` |
    | `integer`, `count` | whole numbers; a count is at least 0 | `x` |
    | `binary` | two levels, 0 and 1 unless `levels` names them | `x`, 0 for the first level or 1 |
    | `ordered` | the levels, from lowest to highest | `x`, counted from 0, and `n_x_level` |
    | `categorical` | labels | `x_index`, the position of the row's label, and `n_x` |
    | `censoring` | none, left, right or interval, or 0, -1, 1 or 2 | `x`, these numbers |
    | `group` | labels of its members | `x_index` and `n_x`; `g_of_x` where it is `within: g` |

    The rows have the study's `unit` as their dim: `n_<unit>` is their number, and a `group` of that
    name holds their labels. Labels are sorted, as numbers where all of them are whole numbers;
    `levels` gives another order.
    """

    column: Text | None = Field(
        None, description="Heading in the table; by default the name used here.", examples=["Number of chips"]
    )
    kind: Literal["number", "integer", "count", "binary", "ordered", "categorical", "censoring", "group"] = Field(
        description="What the cells hold.", examples=["count"]
    )
    label: Text | None = Field(
        None, description="Meaning, for axes and tables; by default the name.", examples=["chocolate chips"]
    )
    units: Text | None = Field(None, description="Units of measurement, for axes and tables.", examples=["per cookie"])
    sign: Text | None = Field(
        None,
        description="Sign before or after the numbers, which is left out: a currency or a unit of measurement.",
        examples=["€"],
    )
    missing_values: list[Label] | None = Field(
        None,
        description="Cell contents that count as empty in this column, instead of the table's `missing_values`. `[]` keeps "
        "a label such as NA.",
        examples=[[]],
    )
    percent: bool = Field(
        False,
        description="Whether cells are per cent: `45 %` is read as 0.45. Each must have the sign.",
        examples=[True],
    )
    levels: Annotated[list[Label], Distinct] | None = Field(
        None,
        min_length=2,
        description="The allowed labels, in order: for `binary`, `ordered` (required) and `categorical`.",
        examples=[["small", "medium", "large"]],
    )
    at_least: float | None = Field(None, description="Smallest allowed value.", examples=[0])
    at_most: float | None = Field(None, description="Largest allowed value.", examples=[100])
    missing: Literal["fail", "drop", "mask", "impute"] = Field(
        "fail",
        description="What happens at an empty cell: `fail` refuses the table, `drop` removes the row, and `mask` keeps a "
        "row to which the predictor does not apply: its value is nan, and the variable `x_known` is 0 instead of 1. "
        "`impute` keeps a row whose value exists and is not known: in a formula the predictor gets a model of its own, and "
        "each empty cell a distribution. The page counts removed rows, masked cells and imputed ones. Only numeric columns "
        "that are not outcomes can be masked, and only columns of kind number, integer and binary imputed.",
        examples=["drop"],
    )
    trials: str | None = Field(
        None,
        description="Column with the number of trials, which a count of successes may not exceed.",
        examples=["density"],
    )
    exposure: str | None = Field(
        None, description="Column with the exposure of a count, above 0: hours, area, people.", examples=["hours"]
    )
    offset: str | None = Field(
        None, description="Column that is added to the linear predictor with coefficient 1.", examples=["log_hours"]
    )
    standard_error: str | None = Field(
        None,
        description="Column with the known standard error of each row's value, above 0: for estimates that come with "
        "standard errors, as in a meta-analysis.",
        examples=["stderr"],
    )
    censored: str | None = Field(
        None,
        description="Column of kind `censoring` that says how each row's value is censored: the outcome is the value (none), "
        "lies below it (left), above it (right, as the survival time of those who are still alive), or between it and "
        "`interval_end` (interval).",
        examples=["status"],
    )
    interval_end: str | None = Field(
        None, description="Column with the upper end of each value that is interval-censored.", examples=["last_seen"]
    )
    within: str | None = Field(
        None,
        description="Group in which this group is nested: equal labels in different outer groups are then different "
        "members, labelled `<outer> / <inner>`.",
        examples=["county"],
    )
    per: str | None = Field(
        None,
        description="Group whose members have one value each: the variable has the dim of the group, and a table whose rows "
        "disagree is refused.",
        examples=["county"],
    )


class Table(Strict):
    """A table instead of a dataset file: `dataset: {table: ..., columns: ...}`."""

    table: Text = Field(
        description="File, relative to the working directory: .csv, .tsv, .txt, .nc (NetCDF whose variables all "
        "have the same dim), .parquet or .pq. In Parquet nulls are empty cells, true and false are 1 and 0, dates are "
        "text, and categories are labels.",
        examples=["data/cookies.csv"],
    )
    about: Text | None = Field(
        None,
        description="Where the data come from, in a sentence.",
        examples=["Cookies of five bakeries, counted by us."],
    )
    separator: Literal["comma", "semicolon", "tab", "bar"] | None = Field(
        None, description="Separator between cells; by default detected, and a tab in .tsv.", examples=["semicolon"]
    )
    decimal: Literal["point", "comma"] | None = Field(
        None,
        description="Decimal mark; by default found from all numbers of the table. Where they can be read in two ways with "
        "different values, as 1,234 can, the table is refused until this or `thousands` is given.",
        examples=["comma"],
    )
    thousands: Literal["none", "comma", "point", "blank", "apostrophe"] | None = Field(
        None,
        description="Mark between groups of three digits; by default found as `decimal` is.",
        examples=["comma"],
    )
    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1252"] = Field(
        "utf-8", description="Encoding of the text.", examples=["cp1252"]
    )
    missing_values: list[Label] = Field(
        ["NA"], description="Cell contents that count as empty, besides empty cells.", examples=[["NA", -99]]
    )
    columns: dict[Name, Column] = Field(
        min_length=1,
        description="The columns to use: name -> what it holds. Other columns are ignored.",
        examples=[{"chips": {"kind": "count"}, "location": {"kind": "group"}}],
    )
