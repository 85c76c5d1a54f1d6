"""How time and memory grow with lanes, groups and rows, on one core and on two."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks import ladder
from benchmarks.processes import Runs, Variant, run
from benchmarks.tables import table

TITLE = "How time and memory grow"
FULL = {
    "warmup": 200, "draws": 200,
    "lanes": [1, 10, 100, 1000, 10_000], "groups": [10, 100, 1000, 10_000],
    "rows": [10**3, 10**4, 10**5, 10**6], "terms": [10**3, 10**4, 10**5, 10**6],
}  # fmt: skip
QUICK = {"warmup": 50, "draws": 50, "lanes": [2], "groups": [4], "rows": [200], "terms": [200, 400]}
WORDS = {1: "one core", 2: "two cores"}
CORES = tuple(WORDS)
ROWS_OF_A_GROUP, GROUPS = 10, 100
MOST_SECONDS = 120.0
DRAWN = "`make docs` draws these tables: `docs/site/reference/benchmarks.html`."


@dataclass(frozen=True)
class Series:
    """What grows: lanes, groups or rows; the words say what is fitted."""

    grows: str
    words: str
    variant: Variant


SERIES = {
    "lanes": Series(
        "lanes",
        "`frogs_multilevel`, one chain for each simulated data set, as in a calibration",
        Variant("tadpool, lanes", "calibration_tadpool"),
    ),
    "groups": Series(
        "groups",
        f"partial pooling of {ROWS_OF_A_GROUP} rows for each group, 4 chains; the rows are summed up by group",
        Variant("tadpool, groups", "ladder_tadpool"),
    ),
    "rows": Series(
        "rows",
        f"partial pooling of {GROUPS} groups, 4 chains; the rows are summed up by group",
        Variant("tadpool, rows", "ladder_tadpool"),
    ),
    "terms": Series(
        "rows",
        f"partial pooling of {GROUPS} groups, 4 chains; each row is a term of its own, as where no sums are sufficient",
        Variant("tadpool, a term for each row", "ladder_tadpool", arguments=("--rows",)),
    ),
}


def measure(size: dict[str, Any], threads: int, caches: Path) -> dict[str, Any]:
    """One run for each series, size and number of cores, named "<series> <size> <cores>", each with
    no programs kept.

    What would sample longer than MOST_SECONDS, if it took as long for each row as the size before,
    is left out.
    """
    runs: Runs = {}
    for name, series in SERIES.items():
        for i, count in enumerate(size[name]):
            work = {"warmup": size["warmup"], "draws": size["draws"]} | _work(name, count, caches)
            for cores in CORES:
                if i and expected(runs, name, size[name][i - 1], count, cores) > MOST_SECONDS:
                    continue
                with _limited(cores):
                    runs[f"{name} {count} {cores}"] = [run(series.variant, work | {"threads": cores}, caches)]
    return {"runs": runs}


def expected(runs: Runs, name: str, before: int, count: int, cores: int) -> float:
    """Seconds of sampling, if it took as long for each lane, group or row as the size before."""
    known = runs.get(f"{name} {before} {cores}")
    return known[0]["seconds"]["sample"] * count / before if known else float("inf")


def _work(name: str, count: int, caches: Path) -> dict[str, Any]:
    if name == "lanes":
        return {"lanes": count}
    rows, groups = (ROWS_OF_A_GROUP * count, count) if name == "groups" else (count, min(GROUPS, count))
    folder = caches / f"{rows}-{groups}"
    if not folder.exists():
        folder.mkdir()
        ladder.simulated(rows, groups, folder)
    return {"model": "partial", "data": folder / "ladder.nc"}


@contextmanager
def _limited(cores: int) -> Iterator[None]:
    """Processes that start meanwhile have this many cores."""
    whole = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(whole)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, whole)


def render(size: dict[str, Any], measured: dict[str, Any]) -> list[str]:
    """The paragraphs and tables of the README."""
    said = [
        f"Chains of {size['warmup']} + {size['draws']}, float64, one run each, no programs kept. Sampling: without start and "
        "compiling, with reading the data. Memory: the process' peak, libraries included.",
        DRAWN,
    ]
    for name, series in SERIES.items():
        kinds = ("whole process", "sampling")
        head = [series.grows, *(f"{kind}, {cores}, s" for kind in kinds for cores in WORDS.values())]
        each = f"sampling of each {series.grows.removesuffix('s')}, {WORDS[max(CORES)]}, ms"
        head += ["one core to two, sampling", each, "peak memory, MB"]
        rows = [_row(measured["runs"], name, count) for count in size[name]]
        said += [f"**{series.grows.capitalize()}**: {series.words}.", table(head, rows)]
    return [*said, f"A dash: by the size before it would take more than {MOST_SECONDS:g} s of sampling."]


def _row(runs: Runs, name: str, count: int) -> list[str]:
    found = [runs.get(f"{name} {count} {cores}", [None])[0] for cores in CORES]
    times = [[each["seconds"][kind] if each else None for each in found] for kind in ("whole", "sample")]
    cells = [f"{count:,}", *("–" if value is None else f"{value:,.1f}" for kind in times for value in kind)]
    one, two = times[1]
    cells += [f"{one / two:.2f}" if one and two else "–", f"{1000 * two / count:,.3g}" if two else "–"]
    return [*cells, f"{max(each['memory_mb'] for each in found if each):,.0f}" if any(found) else "–"]


def draw(size: dict[str, Any], measured: dict[str, Any], file: Path | IO[bytes]) -> None:
    """Write the figure of sampling and memory over each size as SVG."""
    from tadpool.figures import _style

    with _style.figure_style("scaling"):
        figure, axes = _style.panels(2, 3, height=4.5, sharex="col", sharey="row")
        for column, grows in enumerate(("lanes", "groups", "rows")):
            for name in [name for name, series in SERIES.items() if series.grows == grows]:
                for cores, marker in zip(CORES, "os", strict=True):
                    known = [count for count in size[name] if f"{name} {count} {cores}" in measured["runs"]]
                    found = [measured["runs"][f"{name} {count} {cores}"][0] for count in known]
                    label = f"{WORDS[cores]}, {'a term each' if name == 'terms' else 'sums' if name == 'rows' else ''}"
                    look = {
                        "color": _style.PALETTE[name == "terms"],
                        "marker": marker,
                        "label": label.removesuffix(", "),
                    }
                    look["linestyle"] = "--" if cores == 1 else "-"
                    axes[0, column].plot(known, [each["seconds"]["sample"] for each in found], **look)
                    axes[1, column].plot(known, [each["memory_mb"] for each in found], **look)
            axes[0, column].legend(loc="lower left", bbox_to_anchor=(0, 1))  # above the lines
            axes[1, column].set(xscale="log", xlabel=grows)
        axes[0, 0].set(yscale="log", ylabel="sampling (s)")
        axes[1, 0].set(ylabel="peak memory (MB)", ylim=(0, None))
        figure.savefig(file, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
