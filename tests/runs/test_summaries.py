"""A study that keeps summaries alone: draws are there while they are needed, and made again, the same, when they are again."""

import re

from tests.made.workflows import digests

OF_FILES = "checklist|provenance|run_time|downloads"


def page(workflow):
    """The study's page without what it says of files and of what jobs took."""
    text = (workflow.folder / "results/small/index.html").read_text()
    return re.sub(rf'<section id="({OF_FILES})">.*?</section>', "", text, flags=re.DOTALL)


def test_draws_are_removed_when_all_is_made_of_them(finished, tmp_path):
    workflow = finished.copy(tmp_path / "tadpool")
    results = workflow.folder / "results"
    before = {
        name: digest for name, digest in digests(workflow.folder).items() if not name.endswith(("fit.nc", "run.json"))
    }
    with (workflow.folder / "config/studies/small.yaml").open("a") as study:
        study.write("storage: {keep: summaries}\n")
    assert workflow.plan().keys() == {"render_report", "render_index", "gate"}, "only pages say what is kept"
    workflow.run()
    assert not list(results.rglob("fit.nc"))
    kept = digests(workflow.folder)
    assert {name: kept.get(name) for name in before} == before
    assert page(workflow) == page(finished)
    text = (results / "small/index.html").read_text()
    assert "were removed" in text
    assert 'fit.nc"' not in text, "nothing leads to a file that is gone"
    assert "Nothing to be done" in workflow.run().stderr

    check = results / "small/unpooled/check.json"
    check.unlink()
    done = workflow.run("results/small/unpooled/check.json")
    assert "rule temporary_fit:" in done.stderr + done.stdout
    assert not list(results.rglob("fit.nc"))
    assert digests(workflow.folder) == kept
