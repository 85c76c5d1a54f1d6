"""Study files with single changes, and the one sentence that each mistake gives."""

from pathlib import Path

import pytest

from tadpool import config

STUDY = {
    "title": "title: Cookies",
    "question": "question: How many chips?",
    "dataset": "dataset: cookies",
    "outcomes": "outcomes: [chips]",
    "unit": "unit: cookie",
    "groups": "groups: [location]",
    "models": "models: {pooled: {model: cookies_pooled}, hierarchical: {model: cookies_hierarchical}}",
}


def write(path, content):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content, encoding="utf-8")


def study(changes="", *without):
    """The text of a valid study with other lines for the keys that `changes` starts with."""
    lines = {key: line for key, line in STUDY.items() if key not in without}
    changed = changes.partition(":")[0]
    return "\n".join([*(line for key, line in lines.items() if key != changed), changes]) + "\n"


def problems(overlay=None):
    with pytest.raises(config.ConfigErrors) as caught:
        config.read(overlay)
    return caught.value.problems


def assert_one(found, file, field, *words):
    """Exactly one sentence, which names the file, the field and everything else."""
    assert len(found) == 1, found
    assert found[0].startswith(f"{file}: {field}: " if field else f"{file}: "), found[0]
    assert "\n" not in found[0]
    for word in words:
        assert word in found[0], found[0]
