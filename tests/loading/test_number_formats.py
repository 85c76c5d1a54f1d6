"""How tables write numbers: what has one reading is read, what has two is a question, and what is
advised about a refused cell keeps every row."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from tadpool.config.schema.table import Table
from tadpool.errors import UserError
from tadpool.files.data_file import merged
from tadpool.loading.preparation import prepare

NUMBER, COUNT = {"kind": "number"}, {"kind": "count"}


def read(cells, column=NUMBER, separator=";", **keys):
    """The values of the column y, whose cells are given as text."""
    lines = "".join(f'{number}{separator}"{cell}"\n' for number, cell in enumerate(cells))
    Path("t.csv").write_text(f"place{separator}y\n{lines}", encoding="utf-8")
    columns = {"y": column, "place": {"kind": "group"}}
    table = Table.model_validate({"table": "t.csv", "columns": columns, **keys}).model_dump()
    return merged(prepare({**table, "unit": "row"}, {}, ["y"], "s"))["y"].values.tolist()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# Cells, column, keys of the table, values
READ = [
    (["1.5", "2"], NUMBER, {}, [1.5, 2]),
    (["0.345", "1.234"], NUMBER, {}, [0.345, 1.234]),
    (["1234.567", "1.234"], NUMBER, {}, [1234.567, 1.234]),
    (["1,5", "2,25"], NUMBER, {}, [1.5, 2.25]),
    (["1.234,5", "987,0"], NUMBER, {}, [1234.5, 987]),
    (["1.234.567", "12"], NUMBER, {}, [1234567, 12]),
    (["1,234,567", "12"], NUMBER, {}, [1234567, 12]),
    (["1,234.5", "12"], NUMBER, {}, [1234.5, 12]),
    (["1 234", "12 345 678"], NUMBER, {}, [1234, 12345678]),
    (["1\u00a0234,5", "7"], NUMBER, {}, [1234.5, 7]),
    (["1\u202f234", "7"], NUMBER, {}, [1234, 7]),
    (["1'234.50", "12'345"], NUMBER, {}, [1234.5, 12345]),
    (["1\u2019234", "7"], NUMBER, {}, [1234, 7]),
    (["-1,234,567", "+2"], NUMBER, {}, [-1234567, 2]),
    (["12,34,567", "3"], COUNT, {}, [1234567, 3]),
    (["1e-3", "2.5E6"], NUMBER, {}, [0.001, 2.5e6]),
    (["1,234", "987"], COUNT, {}, [1234, 987]),
    (["1,234", "987"], NUMBER, {"thousands": "comma"}, [1234, 987]),
    (["1,234", "987"], NUMBER, {"decimal": "comma"}, [1.234, 987]),
    (["1.234", "987"], NUMBER, {"decimal": "point"}, [1.234, 987]),
    (["1.234", "987"], NUMBER, {"thousands": "point"}, [1234, 987]),
    (["1.234", "987"], NUMBER, {"decimal": "comma", "thousands": "point"}, [1234, 987]),
    (["-$5", "$-7", "\u2212$3"], {"kind": "number", "sign": "$"}, {}, [-5, -7, -3]),
    (["\u22125", "3"], NUMBER, {}, [-5, 3]),
    (["\u20135", "3"], NUMBER, {}, [-5, 3]),
    (["\u22121\u00a0234", "17"], NUMBER, {}, [-1234, 17]),
    (["\ufeff5", "\u200e6\u200e", "7\u00ad"], NUMBER, {}, [5, 6, 7]),
    (["45.5%", "3 %"], {"kind": "number", "percent": True}, {}, [0.455, 0.03]),
    (["45.5%", "3 %"], {"kind": "number", "sign": "%"}, {}, [45.5, 3]),
    (["$1,234.50", "$7"], {"kind": "number", "sign": "$"}, {}, [1234.5, 7]),
    (["1.234,50 €", "7 €"], {"kind": "number", "sign": "€"}, {}, [1234.5, 7]),
]


@pytest.mark.parametrize(("cells", "column", "keys", "values"), READ)
def test_what_has_one_reading_is_read(cells, column, keys, values):
    assert read(cells, column, **keys) == pytest.approx(values, rel=1e-15)


@pytest.mark.parametrize("cells", [["1,234", "987"], ["1.234", "987"], ["12,000"], ["1.500", "2.250"]])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_two_readings_are_a_question_that_the_keys_answer(cells, separator):
    with pytest.raises(UserError, match=r"may be .* or ") as caught:
        read(cells, separator=separator)
    readings = re.findall(r"([\d.]+) \((.*?)\)", str(caught.value))
    answers = [read(cells, separator=separator, **yaml.safe_load(_keys(words))) for _, words in readings]
    assert [values[0] for values in answers] == [float(value) for value, _ in readings]
    assert answers[0][0] == pytest.approx(answers[1][0] * 1000) or answers[1][0] == pytest.approx(answers[0][0] * 1000)


def _keys(words):
    """What a sentence declares, `decimal: comma`, `thousands: point`, as YAML."""
    return "\n".join(re.findall(r"`(.*?)`", words))


def test_a_point_is_a_decimal_mark_where_commas_stand_between_cells():
    assert read(["1.234", "5.678"], separator=",") == [1.234, 5.678]


# In a table separated by commas: cells, column, values; or None where they are a question
POINTS = [
    (["1.234", "987", "12.045"], NUMBER, None),
    (["1.000", "2.000"], COUNT, None),
    (["1.234", "987"], COUNT, [1234, 987]),
    (["1.234,5", "987"], NUMBER, [1234.5, 987]),
    (["1.234", "1987"], NUMBER, [1.234, 1987]),
    (["1.234", "0.5", "3"], NUMBER, [1.234, 0.5, 3]),
    (["12.045", "11.870"], NUMBER, [12.045, 11.87]),
]


@pytest.mark.parametrize(("cells", "column", "values"), POINTS)
def test_points_between_commas_are_a_question_where_they_look_like_thousands(cells, column, values):
    if values is None:
        with pytest.raises(
            UserError, match=r"may be .* \(`decimal: point`\) or .* \(`decimal: comma`, `thousands: point`\)"
        ):
            read(cells, column, ",")
    else:
        assert read(cells, column, ",") == values


# Cells that hold information and that nothing declared can read, and what is said of the first
BY_HAND = [
    (["<0.5", "2"], NUMBER, "so that the cell is one number"),
    (["0x1F", "0x2A"], NUMBER, "so that the cell is one number"),
    (["1/2", "3/2"], NUMBER, "so that the cell is one number"),
    (["1.5\u00d710^3", "2"], NUMBER, "so that the cell is one number"),
    (["80+", "75+"], NUMBER, "so that the cell is one number"),
    (["5-", "3-"], NUMBER, "one number; a negative one begins with a minus sign"),
    (["($48.10)", "$12.30"], NUMBER, "one number; a negative one begins with a minus sign"),
    (["3\u20135", "6"], NUMBER, "so that the cell is one number"),
    (["12 kg", "1300 g"], NUMBER, "give all cells of the column y one unit, with kg in each or in none"),
    (["12 kg", "14"], NUMBER, "give all cells of the column y one unit, with kg in each or in none"),
    (["1.2k", "3M", "900"], NUMBER, "give all cells of the column y one unit, with k in each or in none"),
    (["48.1N", "12.3S"], NUMBER, "give all cells of the column y one unit, with N in each or in none"),
    (["45%", "0.45"], NUMBER, "give all cells of the column y one unit, with % in each or in none"),
    (
        ["45", "30"],
        {"kind": "number", "percent": True},
        "write % in all cells for the column y, or leave out `percent`",
    ),
    (
        ["1,5", "2.5"],
        NUMBER,
        "all of whose numbers need the same marks, or declare these with `decimal` and `thousands`",
    ),
    (["yes", "Yes"], {"kind": "binary", "levels": ["no", "yes"]}, "write 'yes' in the table, or 'Yes' in `levels`"),
    (["1.0", "2.0"], {"kind": "ordered", "levels": [1, 2]}, "write '1' in the table, or '1.0' in `levels`"),
    (["yes", "yes"], {"kind": "binary"}, "declare both `levels`, of which 'yes' is one"),
    (["~3", "2"], NUMBER, "so that the cell is one number"),
    (["(1,234)", "2"], NUMBER, "so that the cell is one number"),
    (["12:30", "2"], NUMBER, "make a column of the hours, minutes or seconds"),
    (["5 k", "900"], {"kind": "number", "sign": "k"}, "one unit, with k in each or in none"),
    (["45%", "0.45"], {"kind": "number", "percent": True}, "one unit, with % in each or in none"),
    (["low", "high", "mid"], NUMBER, "write `kind: categorical` for the column y"),
    (["1.5", "2"], COUNT, "or write `kind: number`"),
    (["-1", "2"], COUNT, "or write `kind: integer`"),
]


@pytest.mark.parametrize(("cells", "column", "fix"), BY_HAND)
def test_no_cell_with_information_is_told_to_be_empty_or_another_number(cells, column, fix):
    with pytest.raises(UserError) as caught:
        read(cells, column)
    assert fix in str(caught.value)
    assert "missing" not in str(caught.value)
    assert "`sign" not in str(caught.value)


def test_texts_without_a_number_are_named_all_at_once_and_with_those_that_count_as_empty():
    """Following the sentence to the letter leaves out these rows alone."""
    cells, column = ["NA", "1", "n/a", "2", "#DIV/0!", "-", "."], NUMBER | {"missing": "drop"}
    with pytest.raises(UserError) as caught:
        read(cells, column)
    assert "; correct the table, or write `missing_values: ['NA', 'n/a', '#DIV/0!', '-', '.']` for" in str(caught.value)
    keys = yaml.safe_load(_keys(str(caught.value)))
    assert read(cells, column | keys) == [1, 2]


def test_a_label_of_one_column_is_an_empty_cell_of_another():
    """The sentence names the column, since NA still has to be empty elsewhere."""
    Path("t.csv").write_text("place,y\nNA,1\nNE,NA\nNE,3\n")
    columns = {"y": COUNT | {"missing": "drop"}, "place": {"kind": "group"}}
    keys = {"table": "t.csv", "columns": columns}
    with pytest.raises(UserError, match=r"write `missing_values: \[\]` for the column place"):
        prepare({**Table.model_validate(keys).model_dump(), "unit": "row"}, {}, ["y"], "s")
    columns["place"] = {"kind": "group", "missing_values": []}
    data = merged(prepare({**Table.model_validate(keys).model_dump(), "unit": "row"}, {}, ["y"], "s"))
    assert data["y"].values.tolist() == [1, 3]
    assert data["place"].values.tolist() == ["NA", "NE"]


# A column with a refused cell, and the keys that its sentence names
ADVISED = [
    (["45.0%", "68.0%"], NUMBER, {"percent": True}),
    (["$5", "$1,200.50"], NUMBER, {"sign": "$"}),
    (["5 kg", "7 kg"], NUMBER, {"sign": "kg"}),
    (["3 m2", "4 m2"], NUMBER, {"sign": "m2"}),
    (["1,234", "2,345"], NUMBER, {"thousands": "comma"}),
    (["1.234,5", "1.5"], NUMBER, None),
    (["-5 °C", "21.5 °C"], NUMBER, {"sign": "°C"}),
    (["48.1N", "12.3N"], NUMBER, {"sign": "N"}),
    (["TRUE", "FALSE"], NUMBER, {"kind": "binary", "levels": ["FALSE", "TRUE"]}),
    (["TRUE", "FALSE"], {"kind": "binary"}, {"levels": ["FALSE", "TRUE"]}),
    (["yes", "no"], {"kind": "binary"}, {"levels": ["no", "yes"]}),
    (["2026-01-31", "2026-02-01"], NUMBER, None),
    (["31.01.2026", "1.2.2026"], NUMBER, None),
    (["31 Jan 2026", "1 Feb 2026"], NUMBER, None),
    (["2026-01", "2026-02"], NUMBER, None),
    (["NA", "NE"], {"kind": "categorical"}, {"missing_values": []}),
    (["NA", "NE"], {"kind": "ordered", "levels": ["NA", "NE"]}, {"missing_values": []}),
]


@pytest.mark.parametrize(("cells", "column", "answer"), ADVISED)
def test_advice_about_a_refused_cell_keeps_every_row(cells, column, answer):
    """The sentence names each key that is the answer, and with these all rows are there; where the
    table must change, nothing is said that would drop the cell."""
    with pytest.raises(UserError) as caught:
        read(cells, column)
    sentence = str(caught.value)
    assert "drop" not in sentence.split("; otherwise")[0]
    if answer is None:
        assert "missing_values" not in sentence
        return
    for key, value in answer.items():
        assert f"`{key}" in sentence
        assert yaml.safe_load(f"{key}: {value!r}")[key] == value
    table = {key: answer[key] for key in answer if key in ("missing_values", "thousands")}
    name = {**column, **{key: answer[key] for key in answer if key not in table}}
    if name["kind"] == "categorical":
        return  # not an outcome of the made-up study; the next test reads one
    assert len(read(cells, name, **table)) == len(cells)


def test_na_as_a_label_is_kept_as_the_sentence_says():
    Path("t.csv").write_text("place,y\nNA,1\nNE,2\n")
    columns = {"y": COUNT, "place": {"kind": "group"}}
    keys = {"table": "t.csv", "columns": columns}
    with pytest.raises(UserError, match=r"'NA' counts as empty: .* write `missing_values: \[\]`"):
        prepare({**Table.model_validate(keys).model_dump(), "unit": "row"}, {}, ["y"], "s")
    kept = {**Table.model_validate({**keys, "missing_values": []}).model_dump(), "unit": "row"}
    assert merged(prepare(kept, {}, ["y"], "s"))["place"].values.tolist() == ["NA", "NE"]


def test_a_repeated_unit_is_kept_as_a_group_as_the_sentence_says():
    Path("t.csv").write_text("id,y\na,1\na,2\nb,3\n")
    table = Table.model_validate({"table": "t.csv", "columns": {"y": COUNT, "id": {"kind": "group"}}}).model_dump()
    with pytest.raises(UserError, match="set `unit` to another word, such as `row`"):
        prepare({**table, "unit": "id"}, {}, ["y"], "s")
    assert merged(prepare({**table, "unit": "row"}, {}, ["y"], "s"))["y"].values.tolist() == [1, 2, 3]


def test_labels_that_end_in_numbers_are_sorted_as_people_count():
    Path("t.csv").write_text("judge,y\njudge 10,1\njudge 2,2\nJudge 1,3\njudge 02,4\n")
    table = Table.model_validate({"table": "t.csv", "columns": {"y": COUNT, "judge": {"kind": "group"}}}).model_dump()
    found = merged(prepare({**table, "unit": "row"}, {}, ["y"], "s"))
    assert found["judge"].values.tolist() == ["Judge 1", "judge 02", "judge 2", "judge 10"]
    assert np.array(found["judge"].values)[found["judge_index"].values].tolist() == [
        "judge 10",
        "judge 2",
        "Judge 1",
        "judge 02",
    ]


CASES = Path(__file__).parent.parent / "made" / "cases"


@pytest.mark.parametrize(("study", "first"), [("tausend", 1234.5), ("countries", 6), ("countries_drop", 6)])
def test_tables_of_strangers_are_read(study, first, monkeypatch):
    monkeypatch.chdir(CASES / ("thousands" if study == "tausend" else "namibia"))
    described = yaml.safe_load(Path(f"config/studies/{study}.yaml").read_text())
    table = {**Table.model_validate(described["dataset"]).model_dump(), "unit": described["unit"]}
    data = merged(prepare(table, {}, described["outcomes"], study))
    assert data[described["outcomes"][0]].values[0] == first
    assert study != "countries" or "NA" in data["country"].values.tolist()


@pytest.mark.parametrize(
    ("folder_name", "study", "words"),
    [
        ("thousands", "thousands_tab", "'1,234' may be 1.234 (`decimal: comma`) or 1234 "),
        (
            "namibia",
            "countries_default",
            "'NA' counts as empty: every row must have a label; if 'NA' is a label, write",
        ),
    ],
)
def test_tables_of_strangers_are_questions(folder_name, study, words, monkeypatch):
    monkeypatch.chdir(CASES / folder_name)
    described = yaml.safe_load(Path(f"config/studies/{study}.yaml").read_text())
    table = {**Table.model_validate(described["dataset"]).model_dump(), "unit": described["unit"]}
    with pytest.raises(UserError) as caught:
        prepare(table, {}, described["outcomes"], study)
    assert words in str(caught.value)
