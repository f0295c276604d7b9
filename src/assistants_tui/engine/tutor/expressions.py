"""Reads mathematics as people type it: `3x + 11`, `2(x − 1)²`, `1/2 y`, `15% of 80`, `√16`.

The text becomes a tree, from which come Python source and, where it is one, a polynomial. Python itself never
evaluates any of it here.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

FUNCTIONS = ("sqrt", "sin", "cos", "tan", "log", "ln", "exp", "abs")
_MAX_EXPONENT = 1000  # beyond, a short question makes a number that fills the memory
_MAX_FACTORIAL = 1000
_MAX_DEPTH = 40

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<name>[A-Za-zα-ωπ]+)|(?P<symbol>\*\*|[-+*/^()!%√=]))"
)
_SAME = str.maketrans(
    {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "[": "(", "]": ")", "{": "(", "}": ")"}
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_LATEX = (
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\(?:cdot|times)\b"), "*"),
    (re.compile(r"\\div\b"), "/"),
    (re.compile(r"\\(?:left|right)\b|\\[,;! ]"), ""),
    (re.compile(r"\\(sqrt|sin|cos|tan|log|ln|exp|pi)\b"), r"\1"),
)
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?![\d,])")


class NotAnExpressionError(ValueError):
    """The text is no mathematics that this module can read."""


class NotPolynomialError(ValueError):
    """The expression is not a polynomial with rational coefficients."""


@dataclass(frozen=True, slots=True)
class Number:
    text: str

    @property
    def value(self) -> Fraction:
        return Fraction(self.text)


@dataclass(frozen=True, slots=True)
class Name:
    letter: str


@dataclass(frozen=True, slots=True)
class Negative:
    inner: "Expression"


@dataclass(frozen=True, slots=True)
class Operation:
    sign: str  # + - * / ^
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Application:
    function: str
    argument: "Expression"


Expression = Number | Name | Negative | Operation | Application

Monomial = tuple[tuple[str, int], ...]
"""Letters with their powers, in alphabetical order; empty for a constant."""


def normalised(text: str) -> str:
    """The text with one way of writing for what has several."""
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda power: "^" + power[0].translate(_SUPERSCRIPTS), text)
    text = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), text)
    return unicodedata.normalize("NFKC", text).translate(_SAME)


def parse(text: str) -> Expression:
    """The tree of a normalised text. Raises `NotAnExpressionError`."""
    reader = _Reader(text)
    tree = reader.sum(0)
    if not reader.at_end():
        raise NotAnExpressionError(text)
    return tree


class _Reader:
    _ADDED: ClassVar = ("+", "-")

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise NotAnExpressionError(text)
            self._tokens += _split(found.lastgroup, found[found.lastgroup])
            position = found.end()
        self._at = 0

    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def sum(self, depth: int) -> Expression:
        if depth > _MAX_DEPTH:
            raise NotAnExpressionError("too deep")
        left = self._product(depth)
        while self._peek() in self._ADDED:
            sign = self._take()
            left = Operation(sign, left, self._product(depth))
        return left

    def _product(self, depth: int) -> Expression:
        left = self._signed(depth)
        while not self.at_end():
            if self._peek() in ("*", "/"):
                sign = self._take()
                left = Operation(sign, left, self._signed(depth))
            elif self._peek() in ("(", "√") or self._kind() in ("number", "name"):
                if self._kind() == "number" and isinstance(left, Number):
                    raise NotAnExpressionError("two numbers in a row")
                left = Operation("*", left, self._power(depth))
            else:
                break
        return left

    def _signed(self, depth: int) -> Expression:
        if depth > _MAX_DEPTH:
            raise NotAnExpressionError("too deep")
        if self._peek() == "-":
            self._take()
            return Negative(self._signed(depth + 1))
        if self._peek() == "+":
            self._take()
            return self._signed(depth + 1)
        return self._power(depth)

    def _power(self, depth: int) -> Expression:
        base = self._postfix(depth)
        if self._peek() == "^":
            self._take()
            return Operation("^", base, self._signed(depth + 1))
        return base

    def _postfix(self, depth: int) -> Expression:
        inner = self._atom(depth)
        while self._peek() in ("!", "%"):
            if self._take() == "!":
                inner = Application("factorial", inner)
            else:
                inner = Operation("/", inner, Number("100"))
        return inner

    def _atom(self, depth: int) -> Expression:
        kind, read = self._kind(), self._take()
        if kind == "number":
            return Number(re.sub(r"^0+(?=\d)", "", read))  # Python takes no 07
        if read == "√":
            return Application("sqrt", self._atom(depth + 1))
        if read in FUNCTIONS:
            return Application(read, self._power(depth + 1))
        if kind == "name":
            return Name(read)
        if read == "(":
            inner = self.sum(depth + 1)
            if self._take() != ")":
                raise NotAnExpressionError("a parenthesis is not closed")
            return inner
        raise NotAnExpressionError(read)

    def _peek(self) -> str | None:
        return None if self.at_end() else self._tokens[self._at][1]

    def _kind(self) -> str | None:
        return None if self.at_end() else self._tokens[self._at][0]

    def _take(self) -> str:
        if self.at_end():
            raise NotAnExpressionError("the text ends too early")
        self._at += 1
        return self._tokens[self._at - 1][1]


def _split(kind: str, text: str) -> list[tuple[str, str]]:
    """A token; a word that is no function is a product of letters, as in `xy`."""
    if text == "**":
        return [("symbol", "^")]
    if kind != "name" or text in FUNCTIONS:
        return [(kind, text)]
    if text in ("pi", "π"):
        return [("name", "π")]
    if len(text) > 3:
        raise NotAnExpressionError(text)
    return [("name", letter) for letter in text]


def letters(tree: Expression) -> set[str]:
    """The unknowns in an expression."""
    match tree:
        case Number():
            return set()
        case Name(letter):
            return set() if letter == "π" else {letter}
        case Negative(inner) | Application(_, inner):
            return letters(inner)
        case Operation(_, left, right):
            return letters(left) | letters(right)


def is_exact(tree: Expression) -> bool:
    """Whether fractions are enough to compute it."""
    match tree:
        case Number():
            return True
        case Name(letter):
            return letter != "π"
        case Negative(inner):
            return is_exact(inner)
        case Application(function, inner):
            return function in ("factorial", "abs") and is_exact(inner)
        case Operation("^", base, exponent):
            return is_exact(base) and not letters(exponent) and _whole(exponent) is not None
        case Operation(_, left, right):
            return is_exact(left) and is_exact(right)


def source(tree: Expression, *, exact: bool = True) -> str:
    """Python source of an expression: with fractions if `exact`, else with floats and `math`.

    Raises `NotAnExpressionError` for numbers too large to compute.
    """
    return _source(tree, exact)[0]


# Precedences, as in Python: sums, products, signs, powers, atoms.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)


def _source(tree: Expression, exact: bool) -> tuple[str, int]:  # noqa: PLR0911, PLR0912 - one case for each form
    def nested(inner: Expression, at_least: int) -> str:
        text, precedence = _source(inner, exact)
        return text if precedence >= at_least else f"({text})"

    match tree:
        case Number(text):
            return (f'Fraction("{text}")' if exact and "." in text else text), _ATOM
        case Name(letter):
            return ("math.pi" if letter == "π" else letter), _ATOM
        case Negative(inner):
            return f"-{nested(inner, _SIGN)}", _SIGN
        case Application("factorial", inner):
            value = _whole(inner)
            if value is None or not 0 <= value <= _MAX_FACTORIAL:
                raise NotAnExpressionError("no number whose factorial can be computed")
            return f"math.factorial({value})", _ATOM
        case Application(function, inner):
            name = {"ln": "math.log", "log": "math.log10", "abs": "abs"}.get(function, f"math.{function}")
            return f"{name}({_source(inner, exact)[0]})", _ATOM
        case Operation("^", base, exponent):
            if (value := _whole(exponent)) is not None and abs(value) > _MAX_EXPONENT:
                raise NotAnExpressionError("a power too high to compute")
            if exact and not letters(base):
                return f"Fraction({_source(base, exact)[0]}) ** {nested(exponent, _ATOM)}", _POWER
            return f"{nested(base, _ATOM)}**{nested(exponent, _ATOM)}", _POWER
        case Operation("/", left, right) if exact and not letters(left):
            # Python would divide whole numbers into a float
            return f"Fraction({_source(left, exact)[0]}) / {nested(right, _SIGN)}", _PRODUCT
        case Operation("*" | "/" as sign, left, right):
            text = f"{nested(left, _PRODUCT)} {sign} {nested(right, _SIGN)}"
            if sign == "*" and isinstance(left, Number) and isinstance(right, Name):
                text = text.replace(" ", "")
            return text, _PRODUCT
        case Operation(sign, left, right):
            return f"{nested(left, _SUM)} {sign} {nested(right, _PRODUCT)}", _SUM


def polynomial(tree: Expression) -> Mapping[Monomial, Fraction]:  # noqa: PLR0911 - one case for each form
    """Its coefficients, without zeros. Raises `NotPolynomialError`."""
    match tree:
        case Number():
            return _clean({(): tree.value})
        case Name("π") | Application():
            raise NotPolynomialError
        case Name(letter):
            return {((letter, 1),): Fraction(1)}
        case Negative(inner):
            return {key: -value for key, value in polynomial(inner).items()}
        case Operation("+" | "-" as sign, left, right):
            total = dict(polynomial(left))
            for key, value in polynomial(right).items():
                total[key] = total.get(key, Fraction(0)) + (value if sign == "+" else -value)
            return _clean(total)
        case Operation("*", left, right):
            return _times(polynomial(left), polynomial(right))
        case Operation("/", left, right):
            divisor = polynomial(right)
            if set(divisor) != {()}:
                raise NotPolynomialError
            return {key: value / divisor[()] for key, value in polynomial(left).items()}
        case Operation(_, base, exponent):
            power = _whole(exponent)
            if power is None or not 0 <= power <= 12:
                raise NotPolynomialError
            result: Mapping[Monomial, Fraction] = {(): Fraction(1)}
            for _ in range(power):
                result = _times(result, polynomial(base))
            return result


def degree(coefficients: Mapping[Monomial, Fraction]) -> int:
    """The highest total power of a monomial."""
    return max((sum(power for _, power in key) for key in coefficients), default=0)


def _whole(tree: Expression) -> int | None:
    """The value of an expression that is a plain whole number."""
    match tree:
        case Number() if tree.value.denominator == 1:
            return int(tree.value)
        case Negative(inner):
            value = _whole(inner)
            return None if value is None else -value
        case _:
            return None


def _times(
    left: Mapping[Monomial, Fraction], right: Mapping[Monomial, Fraction]
) -> Mapping[Monomial, Fraction]:
    product: dict[Monomial, Fraction] = {}
    if len(left) * len(right) > 400:
        raise NotPolynomialError
    for one, first in left.items():
        for other, second in right.items():
            powers = dict(one)
            for letter, power in other:
                powers[letter] = powers.get(letter, 0) + power
            key = tuple(sorted(powers.items()))
            product[key] = product.get(key, Fraction(0)) + first * second
    return _clean(product)


def _clean(coefficients: dict[Monomial, Fraction]) -> dict[Monomial, Fraction]:
    return {key: value for key, value in coefficients.items() if value}
