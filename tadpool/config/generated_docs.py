"""The JSON schemas and the README of config/, generated from the models so that they always agree
with them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from tadpool import ROOT
from tadpool.config.schema import analyses, answers, design, run, study, sweep, table
from tadpool.config.schema.types import RESERVED

FOLDER = ROOT / "config"
README = """\
# Configuration

`config/config.yaml` says what a run computes and how; each file in `config/studies/` is one study. Every key is listed
here with its default and an example. This page and the two schemas are written by `python -m tadpool.config`.

```sh
tadpool                                         # config/config.yaml or, if there is none, the defaults
tadpool --config seed=2 'studies=[bakeries]'    # other values for this run
tadpool --configfile quick.yaml                 # the same from a file; nested keys, such as sampler, need one
tadpool -n                                      # show what would run, and mistakes in the config
```

`tadpool` is `bin/tadpool` in the folder of tadpool: it runs the workflow in the folder that you are in. In the
folder of tadpool itself `make` and `.venv/bin/snakemake` do the same.

Later values override earlier ones, key by key: defaults, `config/config.yaml`, `--configfile`, `--config`; for the
sampler then the study's and the entry's `sampler`. A mistake stops the run before anything is computed, and the
mistakes in all files are listed together. What a study refers to (entries, groups, columns, files) is checked once
its keys and values are right. Unknown keys are mistakes. Three traps of YAML 1.1: `1e-3` is text, write `1.0e-3` or
`0.001`; `no`, `off`, `yes` and `on` are true or false, put words in quotes; `010` is 8 and `3:20` is 200, so numbers
with a 0 in front or with colons are refused. Snakemake itself reads the files of `--configfile`: if a key is given
twice it silently keeps the last value, and it runs templates (`__use_yte__`). In all other files both are mistakes.

In your own folder you can add studies (`config/studies/x.yaml`), models (`models/x.py`), datasets (`datasets/x.py`)
and tables (`data/x.csv`). They are found by their names, which must differ from the names of built-in ones. A name
has at most 64 characters: letters, digits, `_` and `-`. Studies and entries must not be named
{reserved}.

Editors that read `# yaml-language-server: $schema=...` in the first line of a file complete keys and mark mistakes
while you type: `config.schema.json` is for config.yaml, `study.schema.json` for study files.
"""
SECTIONS = {
    "config.yaml": run.Settings,
    "sampler": run.Sampler,
    "verdict": run.Verdict,
    "A study file": study.Study,
    "`storage`": run.Storage,
    "A table: `dataset`": table.Table,
    "A column: `dataset.columns.<name>`": table.Column,
    "The models of the ladder: `design`, `models.<name>.design`": design.Design,
    "An entry: `models.<name>`": study.Entry,
    "`models.<name>.expect`": study.Expect,
    "`sweeps.<name>`": sweep.Sweep,
    "`sweeps.<name>.values`": sweep.Spaced,
    "`sweeps.<name>.overlay`": sweep.Overlay,
    "`comparisons.<name>`": analyses.Comparison,
    "`predictions.<entry>`": analyses.Prediction,
    "`answers.<name>`": answers.Answer,
    "`claims[]`": answers.Claim,
    "`calibration.<name>`": analyses.Calibration,
    "`recovery.<name>`": analyses.Recovery,
    "`figures.<name>`": analyses.Figure,
}


class _Plain(GenerateJsonSchema):
    """Keys in the order of the models, and no titles, which would only repeat the names of the
    keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dict_schema(self, schema: Any) -> dict[str, Any]:
        names = super().dict_schema(schema)
        return names | ({"additionalProperties": False} if "patternProperties" in names else {})

    def sort(self, value: Any, parent_key: str | None = None) -> Any:
        return value


def documents() -> dict[str, str]:
    """The generated files of config/: name -> content."""
    return {
        "config.schema.json": _schema(run.Settings),
        "study.schema.json": _schema(study.Study),
        "README.md": "\n".join([README.replace("{reserved}", _list(RESERVED)), *_sections()]),
    }


def write(folder: Path = FOLDER) -> None:
    """Write the schemas and the README."""
    for name, content in documents().items():
        (folder / name).write_text(content, encoding="utf-8")


def _schema(model: type[BaseModel]) -> str:
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(draft | model.model_json_schema(schema_generator=_Plain), indent=2) + "\n"


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words[:-1]) + f" or `{words[-1]}`"


def _sections() -> Iterator[str]:
    for title, model in SECTIONS.items():
        schema = model.model_json_schema(schema_generator=_Plain)
        yield f"## {title}\n\n{schema['description']}\n"
        yield "| key | value | default | meaning |\n|---|---|---|---|"
        required = schema.get("required", [])
        for key, field in schema["properties"].items():
            default = "required" if key in required else _default(field.get("default"))
            yield f"| `{key}` | {_value(field, schema)} | {default} | {field['description']} |"
        yield f"\n```yaml\n{_examples(schema['properties'])}```\n"


def _default(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else f"`{_flow(value)}`"


def _value(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Type and range in words."""
    if "$ref" in field:
        return "keys"
    if "oneOf" in field or "anyOf" in field:
        choices = [each for each in field.get("oneOf", field.get("anyOf")) if each.get("type") != "null"]
        return " or ".join(_value(each, schema) for each in choices)
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " or ".join(f"`{choice}`" for choice in field["enum"])
    words = {"integer": "whole number", "string": "text", "boolean": "`true` or `false`", "object": "keys"}
    if field["type"] == "array":
        return f"list of {_value(field['items'], schema)}"
    return " ".join(filter(None, [words.get(field["type"], field["type"]), _range(field)]))


def _range(field: Mapping[str, Any]) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    return " ".join(f"{word} {field[key]:,}" for key, word in words.items() if key in field)


def _examples(properties: Mapping[str, Any]) -> str:
    return "".join(f"{key}: {_flow(field['examples'][0])}\n" for key, field in properties.items())


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000, allow_unicode=True)
    return text.removesuffix("...\n").strip()
