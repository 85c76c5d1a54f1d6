"""Reading a YAML file, with a sentence for everything that is wrong with it.

Stricter than plain YAML, which silently keeps the last of two equal keys.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tadpool.config.parsed_values import NotReadable, Problem

LARGEST_FILE = 200_000


class _Loader(yaml.SafeLoader):
    """The safe loader, which also names the line of a value that does not fit its tag, such as the
    date 2024-13-45."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag.endswith((":int", ":float")) and ":" in node.value:
            problem = f"{node.value} is a number to base 60 in YAML; write it with digits alone, or put text in quotes"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        if node.tag.endswith(":int") and re.fullmatch(r"[-+]?0[0-7_]+", node.value):
            problem = (
                f"{node.value} is a number to base 8 in YAML; write it without the 0 in front, or put text in quotes"
            )
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
            problem = f"{str(node.value)[:40]!r} is not readable as {node.tag.rpartition(':')[2]}; put text in quotes"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error


def load(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Read a YAML file.

    Returns:
        The keys of the file (empty for an empty file), and a problem for each key that is given
            twice.

    Raises:
        NotReadable: The file cannot be read as `key: value` lines of YAML.
    """
    try:
        loader = _Loader(_text(path))
        root = loader.get_single_node()
        problems = list(_given_twice(root)) if root else []
        content = loader.construct_document(root) if root else {}
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        problem = "a second document begins here" if "another document" in str(error.problem) else error.problem
        raise NotReadable(line + _sentence(problem or str(error.context))) from error
    except yaml.YAMLError as error:
        raise NotReadable("it contains characters that are not text; save it again as text") from error
    except RecursionError as error:
        raise NotReadable("it is nested too deeply; reduce the nesting") from error
    if not isinstance(content, dict):
        what = "a list" if isinstance(content, list) else "one value"
        raise NotReadable(f"it contains {what} instead of `key: value` lines; see config/README.md")
    return content, problems


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise NotReadable(f"it is {'a folder' if path.is_dir() else 'not a file'}; put a YAML file in its place")
        if path.stat().st_size > LARGEST_FILE:
            raise NotReadable(f"it has more than {LARGEST_FILE:,} bytes; shorten it")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotReadable(f"it is not text in UTF-8 (byte {error.start + 1}); save it as UTF-8") from error
    except OSError as error:
        raise NotReadable(f"it cannot be read ({error.strerror}); check the file and its permissions") from error


def _sentence(problem: str) -> str:
    if "'\\t'" in problem:
        return f"{problem}; indent with spaces, not tabs"
    return problem if ";" in problem else f"{problem}; correct the YAML there"


def _given_twice(root: yaml.Node) -> Iterator[Problem]:
    """Keys that are given twice. Raises MarkedYAMLError for merge keys, which can multiply their
    content."""
    waiting, visited = [root], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode) or id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
            continue
        lines: dict[str, int] = {}
        for key, value in node.value:
            if key.tag.endswith(":merge"):
                problem = "merge keys (<<) are not allowed here; write the keys out"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in lines:
                    what = f"line {line}: the key {key.value!r} is given twice, first in line {lines[key.value]}"
                    yield Problem((), what, "remove one")
                lines.setdefault(key.value, line)
            waiting.extend((key, value))
