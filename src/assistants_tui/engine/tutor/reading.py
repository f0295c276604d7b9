"""Finds the mathematics in a message that is mostly words."""

import re
from collections.abc import Iterator

from assistants_tui.engine.tutor import expressions
from assistants_tui.engine.tutor.expressions import Expression, NotAnExpressionError

_QUOTED = re.compile(r"`+([^`]+)`+|\$+([^$]+)\$+|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_WORDS = (
    (r"\bmultiplied by\b|\btimes\b|乘以|乘", " * "),
    (r"\bdivided by\b|\bover\b|除以", " / "),
    (r"\bplus\b|加上|加", " + "),
    (r"\bminus\b|减去|减", " - "),
    (r"\bto the (?:power|exponent) (?:of )?", " ^ "),
    (r"\bsquared\b", "^2"),
    (r"\bcubed\b", "^3"),
    (r"\b(?:is equal to|equals?)\b|等于", " = "),
    (r"\b(?:the )?(?:square root|sqrt) of\b", " sqrt "),
    (r"\b(?:the )?factorial of (\d+)", r" \1! "),
    (r"\bper ?cent\b", "%"),
    (r"%\s*of\b", "% * "),
)
_TERM = (
    r"(?:\d+(?:\.\d+)?|\.\d+"
    r"|(?<![A-Za-z'’])(?:sqrt|sin|cos|tan|log|ln|exp|abs|pi|[a-zA-Zπ]{1,2})(?![A-Za-z]))"
)
# A stretch of terms and signs. A word of three letters or more ends it.
_STRETCH = re.compile(rf"(?:{_TERM}|\*\*|[-+*/^()!%√=]|[ \t])+")
# Short words that a formula could be taken for
_SMALL_WORDS = re.compile(
    r"\b(?:am|an|as|at|be|by|do|go|he|if|in|is|it|me|my|no|of|ok|on|or|so|to|up|us|we)\b", re.IGNORECASE
)
_LONELY = re.compile(r"^\s*[aAI](?=\s+[^=+\-*/^\s])|\s+[aAI]\s*$")
_DATE = re.compile(r"\b\d{4}-\d{1,2}-\d{1,2}\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b|\b\d+(?:-\d+){2,}\b")

_FEW = 500  # characters: some patterns take time with the square of the length, in which nothing else runs

Equation = tuple[Expression, Expression]


def in_few_words(text: str, *, end: bool = False) -> str:
    """The beginning of a text, or its end, without blanks that say nothing: enough for a question."""
    lines = "\n".join(" ".join(line.split()) for line in text.splitlines() if not line.isspace())
    return lines[-_FEW:] if end else lines[:_FEW]


def equations(text: str) -> list[tuple[str, Equation]]:
    """The equations in a text, each as it was written and as its two sides."""
    found = []
    for stretch in _stretches(text):
        sides = stretch.split("=")
        if len(sides) != 2:
            continue
        try:
            equation = expressions.parse(sides[0]), expressions.parse(sides[1])
        except NotAnExpressionError:
            continue
        found.append((stretch, equation))
    return found


def calculation(text: str) -> tuple[str, Expression] | None:
    """The first calculation with numbers alone, as it was written and as a tree."""
    for stretch in _stretches(text):
        try:
            tree = expressions.parse(stretch.rstrip("= "))
        except NotAnExpressionError:
            continue
        if not expressions.letters(tree) and not isinstance(tree, expressions.Number | expressions.Name):
            return stretch.rstrip("= "), tree
    return None


def expression(text: str) -> tuple[str, Expression] | None:
    """The first formula, of numbers and letters, as it was written and as a tree."""
    for stretch in _stretches(text):
        try:
            return stretch, expressions.parse(stretch)
        except NotAnExpressionError:
            continue
    return None


def _stretches(text: str) -> Iterator[str]:
    """Parts of a text that may be mathematics, those that are marked as such first."""
    seen = set()
    marked = [next(group for group in groups if group) for groups in _QUOTED.findall(text)]
    for part in (*marked, _DATE.sub(" ; ", text)):
        plain = expressions.normalised(part).replace("`", " ; ").replace("$", " ; ")
        for pattern, sign in _WORDS:
            plain = re.sub(pattern, sign, plain, flags=re.IGNORECASE)
        plain = _SMALL_WORDS.sub(";", plain)
        for line in re.split(r"[\n;,:?]|\.(?!\d)|\band\b", plain):
            for found in _STRETCH.finditer(line):
                stretch = _trimmed(found[0])
                if stretch and stretch not in seen:
                    seen.add(stretch)
                    yield stretch


def _trimmed(stretch: str) -> str:
    """A stretch without the small words before and after it."""
    while (shorter := _LONELY.sub("", stretch)) != stretch:
        stretch = shorter
    return re.sub(r"\s+", " ", stretch).strip()
