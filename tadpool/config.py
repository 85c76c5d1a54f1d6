"""The config file and the study files: every key, its default, unit and meaning, in one place.

`read` turns them into a `Config`, or raises ConfigErrors with one sentence per problem: file, field, value, rule, mend.
"""

import ast
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from tadpool import plugins
from tadpool.errors import UserError, did_you_mean

BUILT_IN = Path(__file__).parent.parent / "config"
RESERVED = ("sweeps", "comparisons", "figures", "calibration", "logs", "benchmarks")
SLUG = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"

Slug = Annotated[str, Field(pattern=SLUG)]
Verdict = Literal["pass", "warn", "fail"]


class ConfigErrors(UserError):
    """All problems of the config and study files; `problems` holds one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Sampler(Strict):
    """Settings of the No-U-Turn Sampler."""

    chains: int = Field(4, ge=2, le=1000, description="Chains of each fit; R-hat needs at least two.")
    warmup: int = Field(1000, ge=10, le=10**7, description="Warm-up iterations of each chain, not kept.")
    draws: int = Field(1000, ge=10, le=10**7, description="Draws kept of each chain.")
    target_accept: float = Field(
        0.8, gt=0, lt=1, description="Acceptance probability that the step size is adapted to; raise it for divergences."
    )
    max_tree_depth: int = Field(10, ge=1, le=15, description="A trajectory has at most 2^depth - 1 leapfrog steps.")
    precision: Literal["float64", "float32"] = Field(
        "float64", description="Floating-point numbers of the sampler; float32 is faster and less exact."
    )


def _optional(model: type[Strict], name: str) -> type[Strict]:
    """The same keys, none of them required and none with a default: what is not said is inherited."""
    fields: dict[str, Any] = {
        key: (Annotated[field.annotation, Field(), *field.metadata] | None, Field(None, description=field.description))
        for key, field in model.model_fields.items()
    }
    return create_model(name, __base__=Strict, __doc__=f"{model.__doc__} What is not said is inherited.", **fields)


SamplerChanges = _optional(Sampler, "SamplerChanges")

Hyperparameter = bool | int | float | str


class Expect(Strict):
    """A verdict that is known and accepted; anything worse fails the gate, and so does a fit that is better."""

    verdict: Literal["warn", "fail"] = Field(description="The verdict that this entry is known to get.")
    because: str = Field(min_length=1, description="Why that is accepted; shown in the report.")


class Entry(Strict):
    """A named use of a model in a study."""

    model: str = Field(description="Name of the model: its file in models/ without .py.")
    label: str | None = Field(None, description="Name in figures and tables; by default the entry's name.")
    hyperparameters: dict[str, Hyperparameter] = Field(
        {}, description="Hyperparameters of the model that differ from its defaults."
    )
    sampler: SamplerChanges = Field(SamplerChanges(), description="Sampler settings for this entry alone.")
    expect: Expect | None = Field(None, description="A known verdict other than pass.")


class Spaced(Strict):
    """Equally spaced values, both ends included."""

    from_: float = Field(alias="from", description="First value.")
    to: float = Field(description="Last value.")
    n: int = Field(ge=2, le=10_000, description="Number of values.")

    def values(self) -> list[float]:
        step = (self.to - self.from_) / (self.n - 1)
        return [self.from_ + step * i for i in range(self.n - 1)] + [self.to]


class Overlay(Strict):
    """A posterior to show beside a sweep, on the axis of the swept hyperparameter."""

    entry: str = Field(description="Entry whose posterior is shown.")
    site: str = Field(description="Its parameter that plays the role of the hyperparameter.")


class Sweep(Strict):
    """An entry repeated over values of one of its hyperparameters."""

    entry: str = Field(description="Entry that is repeated.")
    over: str = Field(description="Hyperparameter that varies.")
    values: Spaced | list[float] = Field(description="A list of values, or {from, to, n}.")
    overlay: Overlay | None = Field(None, description="A posterior to compare the sweep with.")

    def points(self) -> list[float]:
        return self.values.values() if isinstance(self.values, Spaced) else list(self.values)


class Comparison(Strict):
    """Entries ranked by how well they predict."""

    entries: list[str] = Field(min_length=2, description="Entries to compare.")
    target: str = Field("unit", description="What is predicted: unit (a new row).")


class Prediction(Strict):
    """Predictions of a fitted entry for new groups."""

    group: str = Field(description="Dimension that gets a new member, e.g. a new location.")
    label: str | None = Field(None, description="Name of the new member in figures; by default `new <group>`.")
    rows: list[dict[str, Hyperparameter]] = Field(
        [], description="Rows to predict: values of the model's other variables; by default one row."
    )


class Figure(Strict):
    """A figure of the study's own story; further keys are options of its kind."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    kind: str = Field(description="Kind of figure: its file in tadpool/figures/ without .py.")
    caption: str = Field(description="What to look for, in one to three sentences.")

    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Study(Strict):
    """One question about one dataset."""

    title: str = Field(min_length=1, description="Title of the page.")
    question: str = Field(min_length=1, description="The question that the study answers.")
    dataset: str = Field(description="Name of the dataset: its file in datasets/ without .py.")
    arguments: dict[str, Hyperparameter] = Field({}, description="Arguments of the dataset's load or simulate function.")
    outcomes: list[str] = Field(min_length=1, description="Observed sites that are predicted, held out and compared.")
    unit: str = Field(description="Dimension of one prediction: log likelihoods are summed to it.")
    groups: list[str] = Field([], description="Grouping dimensions.")
    sampler: SamplerChanges = Field(SamplerChanges(), description="Sampler settings for this study.")
    models: dict[Slug, Entry] = Field(min_length=1, description="Entries: name -> model and hyperparameters.")
    sweeps: dict[Slug, Sweep] = Field({}, description="Sweeps: name -> entry, hyperparameter and values.")
    comparisons: dict[Slug, Comparison] = Field({}, description="Comparisons: name -> entries and target.")
    predictions: dict[Slug, Prediction] = Field({}, description="Predictions: entry -> new group.")
    figures: dict[Slug, Figure] = Field({}, description="Figures: name -> kind, caption and options.")
    references: list[str] = Field([], description="Sources, shown at the end of the page.")


class Settings(Strict):
    """The run: config/config.yaml, with what --configfile and --config lay over it."""

    seed: int = Field(1, ge=0, lt=2**53, description="Seed of the whole run; each stream of random numbers has its own key.")
    studies: list[Slug] | None = Field(
        None, min_length=1, description="Studies to run; by default your own, or else the built-in ones."
    )
    sampler: Sampler = Field(Sampler(), description="Sampler settings; studies and entries may differ.")
    compile_cache: bool = Field(True, description="Keep compiled programs between runs (in the temporary directory).")


class Config(Strict):
    """Everything that is configured: settings and, by name, the studies to run."""

    settings: Settings
    studies: dict[str, Study]

    def sampler(self, study: str, entry: str) -> Sampler:
        """The entry's sampler: its own settings over the study's over the run's."""
        changes = [self.studies[study].sampler, self.studies[study].models[entry].sampler]
        return self.settings.sampler.model_copy(
            update={k: v for change in changes for k, v in change.model_dump(exclude_none=True).items()}
        )


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key given twice (plain YAML keeps the last one, silently)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} is given twice (first on line {seen[key]}); remove one",
                    problem_mark=key_node.start_mark,
                )
            seen[key] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep)


def load_yaml(path: Path, shown: str) -> Any:
    """Parse a YAML file. Raises UserError for broken YAML, duplicate keys, and `__use_yte__`, which would run code."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise UserError(f"{shown}, line {line}: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{shown}: not readable as YAML in UTF-8: {error}") from error
    if isinstance(content, dict) and "__use_yte__" in content:
        raise UserError(f"{shown}: __use_yte__: templates run code and are not read here; remove the key")
    return {} if content is None else content


def read(overlay: Mapping[str, Any] | None = None) -> Config:
    """Read config/config.yaml of the working directory (or defaults) with `overlay` over it, and the studies it names.

    Raises ConfigErrors that lists all problems of all files at once.
    """
    problems: list[str] = []
    overlay = dict(overlay or {})
    path = Path("config/config.yaml")
    shown = str(path)
    raw: Any = {}
    try:
        raw = load_yaml(path, shown) if path.is_file() else {}
    except UserError as error:
        problems.append(str(error))
    if not isinstance(raw, dict):
        problems.append(f"{shown}: {raw!r} is not a list of keys; write `key: value` lines")
        raw = {}
    if "__use_yte__" in overlay:
        problems.append("--configfile: __use_yte__: templates run code and are not read here; remove the key")
        overlay.pop("__use_yte__")
    merged = merge(raw, overlay)
    settings = _validate(Settings, merged, lambda loc: "--config" if loc and loc[0] in overlay else shown, problems)
    studies = {}
    wanted = merged.get("studies") if settings is None else settings.studies
    own = sorted(p.stem for p in Path("config/studies").glob("*.yaml")) or built_in_studies()
    for name in _names(wanted if wanted is not None else own):
        try:
            studies[name] = read_study(name)
        except UserError as error:
            problems.extend(str(error).split("\n"))
    if problems or settings is None:
        raise ConfigErrors(problems)
    return Config(settings=settings, studies=studies)


def _names(names: Any) -> Iterator[str]:
    if isinstance(names, list):
        yield from dict.fromkeys(name for name in names if isinstance(name, str))


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, key by key in nested mappings; changes neither."""
    nested = {
        key: merge(below[key], value)
        for key, value in above.items()
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
    }
    return {**below, **above, **nested}


def built_in_studies() -> list[str]:
    return sorted(path.stem for path in (BUILT_IN / "studies").glob("*.yaml"))


def study_path(name: str) -> Path:
    """The study's file, of the working directory or built in. Raises UserError where there is none or there are two."""
    own, built_in = Path("config/studies") / f"{name}.yaml", BUILT_IN / "studies" / f"{name}.yaml"
    if own.is_file() and built_in.is_file() and own.resolve() != built_in.resolve():
        raise UserError(f"{own} has the name of a built-in study; rename yours")
    if own.is_file():
        return own
    if built_in.is_file():
        return built_in
    known = sorted({*built_in_studies(), *(p.stem for p in Path("config/studies").glob("*.yaml"))})
    raise UserError(f"studies: {name!r}: no file config/studies/{name}.yaml{did_you_mean(name, known)}")


def read_study(name: str) -> Study:
    """Read and check one study. Raises ConfigErrors with all its problems."""
    path = study_path(name)
    shown = f"config/studies/{name}.yaml"
    raw = load_yaml(path, shown)
    problems: list[str] = []
    if name in RESERVED:
        problems.append(f"{shown}: the name {name!r} is reserved for a folder of results; rename the file")
    study = _validate(Study, raw, lambda loc: shown, problems)
    if study is not None:
        problems.extend(f"{shown}: {problem}" for problem in _cross_check(study))
    if problems:
        raise ConfigErrors(problems)
    return study


def _validate(model: type[Strict], raw: Any, shown, problems: list[str]):
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        seen = set()
        for detail in error.errors():
            sentence = f"{shown(detail['loc'])}: {_sentence(model, raw, detail)}"
            if sentence not in seen:
                seen.add(sentence)
                problems.append(sentence)
        return None


def _sentence(model: type[Strict], raw: Any, detail: Mapping[str, Any]) -> str:
    """One pydantic error as field, value, rule and mend."""
    loc = [part for part in detail["loc"] if part != "[key]" and _in_file(raw, detail["loc"], part)]
    field = ".".join(str(part) for part in loc) or "the file"
    value = _shown(detail["input"])
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key {field}{did_you_mean(str(loc[-1]), _keys(model, loc[:-1]))}"
        case "missing":
            return f"{field} is missing; add it ({_description(model, loc)})"
        case "string_pattern_mismatch":
            return f"{field}: {value} is not a usable name; use letters, digits, _ and -, at most 64, starting with a letter or digit"
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than" as rule:
            bound = context.get(rule.replace("greater_than_equal", "ge").replace("greater_than", "gt").replace("less_than_equal", "le").replace("less_than", "lt"))
            words = {"greater_than_equal": "at least", "greater_than": "above", "less_than_equal": "at most", "less_than": "below"}
            return f"{field}: {value} is not allowed; give a number {words[rule]} {bound:g}"
        case "literal_error":
            return f"{field}: {value} is not allowed; give {context['expected']}"
        case "too_short" | "string_too_short":
            return f"{field}: {value} is too short; give at least {context['min_length']}"
        case "value_error":
            return f"{field}: {context['error']}"
    return f"{field}: {value} ({_type_name(detail['input'])}) is of the wrong type; {_wanted(detail)}"


def _in_file(raw: Any, loc: tuple, part: Any) -> bool:
    """Union branches add their names to the location; only keys and positions of the file are worth showing."""
    return isinstance(part, int) or part in _all_keys(raw) or part == loc[-1] and not str(part).endswith("]") and str(part) not in ("bool", "int", "float", "str", "Spaced")


def _all_keys(raw: Any) -> set:
    if isinstance(raw, dict):
        return set(raw).union(*(_all_keys(value) for value in raw.values()))
    if isinstance(raw, list):
        return set().union(*(_all_keys(value) for value in raw))
    return set()


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _type_name(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true/false", int: "a whole number", float: "a number", type(None): "empty"}
    return names.get(type(value), type(value).__name__)


def _wanted(detail: Mapping[str, Any]) -> str:
    words = {
        "int_type": "give a whole number", "float_type": "give a number (1e-3 is text in YAML, write 1.0e-3)",
        "string_type": "give text", "bool_type": "give true or false", "list_type": "give a list, e.g. [a, b]",
        "dict_type": "give `key: value` pairs", "model_type": "give `key: value` pairs",
    }  # fmt: skip
    return words.get(detail["type"], detail["msg"][0].lower() + detail["msg"][1:])


def _model_at(model: type[Strict], loc: list) -> type[Strict] | None:
    """The pydantic model that holds the keys at a location of the file."""
    annotation: Any = model
    for part in loc:
        inner = _submodels(annotation)
        fields = [m.model_fields for m in inner if part in _keys_of(m)]
        if fields:
            annotation = next(f.annotation for name, f in fields[0].items() if (f.alias or name) == part)
        elif typing.get_origin(annotation) in (dict, list):
            annotation = typing.get_args(annotation)[-1]
    return next(iter(_submodels(annotation)), None)


def _submodels(annotation: Any) -> list[type[Strict]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (dict, list):
        return []
    return [m for argument in typing.get_args(annotation) for m in _submodels(argument)]


def _keys_of(model: type[Strict]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _keys(model: type[Strict], loc: list) -> list[str]:
    at = _model_at(model, loc)
    return _keys_of(at) if at else []


def _description(model: type[Strict], loc: list) -> str:
    at = _model_at(model, loc[:-1])
    fields = {f.alias or n: f for n, f in at.model_fields.items()} if at else {}
    return (fields[loc[-1]].description or "required").rstrip(".") if loc and loc[-1] in fields else "required"


def _cross_check(study: Study) -> Iterator[str]:
    """What one key says about another, or about a plug-in."""
    entries = list(study.models)
    for name in entries:
        if name in RESERVED:
            yield f"models.{name}: the name is reserved for a folder of results; rename the entry"
    yield from _check_dataset(study)
    signatures = {}
    for name, entry in study.models.items():
        try:
            signatures[name] = plugins.signature(plugins.find("models", entry.model))
        except UserError as error:
            yield f"models.{name}.model: {entry.model!r}: {error}"
            continue
        yield from _check_hyperparameters(f"models.{name}.hyperparameters", entry.hyperparameters, signatures[name])
    for name, sweep in study.sweeps.items():
        yield from _unknown(f"sweeps.{name}.entry", [sweep.entry], entries)
        if sweep.overlay:
            yield from _unknown(f"sweeps.{name}.overlay.entry", [sweep.overlay.entry], entries)
        if not sweep.points():
            yield f"sweeps.{name}.values: [] is empty; give at least one value"
        if sweep.entry in signatures:
            value = {sweep.over: sweep.points()[0]} if sweep.points() else {}
            yield from _check_hyperparameters(f"sweeps.{name}.over", value, signatures[sweep.entry])
    for name, comparison in study.comparisons.items():
        yield from _unknown(f"comparisons.{name}.entries", comparison.entries, entries)
        if comparison.target not in ("unit", *study.groups):
            targets = ["unit", *study.groups]
            yield f"comparisons.{name}.target: {comparison.target!r}{did_you_mean(comparison.target, targets)}"
    for name, prediction in study.predictions.items():
        yield from _unknown("predictions", [name], entries)
        yield from _unknown(f"predictions.{name}.group", [prediction.group], study.groups, "group")
    for name, figure in study.figures.items():
        kinds = [path.stem for path in (plugins.PACKAGE / "figures").glob("*.py") if not path.stem.startswith("_")]
        if figure.kind not in kinds:
            yield f"figures.{name}.kind: {figure.kind!r} is not a kind of figure{did_you_mean(figure.kind, kinds)}"


def _unknown(field: str, names: list[str], known: list[str], noun: str = "entry") -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{field}: {name!r} is not {'an' if noun == 'entry' else 'a'} {noun} of this study{did_you_mean(name, known)}"


def _check_dataset(study: Study) -> Iterator[str]:
    try:
        plugins.find("datasets", study.dataset)
        plugins.tables(study.dataset)
    except (UserError, ValueError, ast.AST) as error:
        yield f"dataset: {study.dataset!r}: {error}"


def _check_hyperparameters(field: str, values: Mapping[str, Hyperparameter], signature: plugins.Signature) -> Iterator[str]:
    for name, value in values.items():
        if name not in signature.hyperparameters:
            yield f"{field}: {name!r} is not a hyperparameter of the model{did_you_mean(name, list(signature.hyperparameters))}"
            continue
        default = signature.hyperparameters[name]
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (number if isinstance(default, float) else isinstance(value, type(default))):
            yield f"{field}: {name}: {value!r} ({_type_name(value)}) is of the wrong type; give {_type_name(default)}"
