"""What a formula says: its outcome, common terms, smooths and group terms.

The grammar is that of `formulae`, whose scanner and parser make the syntax tree, with `||` and
brms' additions to the outcome, `y | trials(n)`. A config is no code: the tree is checked against a
list of functions before anything is evaluated, and a name must be a column of the study.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from formulae.expr import Assign, Binary, Call, Grouping, Literal, QuotedName, Unary, Variable
from formulae.parser import ParseError, Parser
from formulae.scanner import ScanError, Scanner
from formulae.token import Token

from tadpool.errors import FormulaError, did_you_mean

SMOOTH = "s"
TRANSFORMS = ("log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs", "sin", "cos", "I")
BASES = ("poly", "bs", "scale", "center", "standardize")
CODINGS = ("C", "T", "S")
FUNCTIONS = (*TRANSFORMS, *BASES, *CODINGS, SMOOTH, "offset")
"""What may be called among predictors."""
ADDITIONS = {"trials": "trials", "rate": "exposure", "se": "standard_error", "cens": "censored"}
"""Functions of brms that may follow the outcome, and the role that each gives a column."""
PROPORTIONS = ("prop", "proportion", "p")
ELSEWHERE = {
    "cbind": "write prop(successes, trials) for the outcome of a binomial family",
    "weights": "write the study's or the entry's `weights`",
    "Surv": "write the time as outcome, and `time | cens(column)` for censored times",
    "factor": "write C(column), or describe the column as categorical",
    "ns": "write bs(x, df=4), or s(x) for a smooth whose wiggliness is estimated",
    "te": "no smooth of two variables is available; write s(x) + s(z)",
    "t2": "no smooth of two variables is available; write s(x) + s(z)",
    "mo": "describe the column as ordered and use the ladder's models, or write C(x)",
    "gp": "write s(x)",
}
"""What to write in place of functions of other programs."""
ARITHMETIC = ("PLUS", "MINUS", "STAR", "SLASH", "STAR_STAR")


@dataclass(frozen=True)
class GroupTerm:
    """Effects of the members of a group, `(left | right)`.

    Attributes:
        left: Syntax tree of what varies, with its intercept, as the right side of a formula.
        factors: The columns whose combinations are the members, of one group or more.
        correlated: Whether the effects of a member are, `|` and not `||`.
    """

    left: Any
    factors: tuple[str, ...]
    correlated: bool


@dataclass(frozen=True)
class Smooth:
    """A smooth function of a number, `s(x, k=10)`.

    Attributes:
        name: As written, without spaces.
        of: Syntax tree of what it is a function of.
        size: Number of its coefficients, the linear one included.
    """

    name: str
    of: Any
    size: int


@dataclass(frozen=True)
class Formula:
    """A formula that was read.

    Attributes:
        outcome: Name of the outcome; "" where the formula has none, as one of a further parameter.
        roles: Role -> column, as the outcome's side says.
        common: Syntax tree of the common terms, with their intercept.
        smooths: Smooths among them.
        groups: Group terms, in their order.
        columns: The columns that its terms look at, without those that only name members.
    """

    outcome: str
    roles: Mapping[str, str]
    common: Any
    smooths: tuple[Smooth, ...] = ()
    groups: tuple[GroupTerm, ...] = ()
    columns: tuple[str, ...] = field(default=())


def read(text: str, known: Collection[str] | None = None, grouping: Collection[str] | None = None) -> Formula:
    """Read a formula.

    Args:
        text: The formula.
        known: Columns that it may name; None for any.
        grouping: Those of them that can name the members of groups; None for any.

    Returns:
        What it says.

    Raises:
        FormulaError: It cannot be read, names something unknown, or calls what may not be called.
    """
    tree = _parsed(text)
    left, right = _sides(tree)
    reader = _Reader(known, grouping)
    outcome, roles = reader.outcome(left) if left is not None else ("", {})
    common, smooths, groups = reader.terms(right)
    if outcome in reader.used:
        raise FormulaError(f"{outcome} stands on both sides of ~", "remove it from the right side")
    return Formula(outcome, roles, common, smooths, groups, tuple(dict.fromkeys(reader.used)))


def _parsed(text: str) -> Any:
    if not text.strip():
        raise FormulaError("it is empty", "write one, such as `y ~ x + (x | group)`")
    for opened, closed in ("()", "[]", "{}"):
        if text.count(opened) != text.count(closed):
            missing = closed if text.count(opened) > text.count(closed) else opened
            raise FormulaError(f"the bracket {missing} is missing", "write as many of them as of its partner")
    if text.count("~") != 1:
        what = "there is no ~" if "~" not in text else "there is more than one ~"
        raise FormulaError(what, "write `outcome ~ predictors`")
    if not text.split("~")[1].strip():
        raise FormulaError("nothing follows ~", "write at least 1, for an intercept alone")
    scanned = text if text.split("~")[0].strip() else f"1 {text}"
    try:
        parser = Parser(_doubled(Scanner(scanned).scan()))
        tree = parser.parse()
    except ScanError as error:
        raise FormulaError(
            _lowered(str(error)), "remove it; a name with other characters stands in backquotes"
        ) from None
    except ParseError as error:
        raise FormulaError(_lowered(str(error)), "correct the formula there") from None
    except IndexError:
        raise FormulaError("a backquote is not closed", "write the second one") from None
    if not parser.at_end():
        rest = parser.peek().lexeme
        fix = (
            "put the group term in brackets, `(x | group)`" if rest in ("|", "||") else "remove it, or what precedes it"
        )
        raise FormulaError(f"{rest!r} cannot stand where it does", fix)
    return tree


def _lowered(message: str) -> str:
    message = message.strip().rstrip(".")
    if message == "Don't know how to parse ''":
        return "it ends too early"
    return message.replace("Don't know how to parse", "something is missing before").replace("Unexpected", "unexpected")


def _doubled(tokens: list[Token]) -> list[Token]:
    """The tokens with each `||` as one operator that the parser takes for `|`."""
    found: list[Token] = []
    for token in tokens:
        if token.kind == "PIPE" and found and found[-1].kind == "PIPE" and found[-1].lexeme == "|":
            found[-1] = Token("PIPE", "||")
        else:
            found.append(token)
    return found


def _sides(tree: Any) -> tuple[Any, Any]:
    """The two sides of ~; None for a left side that is not there."""
    if not (isinstance(tree, Binary) and tree.operator.kind == "TILDE"):
        raise FormulaError("~ cannot stand where it does", "write `outcome ~ predictors`")
    empty = isinstance(tree.left, Literal) and tree.left.value == 1
    return (None if empty else tree.left), tree.right


def addends(tree: Any) -> Iterator[tuple[str, Any]]:
    """The parts of a sum with their signs, in order."""
    if isinstance(tree, Binary) and tree.operator.kind in ("PLUS", "MINUS"):
        yield from addends(tree.left)
        if tree.operator.kind == "PLUS" and isinstance(tree.right, Binary):
            yield from addends(tree.right)
        else:
            yield tree.operator.kind, tree.right
    else:
        yield "PLUS", tree


class _Reader:
    """Reads the sides of a formula and checks each node of their trees. used: the columns that
    terms look at, so far."""

    def __init__(self, known: Collection[str] | None, grouping: Collection[str] | None) -> None:
        self.known, self.grouping = known, grouping
        self.used: list[str] = []

    def outcome(self, tree: Any) -> tuple[str, dict[str, str]]:
        roles = {}
        while isinstance(tree, Grouping):
            tree = tree.expression
        if isinstance(tree, Binary) and tree.operator.kind == "PIPE":
            for _, addition in addends(tree.right):
                roles |= self._addition(addition)
            tree = tree.left
        if isinstance(tree, Call):
            name = tree.callee.name.lexeme if isinstance(tree.callee, Variable) else ""
            if name in PROPORTIONS and len(tree.args) == 2:
                successes, trials = (self._column(each, f"{name}()") for each in tree.args)
                return successes, roles | {"trials": trials}
            if name in ELSEWHERE:
                raise FormulaError(f"{name}() cannot be an outcome", ELSEWHERE[name])
            fix = "write the column itself and choose a family, such as lognormal, or transform it in the table"
            raise FormulaError(f"the outcome {written(tree)} is not a column", fix)
        return self._column(tree, "the outcome"), roles

    def _addition(self, tree: Any) -> dict[str, str]:
        name = tree.callee.name.lexeme if isinstance(tree, Call) and isinstance(tree.callee, Variable) else ""
        if name in ELSEWHERE:
            raise FormulaError(f"{name}() cannot follow the outcome", ELSEWHERE[name])
        if name not in ADDITIONS or len(tree.args) != 1:
            allowed = ", ".join(f"{each}(column)" for each in ADDITIONS)
            raise FormulaError(
                f"{written(tree)} cannot follow the outcome", f"after `outcome |` stands one of {allowed}"
            )
        return {ADDITIONS[name]: self._column(tree.args[0], f"{name}()")}

    def _column(self, tree: Any, where: str) -> str:
        """The column that a node names, which is not yet one that terms look at."""
        if isinstance(tree, QuotedName):
            name = tree.expression.lexeme[1:-1]
        elif isinstance(tree, Variable) and tree.level is None:
            name = tree.name.lexeme
        else:
            raise FormulaError(f"{where} is {written(tree)}", "write the name of a column there")
        self._check_name(name)
        return name

    def _check_name(self, name: str) -> None:
        if self.known is None or name in self.known:
            return
        if not name.isprintable() or "." in name or name.startswith("_"):
            raise FormulaError(f"{name!r} is not a column of the study", "write names of columns only")
        close = difflib.get_close_matches(name, list(self.known), n=1)
        fix = did_you_mean(name, list(self.known)).removeprefix("; ") if close else ""
        raise FormulaError(f"{name!r} is not a column of the study", fix or f"its columns are {', '.join(self.known)}")

    def terms(self, tree: Any) -> tuple[Any, tuple[Smooth, ...], tuple[GroupTerm, ...]]:
        common, smooths, groups = Literal(1), [], []
        first = True
        for sign, part in addends(tree):
            if first:  # the intercept that the scanner has put there
                first = False
                continue
            inner = part
            while isinstance(inner, Grouping):
                inner = inner.expression
            if isinstance(inner, Binary) and inner.operator.kind == "PIPE":
                if sign == "MINUS":
                    raise FormulaError(f"a group term is subtracted, {written(inner)}", "remove it instead")
                groups += self._group_terms(inner)
            elif _is_smooth(inner):
                smooths.append(self._smooth(inner))
            else:
                self._term(part)
                common = Binary(common, Token(sign, "+" if sign == "PLUS" else "-"), part)
        return common, tuple(smooths), tuple(groups)

    def _group_terms(self, tree: Binary) -> Iterator[GroupTerm]:
        if isinstance(tree.left, Binary) and tree.left.operator.kind == "PIPE":
            raise FormulaError(
                f"{written(tree)} has two bars", "write (x | group), or (x || group) without correlations"
            )
        if any(_is_smooth(each) for _, each in addends(tree.left)):
            raise FormulaError("a smooth stands in a group term", "write poly(x, 2) or bs(x, df=4) there")
        self._term(tree.left)
        left = Binary(Literal(1), Token("PLUS", "+"), tree.left)
        for factors in self._factors(tree.right):
            yield GroupTerm(left, factors, tree.operator.lexeme == "|")

    def _factors(self, tree: Any) -> list[tuple[str, ...]]:
        """The groups that the right side of a bar names, each by its columns."""
        while isinstance(tree, Grouping):
            tree = tree.expression
        if isinstance(tree, Binary) and tree.operator.kind in ("PLUS", "COLON", "SLASH", "STAR"):
            left, right = self._factors(tree.left), self._factors(tree.right)
            both = [tuple(dict.fromkeys((*one, *other))) for one in left for other in right]
            whole = tuple(dict.fromkeys(name for one in left for name in one))
            within = [tuple(dict.fromkeys((*whole, *other))) for other in right]
            made = {"PLUS": [*left, *right], "COLON": both, "SLASH": [*left, *within], "STAR": [*left, *right, *both]}
            return made[tree.operator.kind]
        if isinstance(tree, (Variable, QuotedName)):
            name = self._column(tree, "a group")
            if self.grouping is not None and name not in self.grouping:
                what = f"{name!r} stands right of a bar and is not a group or categorical column"
                raise FormulaError(what, f"describe it as a group, or write one of {', '.join(self.grouping)}")
            return [(name,)]
        raise FormulaError(f"{written(tree)} stands right of a bar", "write a group, a:b or a/b there")

    def _smooth(self, call: Call) -> Smooth:
        size, of = 10, []
        for each in call.args:
            if isinstance(each, Assign):
                if each.name.name.lexeme != "k" or not _whole(each.value) or each.value.value < 3:
                    what = f"{written(each)} cannot stand in {written(call)}"
                    raise FormulaError(what, "s() takes a number and k, a whole number of at least 3")
                size = each.value.value
            else:
                of.append(each)
        if len(of) != 1:
            raise FormulaError(f"{written(call)} is a smooth of {len(of)} variables", "write one, such as s(x, k=10)")
        self._value(of[0])
        return Smooth(name(call), of[0], size)

    def _term(self, tree: Any) -> None:
        """Check what stands among terms, where + - * : / ** and brackets combine them."""
        match tree:
            case Grouping():
                self._term(tree.expression)
            case Binary() if tree.operator.kind == "PIPE":
                raise FormulaError(
                    f"the group term {written(tree)} is part of another term", "write it as one of a sum"
                )
            case Binary() if tree.operator.kind == "STAR_STAR":
                self._term(tree.left)
                if not _whole(tree.right) or not isinstance(tree.left, Grouping):
                    fix = "write I(x ** 2) for a power, or (a + b) ** 2 for interactions"
                    raise FormulaError(f"{written(tree)} is no term", fix)
            case Binary() if tree.operator.kind in (*ARITHMETIC, "COLON"):
                self._term(tree.left)
                self._term(tree.right)
            case Unary():
                if not isinstance(tree.right, Literal):
                    raise FormulaError(f"{written(tree)} is no term", "write - behind a term that is removed")
            case Literal():
                if tree.value not in (0, 1) or isinstance(tree.value, bool):
                    fix = "write 1 or 0 for an intercept or none, or offset() for what is added as it is"
                    raise FormulaError(f"the number or text {tree.value!r} is no term", fix)
            case Variable() | QuotedName():
                self.used.append(self._column(tree, "a term"))
            case Call():
                if _is_smooth(tree):
                    fix = "write it as one of a sum; interactions of smooths are not available"
                    raise FormulaError(f"{written(tree)} is part of another term", fix)
                self._call(tree)
            case _:
                raise FormulaError(f"{written(tree)} is no term", "use + - * : / ** ( ) and functions")

    def _call(self, call: Call) -> None:
        function = call.callee.name.lexeme if isinstance(call.callee, Variable) else written(call.callee)
        if function in ELSEWHERE:
            raise FormulaError(f"{function}() is no function of formulas here", ELSEWHERE[function])
        if function not in FUNCTIONS:
            listed = ", ".join(FUNCTIONS)
            hint = did_you_mean(function, list(FUNCTIONS)).removeprefix("; ")
            close = difflib.get_close_matches(function, FUNCTIONS, n=1)
            raise FormulaError(f"{function}() may not be called", hint if close else f"the functions are {listed}")
        if not call.args:
            raise FormulaError(f"{function}() has no argument", "write a column in it")
        for argument in call.args:
            self._value(argument.value if isinstance(argument, Assign) else argument)

    def _value(self, tree: Any) -> None:
        """Check what stands inside a function, where operators compute."""
        match tree:
            case Grouping():
                self._value(tree.expression)
            case Binary() if tree.operator.kind in ARITHMETIC:
                self._value(tree.left)
                self._value(tree.right)
            case Unary():
                self._value(tree.right)
            case Literal():
                pass
            case Variable() | QuotedName():
                self.used.append(self._column(tree, "an argument"))
            case Call():
                self._call(tree)
            case _:
                raise FormulaError(
                    f"{written(tree)} cannot be computed", "use + - * / ** and functions inside brackets"
                )


def _is_smooth(tree: Any) -> bool:
    return isinstance(tree, Call) and isinstance(tree.callee, Variable) and tree.callee.name.lexeme == SMOOTH


def _whole(tree: Any) -> bool:
    return isinstance(tree, Literal) and isinstance(tree.value, int) and not isinstance(tree.value, bool)


def name(tree: Any) -> str:
    """A part of a formula as a name: as written, without spaces and slashes."""
    return written(tree).replace(" ", "").replace("/", "÷")


def written(tree: Any) -> str:
    """A part of a formula as text."""
    match tree:
        case Grouping():
            return f"({written(tree.expression)})"
        case Binary():
            return f"{written(tree.left)} {tree.operator.lexeme} {written(tree.right)}"
        case Unary():
            return f"{tree.operator.lexeme}{written(tree.right)}"
        case Assign():
            return f"{written(tree.name)}={written(tree.value)}"
        case Call():
            return f"{written(tree.callee)}({', '.join(written(each) for each in tree.args)})"
        case Variable():
            return tree.name.lexeme if tree.level is None else f"{tree.name.lexeme}[{tree.level.value}]"
        case QuotedName():
            return tree.expression.lexeme[1:-1]
        case Literal():
            return repr(tree.value) if isinstance(tree.value, str) else str(tree.value)
    return str(tree)
