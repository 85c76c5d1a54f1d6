"""Tables that a study describes: what is read of each format, and the one sentence that each bad
cell gives."""

import datetime
import json
import sys
from types import SimpleNamespace

import numpy as np
import polars
import pytest
import xarray as xr

from tadpool.config.schema.table import Table
from tadpool.errors import UserError
from tadpool.files.data_file import merged
from tadpool.files.results import StudyResults
from tadpool.loading import sources
from tadpool.loading.described_table import FIX_EMPTY
from tadpool.loading.preparation import prepare
from tadpool.loading.remarks import of_data
from tadpool.reporting.sections import data as reporting
from tadpool.reporting.sections import outcomes
from tests.made.tables import texts

CHIPS = {"chips": {"kind": "count"}, "place": {"kind": "group"}}


def described(table, columns, unit="row", **keys):
    """A described table as jobs are told of it."""
    return {**Table.model_validate({"table": table, "columns": columns, **keys}).model_dump(), "unit": unit}


def tree_of(content, columns=CHIPS, outcomes=("chips",), name="t.csv", **keys):
    with open(name, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return prepare(described(name, columns, **keys), {}, list(outcomes), "s")


def data_of(*arguments, **keys):
    return merged(tree_of(*arguments, **keys))


def how_of(*arguments, **keys):
    return json.loads(tree_of(*arguments, **keys).attrs["table"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# The same data.nc as from a dataset file


def test_a_described_table_gives_the_data_of_the_dataset_file():
    """Cookies in every variable, dim, label and attribute; only the root has one more, `table`."""
    columns = {"chips": {"kind": "count", "units": "per cookie"}, "location": {"kind": "group"}}
    dims = ["cookie", "location"]
    found = prepare(described("data/cookies.csv", columns, "cookie"), {}, ["chips"], "s", dims=dims)
    expected = prepare("cookies", {}, ["chips"], "s", dims=dims)
    assert set(found.children) == set(expected.children)
    for group in expected.children:
        xr.testing.assert_identical(found[group].to_dataset(), expected[group].to_dataset())
    assert set(found.attrs) == {"table"}


def test_labels_of_the_unit_levels_and_trials_are_those_of_the_dataset_file():
    """Frogs are the same but for the attribute that names the trials."""
    columns = {
        "tank": {"kind": "group"},
        "density": {"kind": "count", "units": "tadpoles"},
        "predators": {"kind": "binary", "levels": ["absent", "present"]},
        "large": {"kind": "binary", "column": "size", "levels": ["small", "big"], "label": "size"},
        "survived": {"kind": "count", "trials": "density", "units": "tadpoles", "label": "survivors"},
    }
    found = merged(prepare(described("data/reedfrogs.csv", columns, "tank"), {}, ["survived"], "s", dims=["tank"]))
    expected = merged(prepare("reedfrogs", {}, ["survived"], "s"))
    assert found["survived"].attrs.pop("trials") == "density"
    xr.testing.assert_identical(found, expected)


def test_values_of_a_group_have_its_dim():
    columns = {"county": {"kind": "group"}, "uranium": {"kind": "number", "column": "uranium_ppm", "per": "county"}}
    columns["activity"] = {"kind": "number"}
    found = merged(prepare(described("data/radon.csv", columns, "house"), {}, ["activity"], "s"))
    expected = merged(prepare("radon", {}, ["log_radon"], "s"))
    assert found["uranium"].dims == ("county",)
    np.testing.assert_allclose(found["uranium"], expected["uranium"], rtol=1e-15)
    assert found["county"].values.tolist() == expected["county"].values.tolist()
    np.testing.assert_array_equal(found["county_index"], expected["county_index"])


# Formats and dialects: content, keys of the table, the dialect that is reported

PLAIN = "place,chips,x\n1,3,1.5\n2,0,2.25\n"
DIALECTS = [
    (PLAIN, {}, ("comma", "utf-8", "point")),
    (PLAIN.replace("\n", "\r\n").encode("utf-8-sig"), {}, ("comma", "utf-8", "point")),
    ("place;chips;x\n1;3;1,5\n2;0;2,25\n", {}, ("semicolon", "utf-8", "comma")),
    ("place;chips;x\n1;3;1.5\n2;0;2.25\n", {}, ("semicolon", "utf-8", "point")),
    (PLAIN.replace(",", "\t"), {}, ("tab", "utf-8", "point")),
    (PLAIN.replace(",", "|"), {"separator": "bar"}, ("bar", "utf-8", "point")),
    ('place,chips,x\n1,3,"1,5"\n\n2, 0 ,"2,25"\n', {"decimal": "comma"}, ("comma", "utf-8", "comma")),
    (PLAIN.encode("utf-16"), {"encoding": "utf-16"}, ("comma", "utf-16", "point")),
    (",place,chips,x\n1,1,3,1.5\n2,2,0,2.25\n", {}, ("comma", "utf-8", "point")),
]


@pytest.mark.parametrize(("content", "keys", "dialect"), DIALECTS)
def test_a_dialect_is_found_and_reported(folder, content, keys, dialect):
    columns = {**CHIPS, "x": {"kind": "number"}}
    tree = tree_of(content, columns, **keys)
    data = merged(tree)
    assert data["chips"].values.tolist() == [3, 0]
    assert data["x"].values.tolist() == [1.5, 2.25]
    assert data["place"].values.tolist() == [1, 2]
    found = json.loads(tree.attrs["table"])["dialect"]
    assert (found["separator"], found["encoding"], found["decimal mark"]) == dialect


def test_a_tsv_needs_no_detection_and_one_column_no_separator(folder):
    assert data_of("chips\tnote\n1\ta,b\n", {"chips": {"kind": "count"}}, name="t.tsv")["chips"].values.tolist() == [1]
    assert data_of("chips\n1\n2\n", {"chips": {"kind": "count"}})["chips"].values.tolist() == [1, 2]


def test_a_netcdf_file_is_read_as_the_same_table(folder):
    frame = xr.Dataset(
        {"chips": ("i", [3.0, np.nan, 0.0]), "x": ("i", [0.1, 1 / 3, 2e-17]), "place": ("i", ["b", "a", "b"])},
        coords={"grid": ("j", [0.0, 1.0])},
    )
    frame.to_netcdf("t.nc")
    columns = {"chips": {"kind": "count", "missing": "drop"}, "x": {"kind": "number"}, "place": {"kind": "group"}}
    tree = prepare(described("t.nc", columns), {}, ["chips"], "s")
    data = merged(tree)
    assert data["chips"].values.tolist() == [3, 0]
    assert data["x"].values.tolist() == [0.1, 2e-17]
    assert data["place"].values.tolist() == ["b"]
    assert data["row"].values.tolist() == [1, 3]
    how = json.loads(tree.attrs["table"])
    assert (how["dialect"], how["dropped"], how["unused"]) == ({}, {"rows": 1, "empty": {"chips": 1}}, ["grid"])


def test_a_parquet_file_is_read_as_the_same_table(folder):
    polars.DataFrame(
        {
            "chips": [3, None, 0, 7],
            "x": [0.1, 1 / 3, 2e-17, 4.0],
            "place": polars.Series(["b", "a", "b", "a"], dtype=polars.Categorical),
            "baked": [datetime.date(2026, 1, 31)] * 4,
            "dark": [True, False, False, True],
            "notes": [[1], [2], [3], [4]],
        }
    ).write_parquet("t.parquet")
    columns = {"chips": {"kind": "count", "missing": "drop"}, "x": {"kind": "number"}, "place": {"kind": "group"}}
    columns |= {"baked": {"kind": "categorical"}, "dark": {"kind": "binary"}}
    tree = prepare(described("t.parquet", columns), {}, ["chips"], "s")
    data = merged(tree)
    assert data["chips"].values.tolist() == [3, 0, 7]
    assert data["chips"].dtype == np.int64
    assert data["x"].values.tolist() == [0.1, 2e-17, 4.0]
    assert data["place"].values.tolist() == ["a", "b"]
    assert data["place_index"].values.tolist() == [1, 1, 0]
    assert data["baked"].values.tolist() == ["2026-01-31"]
    assert data["dark"].values.tolist() == [1, 0, 1]
    assert data["row"].values.tolist() == [1, 3, 4]
    how = json.loads(tree.attrs["table"])
    assert (how["dialect"], how["dropped"], how["unused"]) == ({}, {"rows": 1, "empty": {"chips": 1}}, ["notes"])


MASKED = {"y": {"kind": "number"}, "wait": {"kind": "count", "missing": "mask", "at_least": 1}, "g": {"kind": "group"}}


def test_a_masked_predictor_is_nan_and_has_a_companion(folder):
    tree = tree_of("y,wait,g\n1,2,a\n2,,b\n3,5,a\n", MASKED, outcomes=("y",))
    data = merged(tree)
    np.testing.assert_array_equal(data["wait"].values, [2.0, np.nan, 5.0])
    assert data["wait_known"].values.tolist() == [1, 0, 1]
    assert json.loads(tree.attrs["table"])["masked"] == {"wait": 1}
    assert "masked" not in how_of("y,wait,g\n1,2,a\n", MASKED, outcomes=("y",))
    assert data_of("y,wait,g\n1,2,a\n", MASKED, outcomes=("y",))["wait"].dtype == np.float64


def test_an_imputed_predictor_is_nan_and_complete_rows_are_marked(folder):
    x, dark = {"kind": "integer", "missing": "impute"}, {"kind": "binary", "levels": ["no", "yes"], "missing": "impute"}
    columns = {"y": {"kind": "number"}, "x": x, "dark": dark}
    tree = tree_of("y,x,dark\n1,2,yes\n2,,no\n3,5,\n4,7,no\n", columns, outcomes=("y",))
    data = merged(tree)
    np.testing.assert_array_equal(data["x"].values, [2.0, np.nan, 5.0, 7.0])
    np.testing.assert_array_equal(data["dark"].values, [1.0, 0.0, np.nan, 0.0])
    assert data["dark"].attrs["flag_meanings"] == "no yes"
    assert data["dark_known"].values.tolist() == [1, 1, 0, 1]
    assert data["all_known"].values.tolist() == [1, 0, 0, 1]
    assert json.loads(tree.attrs["table"])["imputed"] == {"x": 1, "dark": 1}
    with pytest.raises(UserError, match="line 3, column dark: 'maybe' is not allowed: the levels are no, yes"):
        tree_of("y,x,dark\n1,,\n2,3,maybe\n", columns, outcomes=("y",))


def test_a_masked_predictor_may_have_one_value_per_group(folder):
    columns = MASKED | {"wait": {**MASKED["wait"], "per": "g"}}
    data = data_of("y,wait,g\n1,2,a\n2,,b\n3,2,a\n4,,b\n", columns, outcomes=("y",))
    np.testing.assert_array_equal(data["wait"].values, [2.0, np.nan])
    assert data["wait_known"].dims == ("g",)
    with pytest.raises(
        UserError, match=r"line 3, column wait: '7' is not allowed: g b must have one value, and has '' in line 2"
    ):
        data_of("y,wait,g\n1,,b\n2,7,b\n", columns, outcomes=("y",))


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("0", "t.csv, line 3, column wait: '0' is not allowed: the minimum is 1; correct the table"),
        ("1.5", "t.csv, line 3, column wait: '1.5' is not allowed: it must be a whole number; correct the table"),
        ("x", "t.csv, line 3, column wait: 'x' is not allowed: it must be a number; correct the table"),
    ],
)
def test_cells_beside_masked_ones_keep_their_rules(folder, cell, sentence):
    with pytest.raises(UserError) as caught:
        tree_of(f"y,wait,g\n1,,a\n2,{cell},b\n", MASKED, outcomes=("y",))
    assert str(caught.value).startswith(sentence)


# What the columns become


def test_labels_are_sorted_as_numbers_where_all_are_whole(folder):
    assert data_of("place,chips\n10,1\n9,2\n")["place"].values.tolist() == [9, 10]
    assert data_of("place,chips\n10,1\n9a,2\n")["place"].values.tolist() == ["9a", "10"]
    assert data_of("place,chips\n07,1\n7,2\n")["place"].values.tolist() == ["07", "7"]


def test_ordered_and_categorical_columns(folder):
    columns = {
        "answer": {"kind": "ordered", "levels": ["not at all", "a bit", "much"]},
        "colour": {"kind": "categorical", "levels": ["red", "green", "blue"], "label": "colour of the cup"},
        "shape": {"kind": "categorical"},
        "tall": {"kind": "binary"},
    }
    content = "answer,colour,shape,tall\nmuch,green,round,1\nnot at all,red,flat,0\n"
    data = data_of(content, columns, ["answer"])
    assert data["answer"].values.tolist() == [2, 0]
    assert data["answer"].attrs["flag_meanings"] == "not_at_all a_bit much"
    assert data["answer"].attrs["flag_values"] == [0, 1, 2]
    assert data["answer_level"].values.tolist() == ["not at all", "a bit", "much"]
    assert data["colour_index"].values.tolist() == [1, 0]
    assert data["colour_index"].attrs == {"long_name": "colour of the cup"}
    assert data["colour"].values.tolist() == ["red", "green", "blue"]
    assert data["shape"].values.tolist() == ["flat", "round"]
    assert data["tall"].values.tolist() == [1, 0]


def test_a_column_says_how_outcomes_are_censored(folder):
    columns = {
        "days": {"kind": "number", "censored": "status"},
        "status": {"kind": "censoring"},
        "code": {"kind": "censoring"},
    }
    data = data_of("days,status,code\n3,none,0\n9,right,1\n2,left,-1\n4,interval,2\n", columns, ["days"])
    assert data["status"].values.tolist() == data["code"].values.tolist() == [0, 1, -1, 2]
    assert data["days"].attrs["censored"] == "status"


def test_nested_groups_are_told_apart_and_crossed_ones_are_not(folder):
    columns = {"chips": {"kind": "count"}, "school": {"kind": "group"}, "year": {"kind": "group"}}
    columns["room"] = {"kind": "group", "within": "school"}
    columns["desk"] = {"kind": "group", "within": "room"}
    content = "chips,school,room,desk,year\n1,b,1,x,2020\n2,a,2,x,2021\n3,a,1,y,2020\n4,b,1,x,2021\n"
    data = data_of(content, columns)
    assert data["room"].values.tolist() == ["a / 1", "a / 2", "b / 1"]
    assert data["room_index"].values.tolist() == [2, 1, 0, 2]
    assert data["school_of_room"].values.tolist() == [0, 0, 1]
    assert data["school_of_room"].dims == ("room",)
    assert data["desk"].values.tolist() == ["a / 1 / y", "a / 2 / x", "b / 1 / x"]
    assert data["room_of_desk"].values.tolist() == [0, 1, 2]
    assert data["year"].values.tolist() == [2020, 2021]
    assert data["year_index"].values.tolist() == [0, 1, 0, 1]


def test_the_names_that_the_config_promises_are_those_of_the_data(folder):
    columns = {
        "y": {"kind": "ordered", "levels": [1, 2]},
        "g": {"kind": "group"},
        "h": {"kind": "group", "within": "g"},
        "c": {"kind": "categorical"},
        "z": {"kind": "number", "per": "g"},
    }
    data = data_of("y,g,h,c,z\n1,a,b,x,3\n2,a,c,w,3\n", columns, ["y"])
    dumped = described("t.csv", columns)["columns"]
    assert {name for name, _ in sources.names(dumped, "row")} == {str(name) for name in data.variables}
    assert set(sources.dims(dumped, "row")) == {str(dim) for dim in data.dims}


def test_dropped_rows_are_counted_and_the_others_keep_their_numbers(folder):
    columns = {"chips": {"kind": "count", "missing": "drop"}, "x": {"kind": "number", "missing": "drop"}}
    columns["place"] = {"kind": "group"}
    content = "place,chips,x,note\n1,3,1,\n,NA,NA,\n2,-99,2,a\n2,4,5,\n"
    tree = tree_of(content, columns, missing_values=["NA", -99])
    assert merged(tree)["row"].values.tolist() == [1, 4]
    how = json.loads(tree.attrs["table"])
    assert how["rows"] == 4
    assert how["dropped"] == {"rows": 2, "empty": {"chips": 2, "x": 1}}
    assert how["unused"] == ["note"]


def test_the_page_says_how_the_table_was_read(folder):
    columns = {"y": {"kind": "count", "trials": "n", "missing": "drop"}, "n": {"kind": "count"}}
    tree = tree_of("y;n;note\n1;2;a\n;3;b\n0;1;c\n", columns, ["y"])
    tree.attrs["provenance"] = "{}"
    tree.to_netcdf("data.nc")
    config = {"dataset": described("t.csv", columns), "outcomes": ["y"], "unit": "row", "groups": [], "models": {}}
    results = StudyResults("s", config, folder)
    about, (paragraph,) = reporting.description(results)
    assert about == "The table t.csv."
    assert paragraph.parts == (
        "Read from t.csv, 3 rows. Separator: semicolon, encoding: utf-8, decimal mark: point. "
        "Left out because of empty cells: 1 row; there are empty cells in y (1). Columns not used: note.",
    )
    assert {row[0]: row[2] for row in texts(reporting.variables(results))} == {"y": "outcome", "n": "trials"}


# What is refused: content, columns, the sentence

COUNT, NUMBER = {"y": {"kind": "count"}}, {"y": {"kind": "number"}}
RATE = {"y": {"kind": "count", "exposure": "t"}, "t": {"kind": "number"}}
REFUSED = [
    (
        "x\n1\n",
        COUNT,
        "t.csv, line 1: it has none of the described columns (y), but x; make it the heading, with cells between",
    ),
    (
        f"y,g\n1,{'x' * 51}\n",
        {**COUNT, "g": {"kind": "group"}},
        f"t.csv, line 2, column g: '{'x' * 51}' is not allowed: a label has at most 50 characters, so that figures and tables "
        "can show it; shorten it",
    ),
    (
        'y,g\n1,"north\nside"\n2,south\n',
        {**COUNT, "g": {"kind": "group"}},
        "t.csv, line 2, column g: 'north\\nside' is not allowed: a label stands on one line, so that figures and tables can "
        "show it; put a blank where its line ends",
    ),
    ("y2\n1\n", COUNT, "t.csv has no column 'y'; did you mean 'y2'?"),
    ("y\n", COUNT, "t.csv has no rows; a study needs at least one"),
    ("", COUNT, "t.csv has no rows; a study needs at least one"),
    (
        "y,z\n1,2\n3\n",
        COUNT,
        "t.csv, line 3: it has 1 cells, but the heading has 2; correct the line, or set `separator`",
    ),
    ("y,y\n1,2\n", COUNT, "t.csv, line 1: the heading 'y' is given twice; rename one"),
    ('y\n"1\n', COUNT, "t.csv, line 2: unexpected end of data; correct the quotes there"),
    (b"y\n\xff\n", COUNT, "t.csv is not text in utf-8 (byte 3); save the table as UTF-8, or set `encoding`"),
    ("y;z,a\n1;2,3\n", COUNT, "t.csv can be read with comma or semicolon as separator; set `separator`"),
    (
        'note,y\n"a\nb",1\n\nc,many\nd,some\n',
        COUNT,
        "t.csv, line 5, column y: 'many' is not allowed: it must be a number; correct the table, or write "
        "`missing_values: ['NA', 'many', 'some']` for the column y if these stand for empty ones (2 rows like this)",
    ),
    (
        "y,z\n1,2\n,2\n",
        COUNT,
        "t.csv, line 3, column y: the cell is empty: it must be a number; fill it, or write `missing: drop` to remove such "
        "rows",
    ),
    ("y\n1e999\n", NUMBER, "t.csv, line 2, column y: '1e999' is not allowed: it must be a finite number"),
    ("y\n1e101\n", NUMBER, "'1e101' is not allowed: numbers must lie between 1e-100 and 1e+100, or be 0"),
    ("y\n-1e-101\n", NUMBER, "'-1e-101' is not allowed: numbers must lie between"),
    ("y\nnan\n", NUMBER, "t.csv, line 2, column y: 'nan' is not allowed: it must be a number"),
    ("y\n1_0\n", NUMBER, "t.csv, line 2, column y: '1_0' is not allowed: it must be a number"),
    ("y;z\n1,5;2\n1.5;2\n", NUMBER, "t.csv, line 2, column y: '1,5' is not allowed: it must be a number"),
    ("y\n1.5\n", COUNT, "t.csv, line 2, column y: '1.5' is not allowed: it must be a whole number; correct the table"),
    ("y\n-1\n", COUNT, "t.csv, line 2, column y: '-1' is not allowed: a count cannot be negative; correct the table"),
    ("y\n1e17\n", COUNT, "t.csv, line 2, column y: '1e17' is not allowed: whole numbers must not exceed 2^53"),
    (
        "y\n4\n7\n",
        {"y": {"kind": "number", "at_least": 5}},
        "t.csv, line 2, column y: '4' is not allowed: the minimum is 5; correct the table",
    ),
    (
        "y\n4\n7\n",
        {"y": {"kind": "integer", "at_most": 5}},
        "t.csv, line 3, column y: '7' is not allowed: the maximum is 5",
    ),
    ("y\n1\n2\n", {"y": {"kind": "binary"}}, "t.csv, line 3, column y: '2' is not allowed: the levels are 0, 1"),
    (
        "y\nlow\nHigh\n",
        {"y": {"kind": "ordered", "levels": ["low", "high"]}},
        "t.csv, line 3, column y: 'High' is not allowed: the levels are low, high; write 'high' in the table",
    ),
    (
        "y\nnone\ndead\n",
        {"y": {"kind": "censoring"}},
        "t.csv, line 3, column y: 'dead' is not allowed: it must be none, left, right or interval, or 0, -1, 1 or 2; "
        "0 is an outcome that was seen, 1 one that lies above its value",
    ),
    (
        "y,g\n1,\n",
        {**COUNT, "g": {"kind": "group"}},
        "t.csv, line 2, column g: the cell is empty: every row must have a label; fill it, or write `missing: drop`",
    ),
    (
        "y,row\n1,a\n2,b\n",
        COUNT,
        "column row has the name of the study's unit; describe it (`row: {kind: group}`), or rename the unit",
    ),
    (
        "y,row\n1,a\n2,a\n",
        {**COUNT, "row": {"kind": "group"}},
        "line 3, column row: 'a' is not allowed: each row must have one row",
    ),
    (
        "y,n\n3,4\n5,4\n",
        {"y": {"kind": "count", "trials": "n"}, "n": {"kind": "count"}},
        "t.csv, line 3, column y: '5' is not allowed: it exceeds the number of trials, column n; correct the table",
    ),
    ("y,t\n3,1.5\n5,0\n", RATE, "t.csv, line 3, column t: '0' is not allowed: the exposure of y must be above 0"),
    (
        "y,g,z\n1,a,3\n1,b,4\n1,a,5\n",
        {**COUNT, "g": {"kind": "group"}, "z": {"kind": "number", "per": "g"}},
        "t.csv, line 4, column z: '5' is not allowed: g a must have one value, and has '3' in line 2; correct the table",
    ),
    ("y\n\n,\n", {"y": {"kind": "count", "missing": "drop"}}, "line 3: it has 2 cells, but the heading has 1"),
    (
        "y,z\n,1\nNA,1\n",
        {"y": {"kind": "count", "missing": "drop"}},
        "every row has an empty cell in y, so no row is left",
    ),
]


@pytest.mark.parametrize(("content", "columns", "sentence"), REFUSED)
def test_a_bad_table_is_one_sentence(folder, content, columns, sentence):
    with pytest.raises(UserError) as caught:
        tree_of(content, columns, ["y"])
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("t.csv")
    assert "\n" not in str(caught.value)


def test_all_columns_with_mistakes_are_listed_at_once(folder):
    columns = {
        "y": {"kind": "count"},
        "x": {"kind": "number"},
        "g": {"kind": "group"},
        "h": {"kind": "group", "within": "g"},
    }
    with pytest.raises(UserError) as caught:
        tree_of("y,x,g,h\n-1,1,a,b\n2,?,,c\n", columns, ["y"])
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert [line.partition(":")[0] for line in lines] == [
        "t.csv, line 3, column g",
        "t.csv, line 2, column y",
        "t.csv, line 3, column x",
    ]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"y": (("a", "b"), [[1]])}, "t.nc: y has 2 dims; give it one"),
        ({"y": ("a", [1]), "place": ("b", [1, 2])}, "t.nc: place has the dims ('b',), y has ('a',)"),
        (
            {"y": ("a", [1.5]), "place": ("a", [1])},
            "t.nc, row 1, column y: '1.5' is not allowed: it must be a whole number",
        ),
    ],
)
def test_a_bad_netcdf_is_one_sentence(folder, variables, words):
    xr.Dataset(variables).to_netcdf("t.nc")
    with pytest.raises(UserError) as caught:
        prepare(described("t.nc", {**COUNT, "place": {"kind": "group"}}), {}, ["y"], "s")
    assert words in str(caught.value)


def test_what_is_no_netcdf_is_one_sentence(folder):
    (folder / "t.nc").write_text("y\n1\n")
    with pytest.raises(UserError, match=r"^t\.nc cannot be read as NetCDF"):
        prepare(described("t.nc", COUNT), {}, ["y"], "s")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (
            {"y": [1, -2]},
            "t.parquet, row 2, column y: '-2' is not allowed: a count cannot be negative; correct the table",
        ),
        ({"y": [1, None]}, f"t.parquet, row 2, column y: the cell is empty: it must be a number; {FIX_EMPTY}"),
        ({"y": [1.5, float("nan")]}, "t.parquet, row 2, column y: the cell is empty: it must be a number"),
        (
            {"y": [datetime.date(2026, 1, 31)] * 2},
            "t.parquet, row 1, column y: '2026-01-31' is not allowed: it must be a number",
        ),
        (
            {"y": [[1], [2]]},
            "t.parquet: column y is list(int64), but a cell is one number or text; make a column of each of its values",
        ),
        (
            {"y": [{"a": 1}, {"a": 2}]},
            "t.parquet: column y is struct({'a': int64}), but a cell is one number or text",
        ),
        ({"z": [1, 2]}, "t.parquet has no column 'y'; known: z"),
        ({"y": []}, "t.parquet has no rows; a study needs at least one"),
    ],
)
def test_a_bad_parquet_is_one_sentence(folder, columns, sentence):
    polars.DataFrame(columns).write_parquet("t.parquet")
    with pytest.raises(UserError) as caught:
        prepare(described("t.parquet", COUNT), {}, ["y"], "s")
    assert str(caught.value).startswith(sentence)


def test_what_is_no_parquet_is_one_sentence(folder):
    (folder / "t.parquet").write_text("y\n1\n")
    with pytest.raises(UserError, match=r"^t\.parquet cannot be read as Parquet") as caught:
        prepare(described("t.parquet", COUNT), {}, ["y"], "s")
    assert len(str(caught.value).splitlines()) == 1


def test_parquet_without_polars_is_one_sentence(folder, monkeypatch):
    polars.DataFrame({"y": [1]}).write_parquet("t.parquet")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(UserError, match=r"^t\.parquet: .*polars, which is not installed.*; run `make parquet` in .*$"):
        prepare(described("t.parquet", COUNT), {}, ["y"], "s")


# What a table may have been meant to say


def test_times_that_differ_by_seconds_are_shown_with_their_seconds(folder):
    content = "at\n" + "\n".join(f"{1_700_000_000 + seconds}.5" for seconds in (1, 4, 12)) + "\n"
    data = data_of(content, {"at": {"kind": "number"}}, ("at",))
    results = SimpleNamespace(data=data, config={"outcomes": ["at"], "groups": [], "unit": "row", "observed_where": {}})
    (row,) = texts(outcomes.outcome_summaries(results))
    shown = dict(zip([column.heading for column in outcomes.OUTCOME_COLUMNS], row, strict=True))
    assert [shown[key] for key in ("mean", "min", "max")] == ["1,700,000,006.2", "1700000001.5", "1700000012.5"]
    assert "1700000001.5 to 1700000012.5" in texts(reporting.variables(results))[0]


SICK = b"ward,died,treated,beds,year,note\nA,0,47,9,2001,x\nB,18,148,9,2002,y\nC,8,119,30,2003,z\n"
WARDS = {"died": {"kind": "count"}, "ward": {"kind": "group"}}


def asked(columns, content=SICK):
    return [remark.values["column"] for remark in of_data(tree_of(content, columns, ("died",)).attrs)]


def test_columns_that_are_never_below_a_count_may_be_its_trials(folder):
    """Described or not; labels and columns that are below it once are not, nor is one without a row
    above."""
    assert asked(WARDS) == ["treated", "year"]
    assert asked(WARDS | {"treated": {"kind": "count"}, "year": {"kind": "categorical"}}) == ["treated"]
    assert asked(WARDS, b"ward,died,also\nA,3,3\nB,4,4\n") == []


@pytest.mark.parametrize("role", ["trials", "exposure"])
def test_a_count_that_says_what_it_is_out_of_is_not_asked_about(folder, role):
    columns = WARDS | {"treated": {"kind": "count"}, "died": {"kind": "count", role: "treated"}}
    assert asked(columns) == []


def test_the_log_asks_about_trials_and_data_stay_as_they_are(folder, capsys):
    data = data_of(SICK, WARDS, ("died",))
    assert capsys.readouterr().out.startswith(
        "Is died out of treated? Column treated is never below it and has no role."
    )
    assert list(data.data_vars) == ["died", "ward_index"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["week 0", "week -3", "week -10", "week 5"], ["week -10", "week -3", "week 0", "week 5"]),
        (["judge 10", "Judge 3", "judge 2"], ["judge 2", "Judge 3", "judge 10"]),
        (["v1.10", "v1.9", "v10.1"], ["v1.9", "v1.10", "v10.1"]),
        (["1-10", "1-2", "2-1"], ["1-2", "1-10", "2-1"]),
        (["b", "B", "a", "A"], ["A", "a", "B", "b"]),
    ],
)
def test_labels_are_sorted_as_people_count(folder, labels, expected):
    content = "g,y\n" + "".join(f"{label},{i}\n" for i, label in enumerate(labels))
    data = data_of(content, {"g": {"kind": "group"}, "y": {"kind": "count"}}, ("y",))
    assert data["g"].values.tolist() == expected
