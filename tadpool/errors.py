"""The one exception that users are meant to read."""


class UserError(Exception):
    """What a user can mend: one sentence that names the file, the field or row, the value, the rule and the mend.

    Scripts and the Snakefile print it without a traceback.
    """


def did_you_mean(word: str, known: list[str]) -> str:
    """`; did you mean 'x'?` where a known word is close, otherwise the known words."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(sorted(known))}" if known else ""
