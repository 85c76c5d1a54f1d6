"""The exception whose message is meant for users, and helpers for such messages."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class UserError(Exception):
    """A mistake that a user can fix: one sentence that names the file, the field or row, the value,
    the rule and the fix.

    Scripts and the Snakefile print it without a traceback.
    """


def did_you_mean(word: str, known: list[str]) -> str:
    """`; did you mean 'x'?` if a known word is similar, otherwise `; known: ` and the known
    words."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(sorted(known))}" if known else ""


@contextmanager
def explain_errors(where: str, what: str) -> Iterator[None]:
    """Turn exceptions of a plug-in into sentences; their tracebacks go to the log.

    Args:
        where: The plug-in's file, as messages name it.
        what: What the plug-in is doing, for example "loading the tables".

    Raises:
        UserError: The plug-in raised an exception.
    """
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise UserError(
            f"{with_line(where, error)}: {what} failed: {describe_error(error)}; correct the file"
        ) from error


def with_line(where: str, error: BaseException) -> str:
    """The file of a plug-in, or of one that it imports, with the last line there that an exception
    passed through, if any."""
    frames = traceback.extract_tb(error.__traceback__)
    own = next((Path(frame.filename).parent for frame in frames if frame.filename.endswith(where)), None)
    places = [(frame.filename, frame.lineno) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    if own is None:
        return where
    file, line = [place for place in places if _is_own(Path(place[0]), own, where)][-1]
    name = where if file.endswith(where) else Path(file).relative_to(own.parent).as_posix()
    return f"{name}, line {line}"


def _is_own(file: Path, folder: Path, where: str) -> bool:
    """Whether a file is the plug-in, or beside it or in the working directory: neither tadpool's
    nor installed."""
    inside = folder.parent in file.parents and Path(__file__).parent not in file.parents
    installed = any(part in ("site-packages", ".venv") for part in file.parts)
    return str(file).endswith(where) or (inside and not installed)


def describe_error(error: BaseException) -> str:
    """The type of an exception and the first line of its message."""
    words = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


class FormulaError(UserError):
    """A mistake in a formula: what is wrong, and the fix."""

    def __init__(self, what: str, fix: str) -> None:
        self.what, self.fix = what, fix
        super().__init__(f"{what}; {fix}" if fix else what)
