"""Remarks on signs of mistakes in a table, and tables that give none."""

from pathlib import Path

import pytest

from tadpool.config.schema.table import Table
from tadpool.loading.preparation import prepare
from tadpool.loading.remarks import of_data

COUNT, GROUP = {"kind": "count"}, {"kind": "group"}
SITES = "county,site,y\n" + "".join(
    f"{c},{s},{i}\n" for i, (c, s) in enumerate((c, s) for c in "XY" for s in (1, 2, 3))
)
NAMED = SITES.replace(",1,", ",Ann,").replace(",2,", ",Bob,").replace(",3,", ",Cy,")
TWO = {"county": GROUP, "site": GROUP}
MEASURED = "g,x,y\na,1.25,3\na,2.5,4\nb,1.75,3\nb,9.5,1\na,1.25,3\n"
REMARKED = [
    ("g,y\nNorth,1\nnorth,2\n", {"g": GROUP}, "Column g has the labels 'North' and 'north', which count as two."),
    ("g,y\nSt Ann,1\nSt  Ann,2\n", {"g": GROUP}, "Column g has the labels 'St  Ann' and 'St Ann', which count as two."),
    (SITES, TWO, "Is site nested in county? Each county has the same labels of site"),
    (MEASURED, {"g": GROUP}, "1 row is a copy of another in all columns (first: lines 2 and 6)"),
    ("g,y\nNorth,1\nnorth ,2\nsouth,3\n", {"g": GROUP}, "'North' and 'north'"),
    ("g,y\n01,1\n1,2\nx,3\n", {"g": GROUP}, "'01' and '1'"),
    ("g,y\n1.0,1\n1,2\nx,3\n", {"g": GROUP}, "'1' and '1.0'"),
    ("g,y\nCaf\u00e9,1\nCafe\u0301,2\n", {"g": GROUP}, r"'Cafe\u0301' and 'Caf\xe9'"),
    ("g,y\nNorth\u200b,1\nNorth,2\n", {"g": GROUP}, r"'North' and 'North\u200b'"),
    (
        "g,y\nnan,1\nb,2\nb,3\n",
        {"g": GROUP},
        "label 'nan': does it stand for an empty cell? If so, write "
        "`missing_values: ['nan']` and `missing: drop` for the column; if not, `missing_values: []`.",
    ),
    (
        "g,x,y\na,1.5,1\nb,-999,2\na,2.5,2\nb,-999,3\n",
        {"g": GROUP, "x": {"kind": "number"}},
        "x has -999 in 2 rows, far",
    ),
    ("g,y\na,1\nb,99\nb,3\n", {"g": GROUP}, "Column y has 99 in 1 row, far from all other values."),
    ("g,y\na,1\nb,2\nTotal,3\n", {"g": GROUP}, "The row 'Total' of column g is the sum of all other rows"),
    ("g,y\ncafe\u0301,1\ncaf\u00e9,2\n", {"g": GROUP}, r"the labels 'cafe\u0301' and 'caf\xe9', which count as two"),
    ("g,y\nab,1\na\u200bb,2\n", {"g": GROUP}, r"'ab' and 'a\u200bb'"),
    ("g,y\n07,1\n7,2\nx,3\n", {"g": GROUP}, "'07' and '7'"),
    ("g,y\n1-3,1\n1\u20133,2\n", {"g": GROUP}, "'1-3' and '1\u20133'"),
]
SILENT = [
    ("g,y\nNorth,1\nSouth,2\n", {"g": GROUP}),
    ("g,y\na,1\na,1\nb,1\nb,1\nb,2\n", {"g": GROUP}),  # equal counts are no copies
    (NAMED, TWO),  # people whom every county has are crossed with counties
    (SITES, {**TWO, "site": {"kind": "group", "within": "county"}}),
    (SITES.replace("Y,3,5\n", ""), TWO),
    ("g,y\nnan,1\nb,2\nb,3\n", {"g": {"kind": "group", "missing_values": []}}),
    ("g,y\na,97\nb,99\nb,91\n", {"g": GROUP}),
    ("g,y\na,1\nb,99\nb,3\n", {"g": GROUP, "y": {"kind": "count", "missing_values": []}}),
    ("g,y\na,1\nb,2\nTotal,4\n", {"g": GROUP}),
    ("g,y\n0,1\n10,2\n100,4\n1.1,3\n1.10,3\n", {"g": GROUP}),
    ("g,y\nk1,1\nk1,1\nk2,2\n", {"g": GROUP}),  # a label with a digit is no measurement
    ("g,y\nv1.05,1\nv1.5,2\nv100,3\nv10,4\n", {"g": GROUP}),  # zeros that count
    ("g,y\nNorth,1\nNorth ,2\n", {"g": GROUP}),  # blanks at the ends are no part of a label
]


def remarks(content, columns):
    Path("t.csv").write_text(content)
    table = Table.model_validate({"table": "t.csv", "columns": {"y": COUNT, **columns}}).model_dump()
    return [each.sentence for each in of_data(prepare({**table, "unit": "row"}, {}, ["y"], "s").attrs)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("content", "columns", "sentence"), REMARKED)
def test_a_sign_of_a_mistake_is_one_remark(content, columns, sentence):
    (found,) = remarks(content, columns)
    assert sentence in found


@pytest.mark.parametrize(("content", "columns"), SILENT)
def test_a_table_without_such_a_sign_has_no_remark(content, columns):
    assert not remarks(content, columns)


def test_the_advice_of_the_nesting_remark_silences_it():
    (found,) = remarks(SITES, TWO)
    assert "write `within: county` for site" in found
    assert not remarks(SITES, {**TWO, "site": {"kind": "group", "within": "county"}})
