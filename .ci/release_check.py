"""`make release-check`: build the sdist and, from it, the wheel; check what is in them; say what a
release still needs. It publishes nothing."""

import datetime
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from hatchling import build

from tadpool import ROOT

DATA = ("Snakefile", "rules/", "scripts/", "config/", "data/", "report/", "profiles/", "environment.yml")
"""What the wheel has in `tadpool/installed/`."""


def tracked() -> set[str]:
    """The files in Git that belong into a wheel, by their names there."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    names = done.stdout.splitlines()
    return {name for name in names if name.startswith("tadpool/")} | {
        f"tadpool/installed/{name}" for name in names if name.startswith(DATA)
    }


def built(folder: Path) -> tuple[Path, Path]:
    """The sdist, made in the current folder, the root of the repository, and the wheel that is made
    from it."""
    sdist = folder / build.build_sdist(str(folder))
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def of_wheel(wheel: Path) -> Iterator[str]:
    """What is wrong with the files of the wheel."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    yield from (f"{wheel.name} lacks {name}" for name in sorted(tracked() - names))
    yield from (f"{wheel.name} has {name}, which is not in Git; remove it" for name in sorted(names - tracked()))


def of_sdist(sdist: Path) -> Iterator[str]:
    """What is wrong with the files of the sdist: results, environments or caches."""
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    wrong = re.compile(r"(results|docs/site|\.venv[\w-]*|\.uv|\.snakemake)/|.*__pycache__|.*\.nc$")
    yield from (f"{sdist.name} has {name}, which no release holds" for name in names if wrong.match(name))
    yield from (
        f"{sdist.name} lacks {name}" for name in ("Snakefile", "LICENSE", "tests/conftest.py") if name not in names
    )


def still_needed(version: str) -> Iterator[str]:
    """What a release with this version still needs from its makers."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        fallback = re.search(r'fallback_version = "([\d.]+)\.dev0"', (ROOT / "pyproject.toml").read_text())[1]
        yield f"a tag on this commit, such as `git tag v{fallback}` (the version is {version} until then)"
        version = fallback
    if not re.search(
        rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    ):
        yield f"the heading `## {version} ({datetime.date.today()})` in CHANGELOG.md"
    citation = (ROOT / "CITATION.cff").read_text()
    if f"version: {version}\n" not in citation or "date-released:" not in citation:
        yield f"`version: {version}` and `date-released: {datetime.date.today()}` in CITATION.cff"


def main() -> int:
    """Print the files that were made, mistakes and what is still needed; 1 where there are
    mistakes."""
    folder = ROOT / "dist"
    folder.mkdir(exist_ok=True)
    for path in folder.glob("tadpool-*"):  # of another version: dist/tadpool-*.whl is to be one file
        path.unlink()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        sdist, wheel = (path.rename(folder / path.name) for path in built(Path(place)))
    mistakes = [*of_wheel(wheel), *of_sdist(sdist)]
    for path in (sdist, wheel):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB")
    print("\n".join(mistakes) if mistakes else "Both hold what they should and nothing else.")
    needed = [*still_needed(wheel.name.split("-")[1])]
    print(
        "\n".join(["A release still needs:", *(f"- {each}" for each in needed)]) if needed else "Ready for a release."
    )
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
