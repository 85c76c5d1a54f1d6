"""Programs beside Python that some tests need: where one is missing they are skipped, and in CI
they fail."""

import os
import shutil
import subprocess

import pytest

ADVICE = "; install it: apt-get install "


def require(what: str, package: str, *programs: str) -> str:
    """The path of the first of several programs of which one is enough; `what` in words, `package`
    is Debian's."""
    found = next(filter(None, map(shutil.which, programs)), None)
    if not found:
        missing(f"{what} needs {' or '.join(programs)}{ADVICE}{package}.")
    return found


def missing(sentence: str) -> None:
    """Skip this test, or fail it where the environment has CI=true: what it looks at is not looked
    at elsewhere."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(sentence)


def r(program: str, library: str = "", package: str = "r-base-core") -> str:
    """What a program of R prints in the current folder. library: the one that it needs. package:
    Debian's of the library."""
    rscript = require("This test", "r-base-core", "Rscript")
    if library and subprocess.run([rscript, "-e", f"library({library})"], capture_output=True, check=False).returncode:
        missing(f"This test needs R's {library}{ADVICE}{package}.")
    done = subprocess.run([rscript, "-"], input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
