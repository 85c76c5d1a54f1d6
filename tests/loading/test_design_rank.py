"""What a table cannot tell is noticed before anything is sampled, in any unit, and said in a
sentence that names the columns."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from tadpool.config.schema.table import Table
from tadpool.loading.design_rank import DesignRank
from tadpool.loading.preparation import prepare
from tadpool.loading.remarks import of_data

ROWS, TOWNS = 24, 6
RNG = np.random.default_rng(1)
TOWN = np.arange(ROWS) // 4
X = np.round(RNG.normal(15, 3, ROWS), 1)
W = np.round(RNG.normal(2, 1, ROWS), 2)
WIDE = {f"p{i}": RNG.normal(size=ROWS) for i in range(ROWS)}
OTHER = np.round(32 + 1.8 * X + np.arange(ROWS) % 2 / 10, 1)
SHORT = np.where(TOWN == 2, 1.5, W)
# Columns beside y and town, kinds that are not number, and what is remarked: code, values.
BATTERY = {
    "nothing": ({"x": X, "w": W}, {}, []),
    "one value": ({"x": X, "h": np.full(ROWS, 120.0)}, {}, [("constant", {"column": "h", "value": "120"})]),
    "one value, yes or no": ({"x": X, "h": np.ones(ROWS, int)}, {"h": "binary"}, [("constant", {"column": "h"})]),
    "one level": ({"x": X, "h": ["clay"] * ROWS}, {"h": "categorical"}, [("constant", {"column": "h", "value": "clay"})]),
    "one value and one row more": ({"x": X, "h": np.r_[np.full(ROWS - 1, 120.0), 120.001]}, {}, [("short_members", {})]),
    "a property of towns": ({"x": X, "z": TOWN * 2.5}, {}, [("of_members", {"column": "z", "group": "town"})]),
    "a town's yes or no": ({"x": X, "z": TOWN % 2}, {"z": "binary"}, [("of_members", {"column": "z"})]),
    "balanced": ({"x": X, "dose": np.arange(ROWS) % 4 * 0.1}, {}, [("balanced", {"column": "dose", "group": "town"})]),
    "treated, two of four": ({"x": X, "t": np.arange(ROWS) % 2}, {"t": "binary"}, [("balanced", {"column": "t"})]),
    "Celsius and Fahrenheit": ({"x": X, "f": 32 + 1.8 * X}, {}, [("dependent", {"column": "f", "others": ["x"]})]),
    "a sum": ({"x": X, "w": W, "s": X + W}, {}, [("dependent", {"column": "s", "others": ["x", "w"]})]),
    "shares of a whole": (
        {"x": W / 10, "v": X / 100, "s": 1 - W / 10 - X / 100}, {}, [("dependent", {"column": "s", "others": ["x", "v"]})]
    ),
    "Fahrenheit by another thermometer": (
        {"x": X, "f": OTHER}, {}, [("nearly_dependent", {"column": "f", "others": ["x"]})]
    ),
    "a level as yes or no": (
        {"soil": ["clay", "sand", "loam"] * 8, "clay": [1, 0, 0] * 8}, {"soil": "categorical", "clay": "binary"},
        [("dependent", {"column": "clay", "others": ["soil"]})],
    ),
    "more columns than rows": (WIDE, {}, [("more_columns_than_rows", {"columns": 25, "rows": 24}), ("short_members", {})]),
    "a town with one value": ({"x": X, "w": SHORT}, {}, [("short_members", {"columns": ["x", "w"], "members": ["t2"]})]),
    "a level in each town": (
        {"x": X, "coast": [f"c{town % 3}" for town in TOWN]}, {"coast": "categorical"},
        [("levels_of_members", {"column": "coast", "group": "town"})],
    ),
    "a name for each town": (
        {"x": X, "name": [f"n{town}" for town in TOWN]}, {"name": "categorical"}, [("levels_of_members", {"column": "name"})]
    ),
    "what the outcome was computed from": (
        {"x": X, "w": W, "part": np.arange(ROWS) % 7 * 0.5}, {}, [("computed_outcome", {"outcome": "y", "others": ["part"]})]
    ),
    "a level in each row": (
        {"name": [f"n{row}" for row in range(ROWS)]}, {"name": "categorical"}, [("as_many_columns_as_rows", {"columns": ROWS})]
    ),
    "a level without rows": (
        {"x": X, "soil": ["clay", "sand"] * 12}, {"soil": "ordered"}, [("empty_levels", {"column": "soil", "levels": ["mud"]})]
    ),
}  # fmt: skip
LEVELS = {"soil": ["clay", "mud", "sand"]}


def table(columns, kinds, towns=TOWN, y=None):
    """A description of a table of y, town and these columns, which is written."""
    cells = {
        "y": np.arange(len(towns)) % 7 * 1.5 if y is None else y,
        "town": [f"t{town}" for town in towns],
        **columns,
    }
    rows = zip(*(map(str, column) for column in cells.values()), strict=True)
    with open("t.csv", "w") as file:
        file.write("\n".join(",".join(row) for row in [tuple(cells), *rows]) + "\n")
    described = {"y": {"kind": "number"}, "town": {"kind": "group"}}
    for name in columns:
        described[name] = {"kind": kinds.get(name, "number")}
        described[name] |= {"levels": LEVELS[name]} if described[name]["kind"] == "ordered" else {}
    return {**Table.model_validate({"table": "t.csv", "columns": described}).model_dump(), "unit": "row"}


def remarked(*arguments, **keys):
    tree = prepare(table(*arguments, **keys), {}, ["y"], "s", None, ["row", "town"])
    return of_data(tree.attrs)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("columns", "kinds", "expected"), BATTERY.values(), ids=BATTERY)
def test_what_a_table_cannot_tell_is_remarked(columns, kinds, expected, capsys):
    found = remarked(columns, kinds)
    assert [each.code for each in found] == [code for code, _ in expected]
    for each, (_, values) in zip(found, expected, strict=True):
        assert values.items() <= each.values.items()
        assert all(name in each.sentence for name in np.atleast_1d(each.values.get("column", [])))
    # The log of the job has the same words.
    assert capsys.readouterr().out.splitlines() == [each.sentence for each in found]


@pytest.mark.parametrize(("towns", "members"), [(1, 1), (2, 2), (4, 4), (5, None)])
def test_few_groups_are_remarked(towns, members):
    found = {each.code: each for each in remarked({"x": X[:20]}, {}, towns=np.arange(20) % towns)}
    assert ("few_members" in found) == bool(members)
    if members:
        assert found["few_members"].values == {"group": "town", "members": members}
        assert ("has one member" in found["few_members"].sentence) == (members == 1)


def test_members_with_one_row_each_are_remarked():
    found = {each.code for each in remarked({}, {}, towns=np.arange(ROWS))}
    assert found == {"single_rows"}
    described = table({"error": np.full(ROWS, 0.5)}, {}, towns=np.arange(ROWS))
    described["columns"]["y"]["standard_error"] = "error"
    assert not of_data(prepare(described, {}, ["y"], "s", None, ["row", "town"]).attrs)


@pytest.mark.parametrize(
    ("other", "same"), [([f"u{town}" for town in TOWN], True), ([f"u{town // 2}" for town in TOWN], False)]
)
def test_two_groups_with_the_same_members_are_remarked(other, same):
    described = table({"region": other}, {"region": "group"})
    found = {each.code for each in of_data(prepare(described, {}, ["y"], "s", None, ["row", "town", "region"]).attrs)}
    assert ("same_groups" in found) == same


def test_a_constant_outcome_is_remarked_and_one_that_varies_is_not():
    assert [each.code for each in remarked({"x": X, "w": W}, {}, y=np.full(ROWS, 3.5))] == ["constant_outcome"]


def test_a_declared_property_of_a_group_needs_no_remark():
    described = table({"x": X, "z": TOWN * 2.5}, {})
    described["columns"]["z"]["per"] = "town"
    assert of_data(prepare(described, {}, ["y"], "s", None, ["row", "town"]).attrs) == []


NUMBERS = {name: each for name, each in BATTERY.items() if not each[1] and name != "more columns than rows"}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(NUMBERS)), st.floats(-12, 12), st.integers(0, 3))
def test_a_change_of_units_changes_nothing(name, exponent, shift):
    """Every column in a unit of its own; what is not a sum or share stays the same."""

    def found(factor):
        columns = {
            each: np.asarray(values) * factor ** (1 - (i + shift) % 3) for i, (each, values) in enumerate(columns_of)
        }
        dataset = xr.Dataset({each: ("row", values) for each, values in columns.items()})
        dataset = dataset.assign(town_index=("row", TOWN)).assign_coords(town=[f"t{i}" for i in range(TOWNS)])
        rank = DesignRank(dataset, dict.fromkeys(columns, "number"), "row", "town")
        return list(rank.constant), rank.of_members, rank.balanced, rank.dependent, rank.nearly_dependent, rank.short

    columns_of = list(NUMBERS[name][0].items())
    assert found(10.0**exponent) == found(1.0)


OUTCOMES = [
    ("y\nno\nno\n", {"y": {"kind": "binary", "levels": ["no", "yes"]}}, "y is no in all rows"),
    ("y\nmid\nmid\n", {"y": {"kind": "ordered", "levels": ["low", "mid"]}}, "y is mid in all rows"),
    ("y,n\n3,3\n5,5\n", {"y": {"kind": "count", "trials": "n"}, "n": {"kind": "count"}}, "y is equal to n, its trials"),
    (
        "y,n\n0,0\n0,0\n",
        {"y": {"kind": "count", "trials": "n"}, "n": {"kind": "count"}},
        "n is 0 in all rows, so y says",
    ),
    ("y,n\n0,4\n0,3\n", {"y": {"kind": "count", "trials": "n"}, "n": {"kind": "count"}}, "y is 0 in all rows"),
]


@pytest.mark.parametrize(("content", "columns", "sentence"), OUTCOMES)
def test_an_outcome_that_says_nothing_is_named_in_words_of_the_table(tmp_path, monkeypatch, content, columns, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(content)
    table = Table.model_validate({"table": "t.csv", "columns": columns}).model_dump()
    (remark,) = of_data(prepare({**table, "unit": "row"}, {}, ["y"], "s").attrs)
    assert remark.sentence.startswith(sentence)
