"""Text that is no Markdown, for places that draw Markdown."""

import re

_SIGNS = re.compile(r"([\\`*_{}<>#+\-.!|~$^:=\"'&])")
_TICKS = re.compile("`{3,}")
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


LONG = 50_000
"""Characters of a text from which on it is shown as a code block, which costs less."""


def as_markdown(text: str) -> str:
    """Markdown that shows the text as it is: its signs as signs, its lines, and pages, as lines.

    Unlike in a code block, words stay whole where lines are wrapped, unless the text is a long one.
    """
    if len(text) > LONG:
        return fenced(text)
    escaped = _SIGNS.sub(r"\\\1", re.sub(r"\r\n?|\f", "\n", text))
    escaped = escaped.replace("[", "&#91;").replace(
        "(", "&#40;"
    )  # with a backslash they would begin formulas
    # white space at the beginning of a line would make it code, and be lost otherwise
    indented = _INDENT.sub(lambda match: "\u00a0" * len(match[0].expandtabs(4)), escaped)
    return re.sub(r"(?<!\n)\n(?!\n|$)", "\\\\\n", indented)


def fenced(text: str, language: str = "") -> str:
    """`text` as a Markdown code block that no text can close early."""
    fence = "`" * max(3, max((len(ticks) + 1 for ticks in _TICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
