"""Labels of a table without what cannot be seen in them, or may differ by mistake."""

import re
import unicodedata


def visible(text: str) -> str:
    """A text without characters that have no width, such as marks of the direction of writing."""
    return text if text.isascii() else "".join(each for each in text if unicodedata.category(each) != "Cf")


def plain_label(label: str) -> str:
    """A label without what may differ by mistake: case, blanks, invisible and composed characters,
    kinds of dashes, zeros before or after a number."""
    text = " ".join(visible(unicodedata.normalize("NFKC", label)).split()).casefold()
    text = "".join("-" if unicodedata.category(char) == "Pd" else char for char in text)
    return re.sub(r"(?<![\d.,])0+(?=\d)|(?<=\d)[.,]0+$", "", text)
