"""Numbers and lists as text."""

import math
import re
from collections.abc import Sequence
from typing import Any

MISSING = "—"
IRREGULAR = {"child": "children", "person": "persons", "man": "men", "woman": "women", "mouse": "mice", "foot": "feet"}
IRREGULAR |= {same: same for same in ("species", "series", "fish", "sheep", "staff")}
IRREGULAR |= {"leaf": "leaves", "analysis": "analyses", "half": "halves", "quiz": "quizzes", "hero": "heroes"}
# Numbers that need more digits than these before or behind the point are written as powers of ten.
MOST_BEFORE, MOST_BEHIND = 7, 6
HYPHEN = re.compile(r"(?<![\w-])-(?=\d)")


def missing(value: Any) -> bool:
    """Whether a value is None, NaN, NA or infinite."""
    try:
        return value is None or not math.isfinite(value)
    except TypeError:
        return True


def number(value: Any, decimals: int = 2) -> str:
    """A number with a minus sign (not a hyphen) and thousands separators, or a dash for a missing
    one.

    decimals: What it is rounded to, as `decimals_for` gives them: more than MOST_BEHIND, or less
    than 0, make `4.0e−7` or `5.78e7` of a number that would be all zeros behind the point, or long.
    """
    if missing(value):
        return MISSING
    power = _power(value)
    if (decimals > MOST_BEHIND and power < -3) or (decimals < 0 and power >= MOST_BEFORE):
        return _powers_of_ten(f"{value:.{max(decimals + power, 0)}e}") if value else "0"
    text = f"{value:,.{max(decimals, 0)}f}"
    is_zero = not any(digit in text for digit in "123456789")
    return text.lstrip("-") if is_zero else text.replace("-", "−")


def _power(value: Any) -> int:
    """The power of ten of a number; that of zero is below all others."""
    return math.floor(math.log10(abs(value))) if value else -400


def _powers_of_ten(text: str) -> str:
    """`1.5e-07` as `1.5e−7`, and `2e+09` as `2e9`."""
    mantissa, _, power = text.partition("e")
    return (f"{mantissa}e{int(power)}" if power else mantissa).replace("-", "−")


def with_minus(text: str) -> str:
    """A text whose negative numbers have a minus sign in place of a hyphen."""
    return HYPHEN.sub("−", text)


def measured(value: Any, decimals: int = 3, scale: Any = None) -> str:
    """A number in units of the data: with `decimals` where these show something of it, else with as
    many as show two significant digits, of `scale` too, what such numbers differ by."""
    if missing(value):
        return MISSING
    apart = -400 if missing(scale) or not scale else decimals_for(scale, 2)
    if _power(value) >= MOST_BEFORE:
        return number(value, max(decimals_for(value, 5), apart))
    return number(value, max(decimals, decimals_for(value, 2), apart) if value else decimals)


def whole(value: Any) -> str:
    """A number without decimals."""
    return number(value, 0)


def general(value: Any, digits: int = 6) -> str:
    """A setting as it would be typed: text, true or false, or the shortest form of a number."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value).replace("-", "−")
    if isinstance(value, float):
        return MISSING if missing(value) else _powers_of_ten(f"{value:.{digits}g}")
    return str(value)


def digits_for(value: Any, scale: Any, least: int) -> int:
    """Significant digits of a number that show two of `scale`, what such numbers differ by; from
    `least` to 15."""
    if missing(value) or missing(scale) or not value or not scale:
        return least
    return min(max(least, _power(value) - _power(scale) + 2), 15)


def decimals_for(scale: Any, digits: int = 3) -> int:
    """The number of decimals that show `digits` significant digits of a number of the size of
    `scale`; below 0 where some digits before the point show nothing."""
    if missing(scale) or scale == 0:
        return digits - 1
    return digits - 1 - _power(scale)


def scaled(value: Any, scale: Any) -> str:
    """A number with the decimals that show three significant digits of `scale`, its standard
    deviation."""
    return number(value, decimals_for(scale))


def difference(value: float, error: float) -> str:
    """`3.1 ± 2.7`, with two decimals if either number is below one."""
    decimals = 2 if min(abs(value), abs(error)) < 1 else 1
    return f"{number(value, decimals)}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{number(error, decimals)}"


def probability(value: float) -> str:
    """Two decimals, and never 0 or 1 of what is neither: `0.93`, `> 0.99`, `< 0.01`."""
    if 0.005 <= value < 0.995:
        return number(value)
    return "< 0.01" if value < 0.5 else "> 0.99"


def sentence(text: str) -> str:
    """The text with its first letter capitalized."""
    return text[:1].upper() + text[1:]


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def first_of(words: Sequence[str], most: int) -> str:
    """`a, b and 3 more`: the first items of a long list, or all of a short one."""
    return listed(words) if len(words) <= most else listed([*words[:most], f"{len(words) - most} more"])


def member(group: str, label: str) -> str:
    """`tank 3`, and `School A` where the label itself begins with the group's name."""
    return label if label.casefold().startswith(group.casefold()) else f"{group} {label}"


def plural(noun: str) -> str:
    """`counties`, `houses`, `classes`."""
    start, last = re.fullmatch(r"(.*?)([^\W_]*)", noun, re.DOTALL).groups()
    if last.lower() in IRREGULAR:
        return f"{start}{IRREGULAR[last.lower()]}"
    if last in ("", last.upper()) or last[-1].isdecimal():  # g, ID, row_
        return noun if last == "" else f"{noun}s"
    if noun[-1:] == "y" and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def an(noun: str) -> str:
    """A noun with its article, by the sound of its first letters: an income, a unit, an hour."""
    spelt = re.match(r"[A-Z]{1,5}(?![a-z])", noun)  # MRI, X-ray: by the name of the first letter
    number = re.match(r"\d+", noun)
    if spelt and not noun.startswith("UNI"):
        vowel = noun[0] in "AEFHILMNORSX"
    elif number:
        vowel = re.match(r"8|1[18](\d{3})*$", number[0])
    else:
        vowel = re.match(
            r"(?!uni(?!m|n)|us[ae]|eu|ewe|once|one|ut[ei])[aeiou]|hour|honest|hono(?=[ur])|heir|sd$",
            noun,
            re.IGNORECASE,
        )
    return f"{'an' if vowel else 'a'} {noun}"


def counted(count: int, noun: str) -> str:
    """`1 fit`, `2 fits`."""
    return f"{count:,} {noun if count == 1 else plural(noun)}"


def among(count: int, total: int) -> str:
    """`3 of 10,000`."""
    return f"{count:,} of {total:,}"


def span(low: float, high: float, digits: int = 6) -> str:
    """`1 to 6`, or `3` if both are equal."""
    return general(low, digits) if low == high else f"{general(low, digits)} to {general(high, digits)}"


def size(count: int) -> str:
    """A number of bytes as `0.4 kB`, `25 kB` or `1.3 MB`."""
    scale, unit = (1e6, "MB") if count >= 1e6 else (1e3, "kB")
    value = count / scale
    return f"{number(value, 1 if value < 10 else 0)}\N{NO-BREAK SPACE}{unit}"
