"""Results that several jobs share are those that one job makes, and splitting them re-runs nothing."""

import hashlib

SPLIT = ["sweeps/shape/fit.nc", "sweeps/shape/loo.nc", "unpooled/logo_location.nc"]


def digests(workflow):
    return {name: hashlib.sha256((workflow.folder / "results/small" / name).read_bytes()).hexdigest() for name in SPLIT}


def split(workflow, chunks):
    path = workflow.folder / "config/studies/small.yaml"
    text = path.read_text().replace("values: [1.0, 2.0]", f"values: [1.0, 2.0], chunks: {chunks}")
    path.write_text(text.replace("{lam_shape: 2.0}", f"{{lam_shape: 2.0}}, chunks: {chunks}"))


def test_a_split_sweep_and_its_scores_are_the_bytes_of_the_whole(finished, tmp_path):
    workflow = finished.copy(tmp_path / "tadpool")
    whole = digests(workflow)
    split(workflow, 3)
    assert not workflow.plan(), "how a result is split decides nothing of it"
    for name in SPLIT:
        (workflow.folder / "results/small" / name).unlink()
    done = workflow.run("--until", "cross_validate_sweep", "cross_validate_group")
    said = done.stderr + done.stdout
    for name in SPLIT:
        for number in (1, 2, 3):
            assert f"results/small/{name.removesuffix('.nc')}.share-{number}of3.npz" in said
    assert digests(workflow) == whole
    assert not list((workflow.folder / "results").rglob("*.npz"))
    assert not list((workflow.folder / "results").rglob(".*.resume"))
