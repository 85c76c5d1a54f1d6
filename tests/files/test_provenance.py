"""Digests follow what code does, seeds follow names."""

import json

import numpy as np
import pytest

from tadpool import ROOT, seeds
from tadpool.files import provenance

CODE = '"""Says."""\nimport helper\n\ndef f(x):\n    """Doc."""\n    return x + 1  # why\n'


def digest_of(plugin, folder, files):
    """The digest of a plug-in in a new folder that holds these files. What was read before is kept,
    by path."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return provenance.digest([folder / plugin])


@pytest.mark.parametrize(
    ("file", "content", "changes"),
    [
        ("mine.py", CODE.replace("why", "another reason"), False),
        ("mine.py", CODE.replace("Doc.", "Documentation."), False),
        ("mine.py", CODE.replace("x + 1", "x  +  1"), False),
        ("mine.py", CODE.replace("x + 1", "x + 2"), True),
        ("helper.py", "A = 2\n", True),
        ("other.py", "B = 1\n", False),
    ],
)
def test_a_digest_changes_with_what_the_code_does(tmp_path, file, content, changes):
    files = {"mine.py": CODE, "helper.py": "A = 1\n"}
    before = digest_of("mine.py", tmp_path / "before", files)
    assert (digest_of("mine.py", tmp_path / "after", files | {file: content}) != before) == changes


@pytest.mark.parametrize(
    ("imported", "file"),
    [
        ("import helpers", "models/helpers.py"),
        ("from helpers import effect", "models/helpers.py"),
        ("from .helpers import effect", "models/helpers.py"),
        ("from . import helpers", "models/helpers.py"),
        ("from models.helpers import effect", "models/helpers.py"),
        ("import lib.parts", "models/lib/__init__.py"),
        ("import lib.parts", "models/lib/parts.py"),
        ("from lib import parts", "models/lib/deep.py"),
        ("def model():\n    import ours", "ours.py"),
    ],
)
def test_a_users_model_depends_on_every_file_that_it_imports(tmp_path, imported, file):
    files = {
        "models/mine.py": imported,
        "models/helpers.py": "effect = 1",
        "models/lib/__init__.py": "",
        "models/lib/parts.py": "from .deep import x",
        "models/lib/deep.py": "x = 1",
        "models/other.py": "",
        "ours.py": "",
        "lib.py": "",
    }
    changed = files | {file: "y = 2\n"}
    for name, changes in {"models/mine.py": True, "models/other.py": False}.items():
        before = digest_of(name, tmp_path / "before", files)
        assert (digest_of(name, tmp_path / "after", changed) != before) == changes


def test_a_digest_does_not_depend_on_where_the_working_directory_is(tmp_path):
    files = {"models/mine.py": "import zeta\nfrom tadpool import seeds\n", "models/zeta.py": "A = 1\n"}
    here, there = (digest_of("models/mine.py", tmp_path / place, files) for place in ("a", "z"))
    assert here == there


def test_a_script_depends_on_what_it_imports_also_inside_functions():
    scripts = ROOT / "scripts"
    names = {path.name for path in provenance.closure(scripts / "fit.py")}
    assert {"fit.py", "child_process.py", "fit_job.py", "lanes.py", "sampling.py", "binding.py"} <= names
    assert not any(
        "figures" in str(path) or "reporting" in str(path) for path in provenance.closure(scripts / "fit.py")
    )


@pytest.mark.parametrize(("script", "depends"), [("prepare_data", True), ("fit", False), ("check", False)])
def test_only_jobs_that_prepare_data_depend_on_how_tables_are_read(script, depends):
    names = {path.name for path in provenance.closure(ROOT / "scripts" / f"{script}.py")}
    assert ("described_table.py" in names) == depends
    assert ("table_files.py" in names) == depends


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_no_script_depends_on_how_the_config_is_read(script):
    reading = {ROOT / "tadpool" / "config" / name for name in ("__init__.py", "reading.py")}
    assert all(path.is_file() for path in reading)
    assert not reading & provenance.closure(script)


def test_a_record_names_config_code_data_seed_and_versions(tmp_path):
    (tmp_path / "data.nc").write_bytes(b"x")
    record = json.loads(provenance.record({"seed": 3, "model": "m"}, "abc", tmp_path / "data.nc"))
    assert record["seed"] == 3
    assert record["code"] == "abc"
    assert record["data"] == provenance.sha256(b"x")
    assert {"python", "numpyro", "jax", "tadpool"} <= set(record["versions"])
    assert str(tmp_path) not in json.dumps(record)


def test_parts_of_a_digest_do_not_run_together():
    assert provenance.sha256("ab", "c") != provenance.sha256("a", "bc")


def test_keys_follow_the_address_and_nothing_else():
    address = (1, "frogs", "multilevel", "fit")
    key = seeds.key(*address)
    assert key.dtype == np.uint32
    assert key.shape == (2,)
    assert np.array_equal(key, seeds.key(*address))
    assert list(key) == [762304902, 1842944368], "keys must not change between versions: results would"
    others = [
        (2, *address[1:]),
        (1, "frogs", "other", "fit"),
        (1, "frogs", "multilevel", "prior"),
        (*address, 0.5),
        (*address, None, 1),
    ]
    assert len({tuple(seeds.key(*other)) for other in [address, *others]}) == 1 + len(others)


def test_generators_follow_the_address():
    draws = [seeds.generator(1, "a", "", "simulate").normal() for _ in range(2)]
    assert draws[0] == draws[1]
    assert draws[0] != seeds.generator(2, "a", "", "simulate").normal()
