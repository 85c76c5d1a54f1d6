"""`tadpool new NAME --table FILE`: the study that it writes, what it asks, and what it refuses."""

import shutil

import pytest

from tadpool import config
from tadpool.config.schema.table import Table
from tadpool.errors import UserError
from tadpool.loading import described_table
from tadpool.loading.column_guesses import Question
from tadpool.workflow import new, table_study
from tadpool.workflow.table_study import Chosen
from tests.made.public_tables import TABLES

FIRST = Question("which?", ("a", "b"), "write b")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where somebody works, and a folder beside it for tables from elsewhere."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "given").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path / "mine"


def read(name="trial"):
    study = config.read({"studies": [name]}).studies[name]
    return study, described_table.load(study.source())[0]


@pytest.mark.parametrize("name", TABLES)
def test_the_study_of_a_public_table_can_run_as_written(name, folder, capsys):
    path = TABLES[name].write(folder.parent / "given" / "table.csv")
    assert new.main(["trial", "--table", str(path)]) == 0
    said = capsys.readouterr().out
    assert "To correct" not in said
    study, data = read()
    assert study.outcomes[0] in data
    assert study.groups or list(study.models) == ["main"]
    text = (folder / "config" / "studies" / "trial.yaml").read_text()
    assert text.count("# ? ") == said.count("Taken:") == len(TABLES[name].asked)
    headings = set(TABLES[name].table)
    described = {column.column or key for key, column in study.dataset.columns.items()}
    assert {heading for heading in headings - described if f"# Not used: {heading}; " not in text} == set()


def test_a_table_in_the_folder_is_named_where_it_is_and_another_is_copied(folder):
    (folder / "tables").mkdir()
    path = TABLES["dyestuff"].write(folder / "tables" / "dye.csv")
    written, _ = table_study.written("here", folder, path, Chosen(), None)
    assert written == [folder / "config" / "studies" / "here.yaml"]
    assert "table: tables/dye.csv\n" in written[0].read_text()
    shutil.move(path, folder.parent / "given")
    written, _ = table_study.written("there", folder, folder.parent / "given" / "dye.csv", Chosen(), None)
    assert written[1] == folder / "data" / "dye.csv"
    with pytest.raises(UserError, match=r"data/dye.csv exists and is not overwritten"):
        table_study.written("again", folder, folder.parent / "given" / "dye.csv", Chosen(), None)
    assert not (folder / "config" / "studies" / "again.yaml").exists()


def test_options_answer_the_questions(folder, capsys):
    path = TABLES["penguins"].write(folder / "p.csv")
    options = ["--outcome", "body_mass_g", "--group", "species", "--kind", "year=categorical"]
    assert new.main(["trial", "--table", str(path), *options]) == 0
    assert "To look at" not in capsys.readouterr().out
    study, data = read()
    assert (study.outcomes, study.groups) == (["body_mass_g"], ["species"])
    assert study.dataset.columns["year"].kind == "categorical"
    assert data.sizes["species"] == 3


def test_a_formula_says_outcome_and_groups(folder):
    path = TABLES["chickweight"].write(folder / "c.csv")
    assert new.main(["trial", "--table", str(path), "--formula", "weight ~ Time + (Time | Chick)"]) == 0
    study, _ = read()
    assert (study.outcomes, study.groups) == (["weight"], ["Chick"])
    assert study.models["main"].formula == "weight ~ Time + (Time | Chick)"


def test_columns_that_a_formula_does_not_name_drop_no_rows(folder):
    """They stand in the study as comments that can be made part of it."""
    table, study = folder / "t.csv", folder / "config" / "studies" / "trial.yaml"
    table.write_text(
        "y,x,z\n" + "".join(f"{i * 0.7:.1f},{i * 0.3:.1f},{i * 0.9 if i % 5 else ''}\n" for i in range(40))
    )
    assert new.main(["trial", "--table", str(table), "--formula", "y ~ x"]) == 0
    assert read()[1].sizes["row"] == 40
    study.write_text(study.read_text().replace("# z:", "z:"))
    assert read()[1].sizes["row"] == 32


@pytest.mark.parametrize(
    ("formula", "kind"), [("y ~ dose", "number"), ("y ~ log(dose)", "number"), ("y ~ C(dose)", "categorical")]
)
def test_a_formula_takes_codes_as_numbers_unless_it_says_levels(folder, formula, kind, capsys):
    """As lme4 and brms do; without the formula it is a question."""
    path = folder / "t.csv"
    path.write_text("y,dose\n" + "".join(f"{i * 0.7:.1f},{i % 4 + 1}\n" for i in range(40)))
    assert new.main(["trial", "--table", str(path), "--formula", formula]) == 0
    assert read()[0].dataset.columns["dose"].kind == kind
    assert ("levels, or a number" in capsys.readouterr().out) == (kind == "categorical")


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("y ~ x", ("y", ())),
        ("prop(r, n) ~ x + (1 | g)", ("r", ("g",))),
        ("log(y) ~ (1 + x || a) + (1 | a/b)", ("y", ("a", "b"))),
        ("r | trials(n) ~ (1 | a:b)", ("r", ("a", "b"))),
    ],
)
def test_sides_and_groups_of_a_formula(formula, found):
    assert table_study.of_formula(formula) == found


def test_answers_on_a_terminal_are_written_and_asked_once(folder):
    path = TABLES["casks"].write(folder / "c.csv")
    asked = []

    def ask(about, question):
        asked.append((about, question.choices))
        return "nested"

    _, sentences = table_study.written("trial", folder, path, Chosen(), ask)
    assert asked == [("cask", ("crossed", "nested"))]
    assert sentences == ["outcome: strength, by its name. For another one, change `outcomes`."]
    study, data = read()
    assert study.dataset.columns["cask"].within == "batch"
    assert data.sizes["cask"] == 30
    assert "# ?" not in (folder / "config" / "studies" / "trial.yaml").read_text()


def test_trials_that_somebody_confirms_are_written(folder):
    rows = [f"{g},{y},{y + 2}\n" for g in "abcdefg" for y in (0, 3, 5, 8)]
    (folder / "t.csv").write_text("site,seen,looked\n" + "".join(rows))

    def ask(about, question):
        return "seen" if about == "outcome" else "yes" if "yes" in question.choices else question.choices[0]

    table_study.written("trial", folder, folder / "t.csv", Chosen(), ask)
    study, _ = read()
    assert study.dataset.columns["seen"].trials == "looked"


def test_a_question_stays_where_the_table_has_to_change(folder):
    path = TABLES["esoph"].write(folder / "e.csv")
    answers = {"groups": "none", "ncases": "yes"}
    _, sentences = table_study.written("trial", folder, path, Chosen(), lambda about, question: answers[about])
    assert sentences[1:] == ["ncases: is it out of ncases + ncontrols? Taken: no."]


def test_a_code_of_empty_cells_is_asked_about(folder):
    rows = [f"{g},{y}\n" for g in "abcdefg" for y in (30.5, 31.5, -99)]
    (folder / "t.csv").write_text("site,weight\n" + "".join(rows))
    _, sentences = table_study.written("kept", folder, folder / "t.csv", Chosen(), None)
    assert sentences[1:] == ["weight: does -99 stand for an empty cell? Taken: no."]
    table_study.written("dropped", folder, folder / "t.csv", Chosen(), lambda about, question: "yes")
    assert read("kept")[1].sizes["row"] == 21
    assert read("dropped")[1].sizes["row"] == 14


def test_no_group_is_an_answer(folder):
    path = TABLES["insectsprays"].write(folder / "i.csv")
    table_study.written("trial", folder, path, Chosen(), lambda about, question: "none")
    study, _ = read()
    assert study.groups == []
    assert study.models["main"].formula == "count ~ spray"


def test_the_terminal_asks_again_until_an_answer_fits(capsys):
    answers = iter(["c", "B"])
    assert table_study.ask_on_terminal("x", FIRST, lambda text: next(answers)) == "b"
    assert "'c' is none of them" in capsys.readouterr().out
    assert table_study.ask_on_terminal("x", FIRST, lambda text: "") == "a"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--outcome", "y"], "speak of a table; name it with --table"),
        (["--table", "absent.csv"], "absent.csv cannot be read"),
        (["--table", "t.csv", "--kind", "chips"], "--kind 'chips' is not COLUMN=KIND; the kinds are number"),
        (["--table", "t.csv", "--kind", "chips=text"], "--kind 'chips=text' is not COLUMN=KIND"),
        (["--table", "t.csv", "--formula", "chips"], "the outcome stands left of ~"),
        (["--table", "t.csv", "--group", "town"], "t.csv has no column 'town'"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_writes_nothing(options, words, folder, capsys):
    TABLES["cookies"].write(folder / "t.csv")
    assert new.main(["trial", *options]) == 1
    assert words in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["t.csv"]


def test_what_keeps_the_study_from_running_is_told(folder, capsys):
    (folder / "t.csv").write_text("g,y\n" + "".join(f"{g},{y}\n" for g in "abcde" for y in ('"1,234"', '"5,678"')))
    assert new.main(["trial", "--table", "t.csv"]) == 0
    assert "To correct: t.csv, line 2, column y: '1,234' may be" in capsys.readouterr().out


def test_texts_are_quoted_where_yaml_would_read_something_else(folder):
    rows = [f"{answer},{town},{y}\n" for town in "abcde" for answer in ("no", "yes") for y in (1.5, 2.25)]
    (folder / "t.csv").write_text("Glazed? (y/n),Town: name,y\n" + "".join(rows))
    table_study.written("trial", folder, folder / "t.csv", Chosen(), None)
    study, _ = read()
    assert study.dataset.columns["Glazed_y_n"].levels == ["no", "yes"]
    assert study.dataset.columns["Town_name"].column == "Town: name"


def test_text_of_a_table_stays_in_its_comment_or_quotes(folder):
    rows = "".join(f'{g},{y},"gone\nmodels: {{}}"\n' for g in "abcde" for y in (1.5, 2.5, 3))
    (folder / "t.csv").write_text('"town\nunit: x","y # z","a\ntitle: b"\n' + rows)
    table_study.written("trial", folder, folder / "t.csv", Chosen(), None)
    study, data = read()
    assert (study.title, study.unit, study.outcomes) == ("trial", "row", ["y_z"])
    assert study.dataset.columns["town_unit_x"].column == "town\nunit: x"
    assert study.models.keys() >= {"pooled", "partial"}
    assert data.sizes["row"] == 15


def test_the_kinds_that_can_be_chosen_are_those_of_tables():
    kinds = Table.model_fields["columns"].annotation.__args__[1].model_fields["kind"].annotation.__args__
    assert set(table_study.KINDS) == set(kinds) - {"censoring"}


def test_what_keeps_a_study_from_running_comes_before_the_command(folder, capsys):
    path = TABLES["sleepstudy"].write(folder / "sleep.csv")
    outcome, group = "Reaction", "Subject"
    assert new.main(["trial", "--table", str(path), "--formula", f"{outcome} ~ Days + (Days | {group}", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "the bracket ) is missing; write as many ) as (" in said
    assert "Correct that first. Then run it, and open results/index.html:" in said
