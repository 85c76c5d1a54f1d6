"""What a run prints at its end."""

from pathlib import Path

from tadpool.workflow import closing


def test_answers_without_a_value_are_told_once_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results/pupils").mkdir(parents=True)
    lines = [
        "answer,quantity,model,role,reason",
        "known,a,one,own,",
        "mine,,one,own,there is no beta_x",
        "mine,,two,other,no such site",
    ]
    Path("results/pupils/answers.csv").write_text("\n".join(lines) + "\n")
    assert [*closing.words(["pupils", "not_there"])] == ["pupils: the answer mine is not known: there is no beta_x"]
