"""A checksum beside each NetCDF result, verdict and ranking, such as `.fit.nc.sha256`, in the
format of sha256sum.

It shows that a file is not the one that was written there: damaged, edited, swapped, or an old copy
put back.
"""

import base64
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from tadpool.errors import UserError

PATTERN = ".*.sha256"


def is_needed(path: Path) -> bool:
    """Whether a file gets a checksum: NetCDF, and the verdicts and rankings that later steps
    read."""
    ranking = path.parent.name == "comparisons" and path.suffix == ".csv"
    return path.suffix == ".nc" or path.name == "check.json" or ranking


def checksum_path(path: str | Path) -> Path:
    """The file with the checksum of a file."""
    path = Path(path)
    return path.with_name(f".{path.name}.sha256")


def line(content: Path, name: str) -> str:
    """The content of a checksum file. content: a file with the content. name: the name it has in
    the end."""
    with content.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n"


def require_intact(path: str | Path) -> None:
    """Raise UserError where a file does not match its checksum. One without a checksum passes."""
    path, checksum = Path(path), checksum_path(path)
    if checksum.is_file() and path.is_file() and checksum.read_text(encoding="utf-8") != line(path, path.name):
        what = "it is not the file that was written here (damaged, edited, replaced or put back)"
        raise UserError(f"{path}: {what}; delete the file and run again")


def made_elsewhere(folders: Iterable[Path], records: Path = Path(".snakemake")) -> list[str]:
    """Sentences about folders whose results Snakemake has no record of, be it of a finished or of a
    killed job."""
    return [
        f"{folder} was made elsewhere, and whether it fits the config is not known: copy {records} from there too, or delete it"
        for folder in folders
        if (paths := [_path(checksum) for checksum in folder.rglob(PATTERN)])
        and not any(_recorded(path, records) for path in paths)
    ]


def changed(folders: Iterable[Path]) -> list[str]:
    """Sentences about files in these folders that do not match their checksums.

    To take no time, files that are older than their checksum are only checked when they are read.
    """
    sentences = []
    for checksum in (checksum for folder in folders for checksum in folder.rglob(PATTERN)):
        path = _path(checksum)
        try:
            if path.stat().st_mtime_ns > checksum.stat().st_mtime_ns or not path.stat().st_size:
                require_intact(path)
        except FileNotFoundError:
            continue
        except UserError as error:
            sentences.append(str(error))
    return sentences


def _path(checksum: Path) -> Path:
    return checksum.with_name(checksum.name.removeprefix(".").removesuffix(".sha256"))


def _recorded(path: Path, records: Path) -> bool:
    """Whether Snakemake keeps a record of a file. Those of very long names, which it stores
    otherwise, are not found."""
    name = base64.urlsafe_b64encode(path.as_posix().encode()).decode()
    return any(os.path.exists(records / kind / name) for kind in ("metadata", "incomplete"))
