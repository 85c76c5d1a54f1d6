"""Entries that are formulas, or models of the ladder, as a study with a described table has them,
bound to its data."""

import json
from pathlib import Path

import yaml

from tadpool import config
from tadpool.loading import described_table
from tadpool.modelling import binding


def study(table, columns, entry, unit="row", **further):
    """The text of a study with one formula, whose outcome stands before ~, or with one other entry,
    whose outcome is the first column."""
    groups = [name for name, column in columns.items() if column["kind"] == "group" and name != unit]
    left = entry.get("formula", next(iter(columns))).split("~")[0].split("|")[0]
    outcome = left.strip().removeprefix("prop(").split(",")[0].strip()
    return yaml.safe_dump(
        {
            "title": "A formula",
            "question": "What does it say?",
            "dataset": {"table": str(table), "columns": columns},
            "outcomes": [outcome],
            "unit": unit,
            "groups": groups,
            "models": {"it": entry},
            **further,
        },
        sort_keys=False,
    )


def bound(table, columns, entry, **further):
    """The model of an entry bound to the table, in the working directory."""
    Path("config/studies").mkdir(parents=True, exist_ok=True)
    Path("config/studies/one.yaml").write_text(study(table, columns, entry, **further))
    (chosen,) = config.read({"studies": ["one"]}).studies.values()
    dataset = described_table.load(json.loads(json.dumps(chosen.source())))[0]
    return binding.bind(chosen.reference("it"), dataset, chosen.models["it"].hyperparameters)
