"""The graph of a run's rules: which rule's files another rule reads, found from the rules themselves."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any


def graph(rules: Sequence[Any], targets: Iterable[str], named: Callable[[Mapping[str, str]], Any]) -> dict[str, Any]:
    """Jobs of each rule, and edges [rule, rule that reads its files], of all that is needed for the targets.

    rules: of the workflow, in its order; each says what it makes (`is_producer`, `get_wildcards`) and what it reads for that
    (`expand_input`). Files that no rule makes have no part in it. named: makes wildcards as rules want them.
    """
    found: dict[str, tuple[Any, tuple] | None] = {}
    jobs: set[tuple[str, tuple]] = set()
    edges: set[tuple[str, str]] = set()
    waiting = [(str(target), "") for target in targets]
    while waiting:
        path, reader = waiting.pop()
        if path not in found:
            found[path] = _producer(rules, path)
        if (producer := found[path]) is None:
            continue
        rule, wildcards = producer
        if reader:
            edges.add((rule.name, reader))
        if (rule.name, wildcards) not in jobs:
            jobs.add((rule.name, wildcards))
            inputs, *_ = rule.expand_input(named(dict(wildcards)))
            waiting.extend((str(each), rule.name) for each in inputs)
    counts = Counter(name for name, _ in jobs)
    order = [rule.name for rule in rules if rule.name in counts]
    return {
        "jobs": {name: counts[name] for name in order},
        "edges": sorted(edges, key=lambda e: (*map(order.index, e),)),
    }


def _producer(rules: Sequence[Any], path: str) -> tuple[Any, tuple] | None:
    """The rule that makes a file, with its wildcards; None where no rule does."""
    for rule in rules:
        if rule.is_producer(path):
            return rule, tuple(sorted(rule.get_wildcards(path).items()))
    return None
