"""What lines of Markdown begin with, and what can be told from one line or one paragraph alone."""

import re

from markdown_it import MarkdownIt

from .block_types import Paragraph, References

MAX_DEFINITION = 1000
"""Characters of a paragraph that may begin with link reference definitions."""
MAX_DEFINITION_LINES = 16
"""Its lines."""

_DEFINITION = re.compile(r"\[(?:[^\[\]\\]|\\.)*(?:\](?::|\Z)|\\?\Z)", re.DOTALL)
LANGUAGE = re.compile(r"\s*\{?\.?([\w+#./-]+)")
MAYBE_SPECIAL = re.compile(r"[#`~*+_=<>0-9|:-]")
HEADING = re.compile(r"(#{1,6})(?:[ \t]+|$)")
FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
FENCE_END = re.compile(r"(`{3,}|~{3,})[ \t]*$")
SETEXT = re.compile(r"(=+|-+)[ \t]*$")
RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$")
BULLET = re.compile(r"[*+-](?=[ \t]|$)")
NUMBER = re.compile(r"([0-9]{1,9})([.)])(?=[ \t]|$)")
_PIPE = re.compile(r"\\\||\|")
DELIMITER_ROW = re.compile(r"(?!-[ \t]|.$)\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$")

# The first character cannot begin anything but text, or another character shows that it did not.
TEXT_START = re.compile(r"[^#>`~<\-_*+=|:0-9\s]|[^<>\s][^\n]*?[^\-+*_=#`~|:.)0-9\s]")

_definitions = MarkdownIt("zero").enable("reference")


def may_define(paragraph: Paragraph) -> bool:
    """Whether link reference definitions may stand at the start of a paragraph."""
    lines = paragraph.lines
    return (
        paragraph.size <= MAX_DEFINITION
        and len(lines) <= MAX_DEFINITION_LINES
        and lines[0].startswith("[")
        and _DEFINITION.match("\n".join(lines[:8])) is not None
    )


def split_row(source: str) -> list[str]:
    """The cells of a table row. A pipe is part of a cell only behind a backslash (GFM, "Tables")."""
    cells = [""]
    start = 0
    for match in _PIPE.finditer(row := source.strip()):
        cells[-1] += row[start : match.start()]
        if match[0] == "|":
            cells.append("")
        else:
            cells[-1] += "|"
        start = match.end()
    cells[-1] += row[start:]
    cells = [cell.strip() for cell in cells]
    if cells and not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    return cells


def alignments(row: str) -> list[str]:
    """How the columns are aligned, by the delimiter row of a table: `left`, `center` or `right`."""
    found = []
    for cell in split_row(row):
        left, right = cell.startswith(":"), cell.endswith(":")
        found.append("center" if left and right else "right" if right else "left")
    return found


def without_definitions(paragraph: Paragraph, lines: list[str], references: References) -> list[str]:
    """Those of `lines`, the first ones of a paragraph, that are behind the link reference definitions at its
    start, which are added to `references`.
    """
    if not lines or not may_define(paragraph):
        return lines
    tokens = _definitions.parse("\n".join(lines), {"references": references})
    first = tokens[0].map if tokens else None
    return lines[first[0] :] if first else []
