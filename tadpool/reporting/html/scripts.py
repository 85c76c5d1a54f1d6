"""Scripts that stand in a page, and the policy that lets these alone run."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup


@dataclass(frozen=True)
class Script:
    """A script; text: what the page holds between its tags, to the byte."""

    text: Markup

    @property
    def source(self) -> str:
        """What the Content-Security-Policy calls it: the sha256 of its text."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"


def script(path: Path) -> Script:
    """A script of the project's own. Raises ValueError where its text would end the element that
    holds it."""
    text = path.read_text(encoding="utf-8")
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError(f"{path.name} cannot stand in a page: it holds </script or <!--")
    return Script(Markup(text))  # noqa: S704 (a file of report/, no text of a user)


def policy(scripts: Sequence[Script]) -> str:
    """The Content-Security-Policy of a page: nothing from elsewhere, and no script but these."""
    allowed = " ".join(each.source for each in scripts) or "'none'"
    kinds = f"script-src {allowed}; style-src 'unsafe-inline'; img-src data:"
    return f"default-src 'none'; {kinds}; base-uri 'none'; form-action 'none'"
