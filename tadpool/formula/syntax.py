"""What a formula says: its outcome, common terms, smooths and group terms.

The grammar is that of `formulae`, whose scanner and parser make the syntax tree, with `||` and
brms' additions to the outcome, `y | trials(n)`. A config is no code: the tree is checked against a
list of functions before anything is evaluated, and a name must be a column of the study.
"""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from formulae.expr import Assign, Binary, Call, Grouping, Literal, QuotedName, Unary, Variable
from formulae.parser import ParseError, Parser
from formulae.resolver import Resolver
from formulae.scanner import ScanError, Scanner
from formulae.terms import Model
from formulae.token import Token

from tadpool.errors import FormulaError, did_you_mean

SMOOTH = "s"
TRANSFORMS = ("log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs", "sin", "cos", "I")
BASES = ("poly", "bs", "scale", "center", "standardize")
CODINGS = ("C", "T", "S")
GROUP_MEAN = "group_mean"
FUNCTIONS = (*TRANSFORMS, *BASES, *CODINGS, SMOOTH, "offset", GROUP_MEAN)
"""What may be called among predictors."""
NESTED = (*TRANSFORMS, "scale", "center", "standardize")
"""What may be called inside a function."""
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
MOST_TOKENS = 500
LARGEST = 10**15
"""Numbers beyond it are no constants that someone writes, and powers of whole numbers take for ever
to compute."""


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


Option = tuple[Callable[[Any], bool], str]
OPTIONS: dict[str, dict[str, Option]] = {
    "poly": {
        "degree": (_whole(1, 20), "a whole number from 1 to 20"),
        "raw": (lambda value: isinstance(value, bool), "True or False"),
    },
    "bs": {
        "df": (_whole(1, 100), "a whole number of at least its degree and at most 100"),
        "degree": (_whole(1, 5), "a whole number from 1 to 5"),
        "lower_bound": (_number, "a number"),
        "upper_bound": (_number, "a number"),
    },
    "T": {"ref": (lambda value: isinstance(value, str), "a level in quotes")},
    "S": {"omit": (lambda value: isinstance(value, str), "a level in quotes")},
    SMOOTH: {"k": (_whole(3, 100), "a whole number from 3 to 100")},
}
"""Function -> what it takes behind its first argument, by name or in this order."""
CODED = "write C(column), T(column, 'level') with a reference level, or S(column) for differences from the mean"


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
        call: Syntax tree of the whole.
    """

    name: str
    of: Any
    size: int
    call: Any = None


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
        computed: Column -> the function that computes with it, and so needs a number.
        coded: Column -> the function that codes its levels.
        levels: Columns with a level of theirs that the formula names.
    """

    outcome: str
    roles: Mapping[str, str]
    common: Any
    smooths: tuple[Smooth, ...] = ()
    groups: tuple[GroupTerm, ...] = ()
    columns: tuple[str, ...] = ()
    computed: Mapping[str, str] = field(default_factory=dict)
    levels: tuple[tuple[str, str], ...] = ()
    coded: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """Every column that it names."""
        members = {name for each in self.groups for name in each.factors}
        return {self.outcome, *self.roles.values(), *self.columns, *members}


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
    try:
        left, right = _sides(_parsed(text))
        reader = _Reader(known, grouping)
        outcome, roles = reader.outcome(left) if left is not None else ("", {})
        common, smooths, groups = reader.terms(right)
    except RecursionError:
        raise FormulaError("its brackets are nested too deeply", "write fewer of them") from None
    if outcome in [*reader.used, *(name for each in groups for name in each.factors)]:
        raise FormulaError(f"{outcome} stands on both sides of ~", "remove it from the right side")
    used = tuple(dict.fromkeys(reader.used))
    levels = tuple(reader.levels)
    return Formula(outcome, roles, common, smooths, groups, used, reader.computed, levels, reader.coded)


def _parsed(text: str) -> Any:
    if not text.strip():
        raise FormulaError("it is empty", "write one, such as `y ~ x + (x | group)`")
    tokens = _tokens(text)
    kinds = [each.kind for each in tokens]
    for opened, closed in BRACKETS:
        if kinds.count(opened) != kinds.count(closed):
            first, second = BRACKETS[opened, closed]
            missing = second if kinds.count(opened) > kinds.count(closed) else first
            raise FormulaError(f"the bracket {missing} is missing", f"write as many {second} as {first}")
    if kinds.count("TILDE") != 1:
        what = "there is no ~" if "TILDE" not in kinds else "there is more than one ~"
        raise FormulaError(what, "write `outcome ~ predictors`")
    if len(tokens) > MOST_TOKENS:
        raise FormulaError(f"it has {len(tokens)} parts, more than {MOST_TOKENS}", "leave some out")
    at = kinds.index("TILDE")
    if kinds[at + 1] == "EOF":
        raise FormulaError("nothing follows ~", "write at least 1, for an intercept alone")
    one = Token("NUMBER", "1", 1)
    parser = Parser([*(tokens[:at] or [one]), tokens[at], one, Token("PLUS", "+"), *tokens[at + 1 :]])
    try:
        tree = parser.parse()
    except ParseError as error:
        raise _unparsed(str(error), parser) from None
    if not parser.at_end():
        raise _out_of_place(parser)
    return tree


BRACKETS = {
    ("LEFT_PAREN", "RIGHT_PAREN"): "()",
    ("LEFT_BRACKET", "RIGHT_BRACKET"): "[]",
    ("LEFT_BRACE", "RIGHT_BRACE"): "{}",
}


def _tokens(text: str) -> list[Token]:
    """The words and signs of a formula, each `||` as one."""
    try:
        return _doubled(Scanner(text).scan(add_intercept=False))
    except ScanError as error:
        sign = str(error).removeprefix("Unexpected character: ")
        if "Unterminated" in sign:
            raise FormulaError("a text in quotes does not end", "write the second quote") from None
        if "more than one" in sign:
            raise FormulaError("there is more than one ~", "write `outcome ~ predictors`") from None
        fix = "write I(x ** 2) for a power, or (a + b) ** 2 for interactions" if sign == "^" else ""
        fix = fix or "remove it; the name of a column with other characters stands in backquotes"
        raise FormulaError(f"{sign!r} has no meaning in a formula", fix) from None
    except IndexError:
        raise FormulaError("a backquote is not closed", "write the second one") from None
    except ValueError:
        raise FormulaError("a number in it cannot be read", "write it with fewer digits, from 0 to 9") from None


def _unparsed(message: str, parser: Parser) -> FormulaError:
    """The mistake that the parser stopped at."""
    rest, before = parser.peek().lexeme, parser.previous().lexeme
    if "parse" in message and not rest:
        return FormulaError("it ends too early", f"write what follows {before}, or remove that")
    if rest == ".":
        return FormulaError("'.' does not stand for all columns here", "write their names")
    if "parse" in message:
        return FormulaError(f"something is missing between {before!r} and {rest!r}", "write it, or remove one of them")
    if "Expect" in message:
        return _out_of_place(parser)
    if "assignment" in message:
        return FormulaError("= stands outside a function", "write ~ between the two sides, + between terms")
    return FormulaError("square brackets stand in it", "write the name of the column alone")


def _out_of_place(parser: Parser) -> FormulaError:
    rest = parser.peek().lexeme
    if rest in ("|", "||"):
        return FormulaError(f"{rest!r} cannot stand where it does", "put the group term in brackets, `(x | group)`")
    what = f"{rest!r} cannot stand behind {parser.previous().lexeme!r}"
    return FormulaError(what, "write + - * / : between them, or remove one")


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
    """The parts of a sum with their signs, in order, out of brackets that change nothing."""
    inner = _bare(tree)
    if isinstance(inner, Binary) and inner.operator.kind in ("PLUS", "MINUS"):
        yield from addends(inner.left)
        if inner.operator.kind == "PLUS":
            yield from addends(inner.right)
        else:
            yield "MINUS", _bare(inner.right)
    else:
        yield "PLUS", inner


def _bare(tree: Any) -> Any:
    """A part without brackets around it."""
    while isinstance(tree, Grouping):
        tree = tree.expression
    return tree


NOTHING = (("MINUS", "0"), ("PLUS", "-0"))
"""Parts of a sum that keep the intercept, which is there anyway."""


def _sum(parts: Sequence[tuple[str, Any]]) -> Any:
    """The sum of an intercept and of parts with their signs, as a syntax tree."""
    tree: Any = Literal(1)
    for sign, part in (each for each in parts if (each[0], name(each[1])) not in NOTHING):
        tree = Binary(tree, Token(sign, "+" if sign == "PLUS" else "-"), part)
    return tree


class _Reader:
    """Reads the sides of a formula and checks each node of their trees.

    used: the columns that terms look at, so far. computed: those that functions compute with.
    coded: those whose levels they code.
    levels: columns with levels of theirs that functions name.
    """

    def __init__(self, known: Collection[str] | None, grouping: Collection[str] | None) -> None:
        self.known, self.grouping = known, grouping
        self.used: list[str] = []
        self.computed: dict[str, str] = {}
        self.coded: dict[str, str] = {}
        self.levels: list[tuple[str, str]] = []

    def outcome(self, tree: Any) -> tuple[str, dict[str, str]]:
        roles: dict[str, str] = {}
        tree = _bare(tree)
        if isinstance(tree, Binary) and tree.operator.kind == "PIPE":
            for _, addition in addends(tree.right):
                self._add(self._addition(addition), roles)
            tree = _bare(tree.left)
        if isinstance(tree, Call):
            name = tree.callee.name.lexeme if isinstance(tree.callee, Variable) else ""
            if name in PROPORTIONS and len(tree.args) == 2:
                successes, trials = (self._column(each, f"{name}()") for each in tree.args)
                self._add({"trials": trials}, roles)
                return successes, roles
            if name in PROPORTIONS:
                raise FormulaError(f"{written(tree)} has not two columns", f"write {name}(successes, trials)")
            if name in ELSEWHERE:
                raise FormulaError(f"{name}() cannot be an outcome", ELSEWHERE[name])
            fix = "write the column itself and choose a family, such as lognormal, or transform it in the table"
            raise FormulaError(f"the outcome {written(tree)} is not a column", fix)
        return self._column(tree, "the outcome"), roles

    @staticmethod
    def _add(added: dict[str, str], roles: dict[str, str]) -> None:
        """Add a role, which no other column has."""
        for role in added.keys() & roles.keys():
            raise FormulaError(f"the outcome has two columns of {role}", "remove one of them")
        roles |= added

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

    def _column(self, tree: Any, where: str, others: Collection[str] = ()) -> str:
        """The column that a node names, which is not yet one that terms look at; or one of
        `others`."""
        if isinstance(tree, QuotedName):
            name = tree.expression.lexeme[1:-1]
        elif isinstance(tree, Variable) and tree.level is None:
            name = tree.name.lexeme
        else:
            raise FormulaError(f"{where} is {written(tree)!r}", "write the name of a column there")
        if name not in others:
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
        common, smooths, groups = [], [], []
        for sign, part in list(addends(tree))[1:]:  # the first is the intercept that was put there
            apart = _is_call(part, SMOOTH) or _is_group(part) or _is_call(part, "offset")
            if sign == "MINUS" and apart:
                raise FormulaError(f"{written(part)} is subtracted", "remove it instead")
            if _is_group(part):
                groups += self._group_terms(part)
            elif _is_call(part, SMOOTH):
                smooths.append(self._smooth(part))
            else:
                self._call(part) if _is_call(part, "offset") else self._term(part, alone=True)
                self._check_subtracted(sign, part, common)
                common.append((sign, part))
        if not (smooths or groups or varies(_sum(common))):
            raise FormulaError("nothing is left right of ~", "write at least 1, for an intercept alone")
        return _sum(common), tuple(smooths), tuple(groups)

    @staticmethod
    def _check_subtracted(sign: str, part: Any, before: Sequence[tuple[str, Any]]) -> None:
        """What is subtracted is there."""
        if sign == "MINUS" and not isinstance(part, Literal):
            left = {each.name for each in model(part).common_terms} - {
                each.name for each in model(_sum(before)).common_terms
            }
            if left:
                what = f"{written(part)} is subtracted and is not among the terms before it"
                raise FormulaError(what, "remove it, or write I(a - b) for a difference")

    def _group_terms(self, tree: Binary) -> Iterator[GroupTerm]:
        if _is_group(_bare(tree.left)):
            fix = "write (x | group), or (x || group) without correlations"
            raise FormulaError(f"{written(tree)} has two bars", fix)
        parts = list(addends(tree.left))
        for at, (sign, part) in enumerate(parts):
            if _is_call(part, SMOOTH) or _is_call(part, "offset"):
                what = f"{written(part)} stands in a group term"
                raise FormulaError(what, "write poly(x, 2) or bs(x, df=4) there" if "s(" in what else "remove it")
            self._term(part, alone=True)
            self._check_subtracted(sign, part, parts[:at])
        left = _sum(parts)
        if not varies(left):
            what = f"nothing varies in ({written(tree)})"
            raise FormulaError(what, "write (1 | group), (x | group), or (0 + x | group) for a slope alone")
        for factors in self._factors(tree.right):
            yield GroupTerm(left, factors, tree.operator.lexeme == "|")

    def _factors(self, tree: Any) -> list[tuple[str, ...]]:
        """The groups that the right side of a bar names, each by its columns."""
        tree = _bare(tree)
        if isinstance(tree, Binary) and tree.operator.kind in ("PLUS", "COLON", "SLASH", "STAR"):
            left, right = self._factors(tree.left), self._factors(tree.right)
            both = [tuple(dict.fromkeys((*one, *other))) for one in left for other in right]
            whole = tuple(dict.fromkeys(name for one in left for name in one))
            within = [tuple(dict.fromkeys((*whole, *other))) for other in right]
            made = {"PLUS": [*left, *right], "COLON": both, "SLASH": [*left, *within], "STAR": [*left, *right, *both]}
            return made[tree.operator.kind]
        if isinstance(tree, (Variable, QuotedName)):
            name = self._column(tree, "a group", self.grouping or ())
            if self.grouping is not None and name not in self.grouping:
                what = f"{name!r} stands right of a bar and is not a group or categorical column"
                raise FormulaError(what, self._a_group())
            return [(name,)]
        raise FormulaError(f"{written(tree)} stands right of a bar", "write a group, a:b or a/b there")

    def _smooth(self, call: Call) -> Smooth:
        of = [each for each in call.args if not isinstance(each, Assign)]
        if len(of) != 1:
            raise FormulaError(f"{written(call)} is a smooth of {len(of)} variables", "write one, such as s(x, k=10)")
        options = self._options(SMOOTH, call)
        self._value(of[0], call)
        return Smooth(name(call), of[0], options.get("k", 10), call)

    def _term(self, tree: Any, alone: bool = False) -> None:
        """Check what stands among terms, where + - * : / ** and brackets combine them. alone: as
        one of a sum."""
        match tree:
            case Grouping():
                self._term(tree.expression, alone)
            case Binary() if tree.operator.kind == "PIPE":
                raise FormulaError(
                    f"the group term {written(tree)} is part of another term", "write it as one of a sum"
                )
            case Binary() if tree.operator.kind == "STAR_STAR":
                self._term(tree.left)
                power = tree.right.value if isinstance(tree.right, Literal) else None
                if not _whole(2, 5)(power) or not isinstance(tree.left, Grouping):
                    fix = "write I(x ** 2) for a power, or (a + b) ** 2 for interactions of up to 5 columns"
                    raise FormulaError(f"{written(tree)} is not a term", fix)
            case Binary() if tree.operator.kind in (*ARITHMETIC, "COLON"):
                self._term(tree.left)
                self._term(tree.right)
            case Unary():
                one = isinstance(tree.right, Literal) and tree.operator.kind == "MINUS" and alone
                if not one or tree.right.value not in (0, 1):
                    fix = f"write one sign before {written(tree.right)}, or I(-x) for a number with the other sign"
                    raise FormulaError(f"the {tree.operator.lexeme} in {written(tree)} is one too many", fix)
            case Literal() if not alone or tree.value not in (0, 1) or isinstance(tree.value, bool):
                kind = "text" if isinstance(tree.value, str) else "number"
                fix = "write 1 or 0 for an intercept or none, I(2 * x) for a multiple, offset() for what is added"
                raise FormulaError(f"the {kind} {tree.value!r} is not a term", fix)
            case Literal():
                pass
            case Variable() | QuotedName():
                self.used.append(self._column(tree, "a term"))
            case Call():
                for function in (SMOOTH, "offset"):
                    if _is_call(tree, function):
                        raise FormulaError(f"{written(tree)} is part of another term", "write it as one of a sum")
                self._call(tree)
            case _:
                raise FormulaError(f"{written(tree)} is not a term", "use + - * : / ** ( ) and functions")

    def _call(self, call: Call) -> None:
        function = call.callee.name.lexeme if isinstance(call.callee, Variable) else written(call.callee)
        if function in ELSEWHERE:
            raise FormulaError(f"{function}() is not a function of formulas here", ELSEWHERE[function])
        if function not in FUNCTIONS or not isinstance(call.callee, Variable):
            listed = ", ".join(FUNCTIONS)
            hint = did_you_mean(function, list(FUNCTIONS)).removeprefix("; ")
            close = difflib.get_close_matches(function, FUNCTIONS, n=1)
            raise FormulaError(f"{function}() may not be called", hint if close else f"the functions are {listed}")
        if function == GROUP_MEAN:
            self._group_mean(call)
            return
        options = self._options(function, call)
        if function in CODINGS:
            column = self._column(call.args[0], f"the argument of {function}()")
            self.used.append(column)
            self.coded.setdefault(column, function)
            self.levels += [(column, level) for level in options.values()]
        else:
            self._value(call.args[0], call)

    def _group_mean(self, call: Call) -> None:
        """`group_mean(x, group)`: of each row, the mean of a number in the rows of its member."""
        if len(call.args) != 2:
            raise FormulaError(f"{written(call)} has not two arguments", "write group_mean(column, group)")
        name = self._column(call.args[0], f"the first argument of {GROUP_MEAN}()")
        group = self._column(call.args[1], f"the second argument of {GROUP_MEAN}()", self.grouping or ())
        if self.grouping is not None and group not in self.grouping:
            what = f"{group!r} in {written(call)} is not a group or categorical column"
            raise FormulaError(what, self._a_group())
        self.used += [name, group]
        self.computed.setdefault(name, GROUP_MEAN)

    def _a_group(self) -> str:
        """What to do where a column cannot name members. The last that can is the unit, whose
        members are the rows."""
        others = self.grouping[:-1]
        return "describe it as a group" + (f", or write one of {', '.join(others)}" if others else "")

    def _options(self, function: str, call: Call) -> dict[str, Any]:
        """What a function is given behind its first argument, by name."""
        known = OPTIONS.get(function, {})
        if not call.args or isinstance(call.args[0], Assign):
            raise FormulaError(f"{written(call)} begins with no argument", f"write {function}(column)")
        found: dict[str, Any] = {}
        for place, each in enumerate(call.args[1:]):
            named = isinstance(each, Assign)
            key = each.name.name.lexeme if named else next(iter([*known][place:]), "")
            literal, sign = each.value if named else each, 1
            if isinstance(literal, Unary) and literal.operator.kind == "MINUS" and isinstance(literal.right, Literal):
                literal, sign = literal.right, -1
            if key not in known or key in found:
                takes = ", ".join(f"{name} ({words})" for name, (_, words) in known.items())
                fix = f"{function}() takes a column and {takes}" if known else f"{function}() takes one argument"
                fix = CODED if function == "C" else fix
                raise FormulaError(f"{written(each)!r} cannot stand in {written(call)}", fix)
            right, words = known[key]
            if (
                not isinstance(literal, Literal)
                or not right(literal.value)
                or (sign < 0 and not _number(literal.value))
            ):
                raise FormulaError(f"{written(each)!r} cannot stand in {written(call)}", f"{key} is {words}")
            found[key] = literal.value
        if function == "bs" and found.get("df", 0) < found.get("degree", 3):
            what = f"{written(call)} has no df, or one below its degree"
            raise FormulaError(what, "write how many columns it shall have, such as bs(x, df=4)")
        return found

    def _value(self, tree: Any, inside: Call) -> bool:
        """Check what stands inside a function, where operators compute; whether there is a
        column in it."""
        match tree:
            case Grouping():
                return self._value(tree.expression, inside)
            case Binary() if tree.operator.kind in ARITHMETIC:
                of_columns = [self._value(each, inside) for each in (tree.left, tree.right)]
                if tree.operator.kind == "STAR_STAR" and not any(of_columns):
                    raise FormulaError(f"{written(tree)} is a power of numbers alone", "write its value")
                return any(of_columns)
            case Unary():
                return self._value(tree.right, inside)
            case Literal() if _number(tree.value):
                return False
            case Literal():
                what = f"{written(tree)[:40]} cannot stand in {written(inside.callee)}()"
                raise FormulaError(what, f"write a column or a number up to {LARGEST:.0e} there")
            case Variable() | QuotedName():
                name = self._column(tree, f"an argument of {written(inside.callee)}()")
                self.used.append(name)
                self.computed.setdefault(name, written(inside.callee))
                return True
            case Call():
                self._call(tree)
                if (function := written(tree.callee)) not in NESTED:
                    what = f"{function}() stands inside {written(inside.callee)}()"
                    raise FormulaError(what, f"inside a function, use {', '.join(NESTED)} alone")
                return True
            case _:
                raise FormulaError(
                    f"{written(tree)} cannot be computed", "use + - * / ** and functions inside brackets"
                )


def _is_call(tree: Any, function: str) -> bool:
    return isinstance(tree, Call) and isinstance(tree.callee, Variable) and tree.callee.name.lexeme == function


def _is_group(tree: Any) -> bool:
    return isinstance(tree, Binary) and tree.operator.kind == "PIPE"


def model(tree: Any) -> Model:
    """The terms of a syntax tree; nothing is evaluated."""
    resolved = Resolver(tree).resolve()
    found = resolved if isinstance(resolved, Model) else Model(resolved)
    found.common_terms = [each for each in found.common_terms if each.name != "NegatedIntercept"]
    return found


def terms(formula: Formula) -> list[str]:
    """The names of a formula's common terms that have coefficients."""
    named = [each for each in model(formula.common).common_terms if each.name != "Intercept"]
    return [term_name(each) for each in named if not each.name.startswith("offset(")]


def term_name(term: Any) -> str:
    """The name of a term of `formulae`, as `name` has it."""
    return _plain(str(term.name))


def has_intercept(tree: Any) -> bool:
    """Whether a sum with the intercept in front of it keeps that."""
    signs = [(sign, name(part)) for sign, part in list(addends(tree))[1:]]
    kept = True
    for sign in signs:
        if sign in (("PLUS", "0"), ("MINUS", "1"), ("PLUS", "-1")):
            kept = False
        elif sign == ("PLUS", "1"):
            kept = True
    return kept


def varies(tree: Any) -> bool:
    """Whether anything is left of such a sum."""
    return has_intercept(tree) or any(
        sign == "PLUS" and name(part) not in ("0", "1", "-0", "-1") for sign, part in list(addends(tree))[1:]
    )


def name(tree: Any) -> str:
    """A part of a formula as a name: as written, without spaces and slashes."""
    return _plain(written(tree))


def _plain(text: str) -> str:
    return text.replace(" ", "").replace("/", "÷")


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
