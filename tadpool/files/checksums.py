"""A digest beside each NetCDF result, verdict and ranking, `.fit.nc.sha256`, in the format of sha256sum: a file that is not
the one that was written there is found, be it damaged, edited, another's, or an old one put back.
"""

import base64
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from tadpool.errors import UserError

FIX = "delete the file and run again"
LONGEST = 254  # characters of a name in Snakemake's records


def belongs(path: Path) -> bool:
    """Whether a file has a seal: NetCDF, and what later steps read of verdicts and rankings."""
    return (
        path.suffix == ".nc"
        or path.name == "check.json"
        or (path.parent.name == "comparisons" and path.suffix == ".csv")
    )


def path_of(path: str | Path) -> Path:
    """Where the digest of a file stands."""
    path = Path(path)
    return path.with_name(f".{path.name}.sha256")


def text(content: Path, name: str) -> str:
    """What the seal of a file `name` with this content says."""
    with content.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n"


def require_intact(path: str | Path) -> None:
    """Raise UserError where a file has a seal and is not what was sealed."""
    path, seal = Path(path), path_of(path)
    if seal.is_file() and path.is_file() and seal.read_text(encoding="utf-8") != text(path, path.name):
        raise UserError(
            f"{path}: it is not the file that was written here (damaged, edited, replaced or put back); {FIX}"
        )


def foreign(folders: Iterable[Path], records: Path = Path(".snakemake")) -> list[str]:
    """A sentence for each folder with sealed results of which Snakemake has no record: neither of one that was made nor of one
    whose run was killed meanwhile.
    """
    return [
        f"{folder} was made elsewhere, and whether it fits the config is not known: copy {records} from there too, or delete it"
        for folder in folders
        if (sealed := [_sealed(seal) for seal in folder.rglob(".*.sha256")])
        and not any((records / kind / _record(path)).exists() for path in sealed for kind in ("metadata", "incomplete"))
    ]


def _sealed(seal: Path) -> Path:
    return seal.with_name(seal.name.removeprefix(".").removesuffix(".sha256"))


def _record(path: Path) -> Path:
    """Where Snakemake keeps what it knows of a file: a name that is too long for one is cut into folders."""
    name = base64.urlsafe_b64encode(path.as_posix().encode()).decode()
    *folders, last = [name[first : first + LONGEST] for first in range(0, len(name), LONGEST)]
    return Path(*(f"@{part}" for part in folders), last)


def broken(folders: Iterable[Path]) -> list[str]:
    """A sentence for each sealed file in these folders that changed since. Files that are older than their seal are trusted
    until they are read, so that this takes no time.
    """
    sentences = []
    for folder in folders:
        for seal in folder.rglob(".*.sha256"):
            path = _sealed(seal)
            try:
                if path.stat().st_mtime_ns > seal.stat().st_mtime_ns or not os.path.getsize(path):
                    require_intact(path)
            except FileNotFoundError:
                continue
            except UserError as error:
                sentences.append(str(error))
    return sentences
