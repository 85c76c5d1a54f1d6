"""Time tadpool against PyMC with nutpie and against NumPyro, in one run, and write the tables of
benchmarks/README.md.

Every variant is a process of its own. The variants of a part take turns, so that a busy machine
slows all of them. Results that disagree beyond their Monte Carlo error end the run. What was
measured is kept in benchmarks/measured/, one file for each part; the README's tables are made from
these files, so parts can be measured one at a time.
"""

import argparse
import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import processes

README = Path(__file__).parent / "README.md"
MEASURED = Path(__file__).parent / "measured"
# Modules beside this one with TITLE, FULL, QUICK, measure(size, threads, caches) and render(size,
# measured).
PARTS = ("sigma_grid", "calibration", "county", "ess", "ladder", "loo", "scaling", "workflow", "tutorial", "formula")
SMOKE = "**A smoke run of small sizes: its times and ratios mean nothing.**"


def measure(part: str, quick: bool) -> dict[str, Any]:
    """Measure one part: the machine with the versions that took part, the size of the work, and the
    results."""
    module = importlib.import_module(f"benchmarks.{part}")
    size = module.QUICK if quick else module.FULL
    with tempfile.TemporaryDirectory(prefix="tadpool-benchmarks-") as caches:
        results = module.measure(size, processes.threads(), Path(caches))
    machine = processes.machine(processes.versions(results["runs"]))
    return {"machine": machine, "size": size, "results": results | {"runs": processes.kept(results["runs"])}}


def section(part: str, measured: dict[str, Any]) -> str:
    """The part's section of the README."""
    module = importlib.import_module(f"benchmarks.{part}")
    paragraphs = module.render(measured["size"], measured["results"])
    return "\n\n".join([f"## {module.TITLE}", f"Machine: {measured['machine']}", *paragraphs])


def rendered(readme: str, sections: dict[str, str]) -> str:
    """The README with these sections between their markers, and all else as it was."""
    for part, text in sections.items():
        begin, end = f"<!-- measured {part}: begin -->", f"<!-- measured {part}: end -->"
        before, _, rest = readme.partition(begin)
        readme = f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}"
    return readme


def stored() -> dict[str, dict[str, Any]]:
    """The measurements that are kept, by part."""
    files = {part: MEASURED / f"{part}.json" for part in PARTS}
    return {part: json.loads(file.read_text(encoding="utf-8")) for part, file in files.items() if file.exists()}


def main() -> None:
    """Measure the chosen parts one after another, keep and print what was measured, and write the
    README."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"what to measure, by default all: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="a smoke run of small sizes that keeps nothing")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the README from what is kept")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    if not (options.quick or options.render or processes.PEER_PYTHON.exists()):
        raise SystemExit(f"{processes.PEER_PYTHON.relative_to(processes.ROOT)} does not exist; `make bench` sets it up")
    for part in () if options.render else options.parts or PARTS:
        measured = measure(part, options.quick)
        print(f"\n{SMOKE}\n" if options.quick else "", section(part, measured), "", sep="\n", flush=True)
        if not options.quick:
            MEASURED.mkdir(exist_ok=True)
            text = json.dumps(measured, indent=1, ensure_ascii=False) + "\n"
            (MEASURED / f"{part}.json").write_text(text, encoding="utf-8")
    if not options.quick:
        sections = {part: section(part, measured) for part, measured in stored().items()}
        README.write_text(rendered(README.read_text(encoding="utf-8"), sections), encoding="utf-8")


if __name__ == "__main__":
    main()
