"""Expressions over draws, as a study writes them: `exp(beta)`, `lam[5] - lam[2]`, `rate > 4`.

A config is no code: only names, numbers, members in brackets, arithmetic, comparisons, `and`, `or`,
`not` and the functions below may stand in one, which is checked before anything is computed.

No NumPy here: the Snakefile's process reads config with it.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tadpool.errors import UserError, did_you_mean

FUNCTIONS = ("exp", "log", "sqrt", "abs", "logistic", "logit", "mean", "sd", "min", "max")
"""The last four are over all members."""
CONSTANTS = {"pi": math.pi, "e": math.e}
BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
COMPARED = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
LONGEST = 500


@dataclass(frozen=True)
class Expression:
    """An expression that was checked. text: as written. names: the sites in it, in order.
    statement: whether it is true or false at each draw, so that its mean is a probability."""

    text: str
    names: tuple[str, ...]
    statement: bool
    tree: ast.expr

    def value(
        self,
        sites: Mapping[str, Any],
        member: Callable[[str, Any, tuple[str, ...]], Any],
        functions: Mapping[str, Callable],
    ) -> Any:
        """Its value.

        Args:
            sites: The value of each name.
            member: Of a name, its value and labels: the member's value.
            functions: The functions by name.
        """
        return _value(self.tree, sites, member, functions)


def parsed(text: str) -> Expression:
    """Check an expression.

    Raises:
        UserError: It is not one, in words that follow the place where it stands.
    """
    if len(text) > LONGEST:
        raise UserError(f"the expression has {len(text)} characters; write at most {LONGEST}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError(f"{text!r} is not an expression; write it like exp(beta), or lam[5] - lam[2]") from None
    names: dict[str, None] = {}
    _check(tree, text, names)
    return Expression(text, tuple(names), isinstance(tree, (ast.Compare, ast.BoolOp)) or _negated(tree), tree)


def _negated(tree: ast.expr) -> bool:
    return isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)


def _check(node: ast.expr, text: str, names: dict[str, None]) -> None:
    match node:
        case ast.Constant(value=bool() | None):
            raise _refused(node, text)
        case ast.Constant(value=int() | float()):
            return
        case ast.Name(id=name):
            if name not in CONSTANTS:
                names[name] = None
        case ast.Subscript(value=ast.Name(id=name), slice=labels):
            names[name] = None
            _labels(labels, text)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not(), operand=operand):
            _check(operand, text, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            _check(left, text, names)
            _check(right, text, names)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in COMPARED for op in ops):
            for each in (left, *others):
                _check(each, text, names)
        case ast.BoolOp(values=values):
            for each in values:
                _check(each, text, names)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            if name not in FUNCTIONS:
                raise UserError(f"{name}() in {text!r} is not a function here{did_you_mean(name, list(FUNCTIONS))}")
            _check(argument, text, names)
        case _:
            raise _refused(node, text)


def _refused(node: ast.AST, text: str) -> UserError:
    part = ast.get_source_segment(text.strip(), node) or text
    allowed = "names of parameters, numbers, members such as lam[5], + - * / **, < <= > >=, and, or, not"
    allowed = f"{allowed}, {', '.join(FUNCTIONS)}"
    return UserError(f"{part!r} cannot stand in an expression; write {allowed}")


def _labels(node: ast.expr, text: str) -> tuple[str, ...]:
    """The labels in brackets: numbers, words, or text in quotes where a label is neither."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    found = []
    for part in parts:
        match part:
            case ast.Constant(value=str() | int() | float()):
                found.append(str(part.value))
            case ast.Name(id=name):
                found.append(name)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                found.append(str(-value))
            case _:
                raise UserError(f"the member in {text!r} is not a label; put it in quotes: alpha['ST LOUIS']")
    return tuple(found)


def _value(node: ast.expr, sites: Mapping[str, Any], member: Callable, functions: Mapping[str, Callable]) -> Any:
    def of(each: ast.expr) -> Any:
        return _value(each, sites, member, functions)

    match node:
        case ast.Constant(value=value):
            return float(value)
        case ast.Name(id=name):
            return CONSTANTS[name] if name in CONSTANTS else sites[name]
        case ast.Subscript(value=ast.Name(id=name), slice=labels):
            return member(name, sites[name], _labels(labels, ""))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return of(operand) == 0
        case ast.UnaryOp(op=op, operand=operand):
            return -of(operand) if isinstance(op, ast.USub) else of(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return BINARY[type(op)](of(left), of(right))
        case ast.Compare(left=left, ops=ops, comparators=others):
            values = [of(each) for each in (left, *others)]
            pairs = zip(ops, values, values[1:], strict=False)
            return math.prod(COMPARED[type(op)](before, after) * 1.0 for op, before, after in pairs)
        case ast.BoolOp(op=op, values=values):
            held = [of(each) != 0 for each in values]
            together = operator.and_ if isinstance(op, ast.And) else operator.or_
            found = held[0]
            for each in held[1:]:
                found = together(found, each)
            return found * 1.0
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return functions[name](of(argument))
    raise AssertionError(ast.dump(node))
