"""The documentation as its readers use it: blocks of Markdown in a folder of their own.

A block of YAML or Python whose first line is a comment with a path, `# models/mine.py`, is that
file; with `# in <path>`, its keys are laid over those of that file. A line `<!-- file: <path> -->`
before a block of any kind says the same, `<!-- wrong -->` that the block shows a mistake, and `<!--
not run: <reason> -->` that it is only read.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from tadpool import ROOT
from tadpool.config.reading import merge
from tadpool.workflow import new

PAGES = [
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "site" not in path.relative_to(ROOT).parts),
]
BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*) -->\n+)?^(?P<indent> *)(?P<fence>```+)(?P<language>\w+)\n(?P<text>.*?)^ *(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
NAMED = re.compile(r"# (?P<part>in )?(?P<path>[\w./-]+\.(?:yaml|py))\n")
# The example of the README, which the how-tos go on from.
EXAMPLE = "config/studies/bakeries.yaml"


@dataclass(frozen=True)
class Block:
    """A fenced block. note: of the comment before it. path: the file that it is, or is `part`
    of."""

    page: Path
    line: int
    language: str
    text: str
    note: str = ""
    path: str = ""
    part: bool = False

    @property
    def run(self) -> bool:
        return not self.note.startswith("not run: ")

    @property
    def wrong(self) -> bool:
        """Whether it shows a mistake."""
        return re.match(r"wrong\b", self.note) is not None

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def build(folder: Path) -> Path:
    """The site as `make docs` builds it, with nothing within reach that could be fetched; returns
    its folder."""
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "--quiet",
        "--fail-on-warning",
        "--keep-going",
        ROOT / "docs",
        folder / "site",
    ]
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [_block(page, text, found) for found in BLOCK.finditer(text)]


def _block(page: Path, text: str, found: re.Match) -> Block:
    content = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
    note, named = found["note"] or "", NAMED.match(content)
    noted = re.match(r"(?:file|wrong): (.+)", note)
    path = noted[1] if noted else named["path"] if named else ""
    line = text.count("\n", 0, found.start("fence")) + 1
    return Block(page, line, found["language"], content, note, path, bool(named and named["part"]))


def write(block: Block, folder: Path) -> None:
    """Write a block that is a file, or lay it over the file that it is part of."""
    path = folder / block.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if block.part:
        below = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        content = yaml.safe_dump(merge(below or {}, yaml.safe_load(block.text)), sort_keys=False, allow_unicode=True)
        path.write_text(content, encoding="utf-8")
    else:
        path.write_text(block.text, encoding="utf-8")


def begin(folder: Path) -> None:
    """The README's example, its table and its study, what `tadpool new doses` writes, folders of
    two runs, quick.yaml."""
    new.write("doses", folder)
    for name in ("results", "before"):
        (folder / name).mkdir()
    (folder / "quick.yaml").write_bytes((ROOT / "config" / "quick.yaml").read_bytes())
    for block in blocks(ROOT / "README.md"):
        if block.path in (EXAMPLE, "data/bakeries.csv"):
            write(block, folder)
