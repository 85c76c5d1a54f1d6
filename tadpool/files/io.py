"""Read and write results: complete files or none, checked against their contracts, equal bytes for
equal content."""

import errno
import faulthandler
import glob
import json
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tadpool.errors import UserError
from tadpool.files import checksums, run_lock

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from tadpool.files.contracts import Contract

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SPARE_BYTES = 100_000  # a disk with less has no room for a result


def canonical(value: Any, ordered: bool = False) -> str:
    """The one JSON text of a value: no spaces, no NaN, keys sorted unless their order matters
    (`ordered`)."""
    return json.dumps(value, sort_keys=not ordered, separators=(",", ":"), allow_nan=False)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path; if the block succeeds the file replaces `path`, and otherwise it is
    removed.

    Results get a checksum (`tadpool.files.checksums`).

    Raises:
        UserError: The disk is full, the folder cannot be written, or another run began in the
            meantime.
    """
    path = Path(path)
    with _writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_partial(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
            run_lock.require_current(path)
            if checksums.is_needed(path):  # written first: without its file it is ignored
                write_text(checksums.checksum_path(path), checksums.line(temporary, path.name))
            temporary.replace(path)
        except RuntimeError:  # the only error that the NetCDF library has for a full disk
            _require_room(temporary)
            raise
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    """Turn errors of a full disk or quota, or of a folder that cannot be written, into
    sentences."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise UserError(f"{path}: the disk or your quota is full; free some space and run again") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise UserError(f"{path}: cannot be written ({error.strerror}); make its folder writable") from error
        raise


def _require_room(temporary: Path) -> None:
    """Raise OSError where the file cannot grow."""
    with temporary.open("ab") as file:
        file.write(bytes(SPARE_BYTES))
        file.flush()
        os.fsync(file.fileno())


def remove_partial(path: str | Path) -> None:
    """Remove temporary files that killed jobs left when they wrote `path`."""
    path = Path(path)
    for partial in path.parent.glob(f".{glob.escape(path.name)}.*{path.suffix}"):
        partial.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8, with the same line endings on every system."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with sorted keys. Raises ValueError for NaN and infinity, which JSON does not
    have."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON result. Raises UserError if it does not match its checksum or is not JSON."""
    checksums.require_intact(path)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: cannot be read as JSON ({error}); delete the file and run again") from error


def write_csv(path: str | Path, table) -> None:
    """Write a pandas DataFrame without its index; floats keep their full precision."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_csv(path: str | Path) -> "pd.DataFrame":
    """Read a CSV result. Raises UserError if it does not match its checksum."""
    import pandas as pd

    checksums.require_intact(path)
    return pd.read_csv(path)


def write(path: str | Path, tree: "xr.DataTree", contract: "Contract") -> None:
    """Write a NetCDF file, compressed: to a temporary name, then re-opened, checked and renamed.

    Args:
        path: The file.
        tree: Its content.
        contract: What it must contain.

    Raises:
        UserError: The content breaks the contract, or the file cannot be written.
    """
    from tadpool.files import contracts

    contracts.check(tree, contract, str(path), fix="it was not written")
    encoding = {
        node.path: {name: {"zlib": True, "complevel": 4} for name, v in node.data_vars.items() if v.dtype.kind != "U"}
        for node in tree.subtree
    }
    with replacing(path) as temporary:
        tree.to_netcdf(temporary, engine="netcdf4", encoding={k: v for k, v in encoding.items() if v})
        contracts.check(_load(temporary), contract, str(path))


def read(path: str | Path, contract: "Contract") -> "xr.DataTree":
    """Read a whole NetCDF file into memory and check it.

    Raises:
        UserError: It is missing, damaged or does not keep its contract; the message names the file
            and the group.
    """
    from tadpool.files import contracts

    try:
        checksums.require_intact(path)
        tree = _load(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; run the workflow to make it") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{path}: cannot be read as NetCDF ({error}); delete the file and run again") from error
    contracts.check(tree, contract, str(path))
    return tree


def attributes(path: str | Path) -> dict[str, Any]:
    """The root attributes of a NetCDF file, without its content."""
    import xarray as xr

    checksums.require_intact(path)
    try:
        with xr.open_dataset(path, engine="netcdf4") as root:
            return dict(root.attrs)
    except (OSError, RuntimeError) as error:
        raise UserError(f"{path}: cannot be read as NetCDF ({error}); delete the file and run again") from error


def made_from(path: str | Path) -> str:
    """The provenance of a NetCDF result; its content is not looked at."""
    import xarray as xr

    with xr.open_dataset(path, engine="netcdf4") as root:
        return str(root.attrs.get("provenance", "{}"))


def _load(path: str | Path) -> "xr.DataTree":
    import xarray as xr

    return xr.load_datatree(path, engine="netcdf4")


def tell(sentence: str) -> None:
    """Print a sentence on the terminal, past the log of the job."""
    os.write(int(os.environ.get("TADPOOL_TERMINAL", 2)), f"{sentence}\n".encode())


@contextmanager
def job_log(path: str, quiet: bool = False) -> Iterator[None]:
    """Send everything that a job prints, C code, child processes and warnings included, to its log.

    If the job fails, the sentence of a UserError, or the traceback of any other error, is printed
    in the log and on the terminal.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    saved = [os.dup(1), os.dup(2)]
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.enable(log)
    os.environ["TADPOOL_TERMINAL"] = str(terminal)
    failed = ""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    except UserError as error:
        failed = f"{error}\n"
    except KeyboardInterrupt:
        failed = "interrupted\n"
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in FULL
        failed = f"{path}: the disk is full; free some space and run again\n" if full else traceback.format_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # of a full disk
                stream.flush()
        faulthandler.disable()
        for number, descriptor in zip((1, 2), saved, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        if failed:
            with suppress(OSError):
                os.write(log, failed.encode())
            os.write(terminal, f"{Path(path).stem}: {failed}".encode())
        os.close(log)
        os.close(terminal)
        del os.environ["TADPOOL_TERMINAL"]
    if failed:
        raise SystemExit(1)


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"{category.__name__}: {message}", file=sys.stderr)
