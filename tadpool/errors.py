"""The exception whose message is meant for users, and helpers for such messages."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager


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
    """The file of a plug-in, with its last line that an exception passed through, if any."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(where)]
    return f"{where}, line {lines[-1]}" if lines else where


def describe_error(error: BaseException) -> str:
    """The type of an exception and the first line of its message."""
    words = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
