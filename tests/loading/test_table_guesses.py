"""What a table is about, judged by headings and cells: on tables like public ones the judgement is
right, or it is a question whose answers have the right one."""

import numpy as np
import polars
import pytest
import xarray as xr

from tadpool.config.schema.table import Table
from tadpool.errors import UserError
from tadpool.loading import column_guesses, headings, table_guesses
from tests.made.public_tables import TABLES


def guessed(path, **chosen):
    return table_guesses.read(Table.model_construct().model_dump() | {"table": str(path)}, **chosen)


@pytest.mark.parametrize("name", TABLES)
def test_a_public_table_is_read_right_or_asked_about(name, tmp_path):
    public = TABLES[name]
    found = guessed(public.write(tmp_path / f"{name}.csv"))
    named = {column.heading: column for column in found.columns.values()}
    assert set(found.questions) == set(public.asked)
    assert found.columns[found.outcome].heading == public.outcome
    assert [found.columns[group].heading for group in found.groups] == list(public.groups)
    assert {heading: named[heading].kind for heading in public.kinds} == public.kinds
    roles = {role: name for role, name in named[public.outcome].keys.items() if role in ("trials", "exposure")}
    assert roles == public.roles
    for question in found.questions.values():
        assert len(set(question.choices)) == len(question.choices) > 0


@pytest.mark.parametrize(
    ("name", "about", "right"),
    [
        ("cbpp", "period", "number"),
        ("casks", "cask", "nested"),
        ("radon", "outcome", "log_radon"),
        ("penguins", "outcome", "body_mass_g"),
        ("titanic", "groups", "none"),
        ("insectsprays", "groups", "none"),
        ("esoph", "ncases", "yes"),
        ("chickweight", "Diet", "number"),
        ("grouseticks", "YEAR", "categorical"),
    ],
)
def test_the_other_reading_is_among_the_answers(name, about, right, tmp_path):
    found = guessed(TABLES[name].write(tmp_path / "table.csv"))
    assert right in found.questions[about].choices


def column(text, heading="x"):
    return column_guesses.guess(heading, np.array(text.split("|"), object), "x", 1)


@pytest.mark.parametrize(
    ("text", "heading", "kind", "keys"),
    [
        ("45%|7%|12%|7%", "share", "number", {"percent": True}),
        ("5 kg|7 kg|9.5 kg|5 kg", "load", "number", {"sign": "kg", "units": "kg"}),
        ("€ 5|€ 7|€ 9|€ 8", "cost", "number", {"sign": "€", "units": "€"}),
        ("5.5|7|9|8", "Height [cm]", "number", {"units": "cm"}),
        ("5.5|7|9|8", "dose (\u00b5g)", "number", {"units": "\u00b5g"}),
        ("5.5|7|9|8", "Score (0-10)", "number", {}),
        ("5.5|7|9|8", "Mass (dry)", "number", {}),
        ("P1|P2|P3|P1|P2|P3|P4|P5|P5|P4", "code", "group", {}),
        ("high|low|medium|low", "x", "ordered", {"levels": ["low", "medium", "high"]}),
        ("5-9|10-19|0-4|20+", "x", "ordered", {"levels": ["0-4", "5-9", "10-19", "20+"]}),
        ("yes|no|no|yes", "x", "binary", {"levels": ["no", "yes"]}),
        ("1|2|1|2", "x", "binary", {"levels": ["1", "2"]}),
        ("1.5||2.5|3", "x", "number", {"missing": "drop"}),
        ("2026-01-01|2026-01-02|2026-01-03|2026-01-04", "x", "", {}),
        ("|||7", "x", "", {}),
        ("7|7|7|7", "x", "", {}),
        ("1,5|2,5|3,75|4", "x", "number", {}),
    ],
)
def test_how_cells_are_written_is_described(text, heading, kind, keys):
    found = column(text, heading)
    assert (found.kind, found.keys) == (kind, keys)
    assert found.evidence


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Number of chips", "Number_of_chips"),
        ("Größe (cm)", "Groe"),
        ("Größe (klein)", "Groe_klein"),
        ("2nd", "column_2nd"),
        ("lambda", "the_lambda"),
        ("sigma", "the_sigma"),
        ("n_bids", "the_n_bids"),
        ("town_index", "the_town"),
        ("%", "column"),
    ],
)
def test_headings_become_names_that_models_can_have(heading, name):
    assert headings.name_of(heading, set()) == name
    assert headings.name_of(heading, {name}) == f"{name}_2"


def test_marks_of_empty_cells_are_found_among_numbers_alone(tmp_path):
    (tmp_path / "t.csv").write_text("y,g,h\n1.5,a,-\n-,b,x\n2.5,a,y\n3.5,b,-\n")
    found = guessed(tmp_path / "t.csv")
    assert found.missing_values == ["NA", "-"]
    assert found.columns["y"].keys == {"missing": "drop"}
    assert "-" in found.columns["h"].labels


def test_what_somebody_chose_is_taken_and_no_question_any_more(tmp_path):
    path = TABLES["penguins"].write(tmp_path / "t.csv")
    found = guessed(
        path, outcome="body_mass_g", groups=["island"], kinds={"year": "categorical", "species": "categorical"}
    )
    assert (found.outcome, found.groups, found.questions) == ("body_mass_g", ["island"], {})
    assert found.columns["year"].kind == found.columns["species"].kind == "categorical"


def test_the_size_of_a_group_is_no_group_and_a_score_afterwards_is_the_outcome(tmp_path):
    """A table of pupils, as a spreadsheet with decimal commas writes it."""
    lines = ["School;Class size;Teacher;Score before;Score after"]
    for i, (school, teacher) in enumerate([("Nord", "A"), ("Nord", "B"), ("Ost", "C"), ("West", "D")] * 3):
        lines.append(f"{school};{20 + i % 4};{teacher};4{i % 7},{i};5{i % 8},{9 - i % 9}")
    (tmp_path / "schools.csv").write_text("\n".join(lines) + "\n")
    found = guessed(tmp_path / "schools.csv")
    named = {column.heading: column for column in found.columns.values()}
    assert named["Class size"].kind == "number"
    assert named["Teacher"].kind == "group"
    assert found.columns[found.outcome].heading == "Score after"


@pytest.mark.parametrize(
    ("cell", "kind"), [("absent", "number"), ("not sat", "number"), ("X", ""), ("12b", ""), (">99", "")]
)
def test_a_word_among_numbers_is_an_empty_cell_and_a_question(cell, kind, tmp_path):
    rows = "\n".join(f"{cell if i in (3, 30) else 50 + i / 4},c{i % 6},{i % 7}" for i in range(40))
    (tmp_path / "t.csv").write_text("Exam score,class,hours\n" + rows + "\n")
    column = guessed(tmp_path / "t.csv", **({} if kind else {"outcome": "hours"})).columns["Exam_score"]
    assert column.kind == kind
    if kind:
        assert column.keys == {"missing": "drop", "missing_values": [cell]}
        assert column.question.text == f"does {cell!r} stand for an empty cell?"
        assert column.evidence.startswith(f"{cell!r} taken as empty; 2 empty cells; numbers from")


def test_a_word_among_identifiers_leaves_them_unused():
    cells = np.array(["none" if i == 7 else str(100 + i) for i in range(40)], object)
    column = column_guesses.guess("pupil_id", cells, "pupil_id", 0)
    assert (column.kind, column.evidence) == ("", "it has another label in each row")


def test_a_predictor_that_members_have_belongs_to_the_group_with_the_fewest(tmp_path):
    """Not if it differs in one row, has an empty cell there, or is a constant."""
    rows = [
        (f"d{i // 12}", f"s{i // 4}", i, i // 12 + 0.5, i // 4 + 0.1, i // 4 + (i == 23), i // 4 if i else "", 7.5)
        for i in range(24)
    ]
    names = ("district", "school", "score", "rain", "funding", "nearly", "gap", "same")
    text = "\n".join(",".join(map(str, row)) for row in [names, *rows])
    (tmp_path / "t.csv").write_text(text + "\n")
    found = guessed(tmp_path / "t.csv", outcome="score", groups=["school", "district"])
    belongs = {name: column.keys["per"] for name, column in found.columns.items() if "per" in column.keys}
    assert belongs == {"rain": "district", "funding": "school"}


@pytest.mark.parametrize("ending", ["parquet", "nc"])
def test_other_formats_are_judged_alike(ending, tmp_path):
    public = TABLES["dyestuff"]
    path = tmp_path / f"t.{ending}"
    if ending == "nc":
        xr.Dataset({name: ("row", values) for name, values in public.table.items()}).to_netcdf(path)
    else:
        polars.DataFrame(public.table).write_parquet(path)
    found = guessed(path)
    assert (found.outcome, found.groups) == ("Yield", ["Batch"])
    assert len(found.columns["Batch"].labels) == 6


@pytest.mark.parametrize("name", ["t.parquet", "t.nc"])
def test_a_broken_file_is_one_sentence(name, tmp_path):
    (tmp_path / name).write_text("x")
    with pytest.raises(UserError, match="cannot be read as"):
        guessed(tmp_path / name)


def test_an_unknown_column_is_named(tmp_path):
    path = TABLES["sleepstudy"].write(tmp_path / "t.csv")
    with pytest.raises(UserError, match=r"t.csv has no column 'Reactoin'; did you mean 'Reaction'"):
        guessed(path, outcome="Reactoin")


def test_a_table_without_an_outcome_is_a_sentence(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\nx,k\ny,l\nz,m\nx,k\ny,n\nz,o\n")
    with pytest.raises(UserError, match="no column can be an outcome"):
        guessed(tmp_path / "t.csv")
