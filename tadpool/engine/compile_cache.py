"""Compiled programs kept between jobs, safely.

JAX writes cache entries in place and without locks, never repairs a damaged one, and runs whatever
it reads. So each job works on a private folder: it copies in the entries whose content still
matches the digest in their name, and publishes its own new entries under their digests by a rename.
The folder belongs to the user alone and lies on a local disk.
"""

import hashlib
import os
import platform
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax
import jaxlib

MOST_ENTRIES = 400
SWITCH = "TADPOOL_COMPILE_CACHE"


def folder() -> Path | None:
    """The shared folder for this jaxlib and processor type; None where it is switched off or cannot
    be private."""
    if os.environ.get(SWITCH, "on") == "off":
        return None
    base = Path(tempfile.gettempdir()) / f"tadpool-{os.getuid()}"
    place = base / f"jaxlib-{jaxlib.__version__}-{platform.machine()}"
    try:
        for path in (base, place):
            path.mkdir(mode=0o700, exist_ok=True)
            status = path.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
                return None
    except OSError:
        return None
    return place


@contextmanager
def active() -> Iterator[None]:
    """Compile through the cache. If the cache fails, programs are compiled again; results do not
    depend on it."""
    shared = folder()
    if shared is None:
        yield
        return
    _sweep(shared.parent)
    with tempfile.TemporaryDirectory(prefix=f"job-{os.getpid()}-", dir=shared.parent) as private:
        _link(shared, Path(private))
        known = set(os.listdir(private))
        jax.config.update("jax_compilation_cache_dir", private)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("default")
                yield
        finally:
            jax.config.update("jax_compilation_cache_dir", None)
            jax.experimental.compilation_cache.compilation_cache.reset_cache()
        broken = [str(w.message) for w in caught if "compilation cache" in str(w.message)]
        for warning in caught:
            if str(warning.message) not in broken:
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        if broken:
            shutil.rmtree(shared, ignore_errors=True)
        else:
            _publish(Path(private), known, shared)


def _sweep(base: Path) -> None:
    """Remove the private folders of jobs that were killed."""
    for private in base.glob("job-*") if sys.platform != "win32" else ():  # there os.kill would end the process
        try:
            os.kill(int(private.name.split("-")[1]), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(private, ignore_errors=True)
        except OSError:
            continue


def _link(shared: Path, private: Path) -> None:
    for entry in shared.iterdir():
        name, _, digest = entry.name.rpartition(".")
        try:
            if name and hashlib.sha256(entry.read_bytes()).hexdigest() == digest:
                os.utime(entry)
                shutil.copyfile(entry, private / name)
            else:
                entry.unlink()
        except OSError:
            continue


def _publish(private: Path, known: set[str], shared: Path) -> None:
    try:
        for name in set(os.listdir(private)) - known:
            if name.endswith("-cache"):
                digest = hashlib.sha256((private / name).read_bytes()).hexdigest()
                (private / name).rename(shared / f"{name}.{digest}")
        entries = sorted(shared.iterdir(), key=lambda entry: entry.stat().st_mtime)
        for entry in entries[:-MOST_ENTRIES]:
            entry.unlink(missing_ok=True)
    except OSError as error:
        print(f"the compile cache in {shared} was not updated: {error}")
