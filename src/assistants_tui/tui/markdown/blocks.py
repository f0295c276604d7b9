"""The block structure of Markdown, found line by line.

This is the parsing strategy of the CommonMark specification (appendix "A parsing strategy", phase 1): every
line is matched against the containers that are open, may open new ones, and what is left goes to the open
leaf. A line is looked at once and never again, which is what makes an answer cheap to show while it streams;
the parsers of the usual libraries want the whole text. Tables follow the GitHub Flavored Markdown
specification.

What is found is told to a `Sink` in document order. Paragraphs are the one thing that can change after the
fact: the next line may turn one into a heading, or its last line into the head of a table.
"""

import re
from collections import ChainMap
from collections.abc import MutableMapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.rules_block.html_block import HTML_SEQUENCES

MAX_DEPTH = 20
"""Containers within containers; deeper markers are read as text, as markdown-it does."""
MAX_DEFINITION = 1000
"""Characters of a paragraph that may begin with link reference definitions."""
MAX_DEFINITION_LINES = 16
"""Its lines."""
MAX_PARAGRAPH = 4000
"""Characters after which a paragraph stays one: no later line makes it a heading or the head of a table."""
MAX_COLUMNS = 400
"""Columns of a table."""

References: TypeAlias = MutableMapping[str, dict[str, object]]
"""Link reference definitions by normalized label, in the shape that markdown-it's inline parser reads."""


@dataclass(slots=True)
class Quote:
    """A block quote."""


@dataclass(slots=True)
class ListBlock:
    """A list; its children are items."""

    delimiter: str
    """The bullet character, or what follows the number: another one begins another list."""
    number: int
    """The number of the next item."""


@dataclass(slots=True)
class Item:
    """A list item."""

    indent: int
    """Columns that a line needs to belong to the item."""
    empty: bool = True
    """No block in it yet."""


@dataclass(slots=True)
class Paragraph:
    """A paragraph as far as it is known."""

    lines: list[str] = field(default_factory=list)
    """Once it is sure to stay a paragraph, whoever draws it may take those away that are drawn."""
    lazy: bool = False
    """Its last line does not carry the markers of the containers."""
    size: int = 0
    """Characters of all its lines."""

    @property
    def sure(self) -> bool:
        """Whether no later line can make it a heading or the head of a table."""
        return self.size > MAX_PARAGRAPH


@dataclass(slots=True)
class Fence:
    """A fenced code block."""

    char: str
    length: int
    indent: int


@dataclass(slots=True)
class Indented:
    """An indented code block."""

    blanks: list[str] = field(default_factory=list)
    """Blank lines that only count if code follows."""


@dataclass(slots=True)
class Html:
    """Raw HTML up to the line that matches `end`."""

    end: re.Pattern[str]


@dataclass(slots=True)
class Table:
    """A table whose head and delimiter row have been read."""


Container: TypeAlias = Quote | ListBlock | Item
Leaf: TypeAlias = Paragraph | Fence | Indented | Html | Table


class Sink(Protocol):
    """Receives the structure. `gap` tells that a blank line stands before the block in the source."""

    def open_quote(self, *, gap: bool) -> None: ...
    def open_list(self, *, gap: bool) -> None: ...
    def open_item(self, marker: str, *, gap: bool) -> None:
        """`marker` is what to draw: a bullet `•`, or the number with its delimiter."""

    def close(self) -> None:
        """End the innermost quote, list or item."""

    def open_paragraph(self, paragraph: Paragraph, *, gap: bool) -> None:
        """A paragraph begins; its lines arrive in `paragraph.lines` until it ends in one of the next four
        ways."""

    def close_paragraph(self, lines: list[str]) -> None:
        """It stays a paragraph of these lines (none: they all were link reference definitions)."""

    def paragraph_to_heading(self, lines: list[str], level: int) -> None: ...
    def paragraph_to_table(self, before: list[str], head: str, alignments: list[str]) -> None:
        """Its last line is the head of a table; the lines before it stay a paragraph."""

    def table_row(self, source: str) -> None: ...
    def heading(self, text: str, level: int, *, gap: bool) -> None: ...
    def rule(self, *, gap: bool) -> None: ...
    def open_code(self, language: str, *, fenced: bool, gap: bool) -> None: ...
    def code_line(self, text: str) -> None: ...
    def html_line(self, text: str, *, first: bool, gap: bool) -> None: ...
    def close_leaf(self) -> None:
        """End the open table, code block or HTML."""


_DEFINITION = re.compile(r"\[(?:[^\[\]\\]|\\.)*(?:\](?::|\Z)|\\?\Z)", re.DOTALL)
_LANGUAGE = re.compile(r"\s*\{?\.?([\w+#./-]+)")
_MAYBE_SPECIAL = re.compile(r"[#`~*+_=<>0-9|:-]")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+|$)")
_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_FENCE_END = re.compile(r"(`{3,}|~{3,})[ \t]*$")
_SETEXT = re.compile(r"(=+|-+)[ \t]*$")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$")
_BULLET = re.compile(r"[*+-](?=[ \t]|$)")
_NUMBER = re.compile(r"([0-9]{1,9})([.)])(?=[ \t]|$)")
_PIPE = re.compile(r"\\\||\|")
_DELIMITER_ROW = re.compile(r"(?!-[ \t]|.$)\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$")

# The first character cannot begin anything but text, or another character shows that it did not.
_TEXT_START = re.compile(r"[^#>`~<\-_*+=|:0-9\s]|[^<>\s][^\n]*?[^\-+*_=#`~|:.)0-9\s]")

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


def _alignments(row: str) -> list[str]:
    found = []
    for cell in split_row(row):
        left, right = cell.startswith(":"), cell.endswith(":")
        found.append("center" if left and right else "right" if right else "left")
    return found


class BlockParser:
    """Reads lines and tells a sink what they are.

    `references` is filled with the link reference definitions as they are found, the first of a label wins.
    """

    __slots__ = (
        "_blank",
        "_column",
        "_containers",
        "_gap",
        "_indent",
        "_leaf",
        "_next",
        "_position",
        "_source",
        "_split_tab",
        "_text_at",
        "references",
        "sink",
    )

    def __init__(self, sink: Sink, references: References) -> None:
        self.sink = sink
        self.references = references
        self._containers: list[Container] = []
        self._leaf: Leaf | None = None
        self._gap = False
        self._text_at = -1
        self._source = ""
        self._position = 0  # the next character to read, in column `_column`
        self._column = 0
        self._split_tab = False  # a tab at the position has been used in part
        self._next = 0  # the next character that is not a space or tab
        self._indent = 0  # columns from the position to it
        self._blank = False  # there is none

    @property
    def leaf(self) -> Leaf | None:
        """The open leaf."""
        return self._leaf

    def fork(self, sink: Sink) -> "BlockParser":
        """A parser in the same state that tells another sink; the two do not influence each other."""
        other = BlockParser(sink, ChainMap({}, self.references))
        other._containers = [replace(container) for container in self._containers]
        leaf = self._leaf
        if isinstance(leaf, Paragraph):
            leaf = Paragraph(list(leaf.lines), leaf.lazy, leaf.size)
        elif isinstance(leaf, Indented):
            leaf = Indented(list(leaf.blanks))
        other._leaf = leaf
        other._gap = self._gap
        return other

    def extend(self, text: str) -> None:
        """Add to the last line, which must have `settled`."""
        assert isinstance(self._leaf, Paragraph)
        self._leaf.lines[-1] += text
        self._leaf.size += len(text)

    @property
    def settled(self) -> bool:
        """Whether the last line is text of a paragraph whatever else the same line brings."""
        return (
            self._text_at >= 0
            and isinstance(self._leaf, Paragraph)
            and _TEXT_START.match(self._source, self._text_at) is not None
        )

    def close(self) -> None:
        """The end of the text."""
        self._close_leaf()
        self._close_to(0)

    def line(self, source: str) -> None:
        """Read one line (without its line break)."""
        self._source = source
        self._position = self._column = 0
        self._split_tab = False
        self._text_at = -1
        depth = self._match_containers()
        in_leaf = depth == len(self._containers) and self._leaf is not None
        if in_leaf and self._continue_leaf():
            return
        # a paragraph or a table goes on unless something else begins
        self._begin(depth, in_leaf and isinstance(self._leaf, Paragraph | Table))

    # -- where we are in the line

    def _look(self) -> None:
        """Find the next character that is not blank."""
        source = self._source
        position = self._position
        column = self._column
        size = len(source)
        while position < size:
            char = source[position]
            if char == " ":
                column += 1
            elif char == "\t":
                column += 4 - column % 4
            else:
                break
            position += 1
        self._next = position
        self._indent = column - self._column
        self._blank = position >= size

    def _advance(self, columns: int) -> None:
        """Skip columns of white space; a tab may be used in part."""
        source = self._source
        while columns > 0 and self._position < len(source):
            if source[self._position] == "\t":
                width = 4 - self._column % 4
                self._split_tab = width > columns
                step = min(width, columns)
                self._column += step
                if not self._split_tab:
                    self._position += 1
                columns -= step
            else:
                self._split_tab = False
                self._position += 1
                self._column += 1
                columns -= 1

    def _skip_blank(self) -> None:
        self._column += self._indent
        self._position = self._next
        self._split_tab = False

    def _skip_marker(self, length: int) -> None:
        """Past the white space and a marker of so many characters."""
        self._skip_blank()
        self._position += length
        self._column += length

    def _at_space(self) -> bool:
        return self._position < len(self._source) and self._source[self._position] in " \t"

    def _rest(self) -> str:
        """The line from the position on, a half-used tab as spaces."""
        if self._split_tab:
            return " " * (4 - self._column % 4) + self._source[self._position + 1 :]
        return self._source[self._position :]

    # -- what is open

    def _match_containers(self) -> int:
        """How many of the open containers the line belongs to; the position is behind their markers."""
        for index, container in enumerate(self._containers):
            self._look()
            if isinstance(container, Quote):
                if self._indent > 3 or self._blank or self._source[self._next] != ">":
                    return index
                self._skip_marker(1)
                if self._at_space():
                    self._advance(1)
            elif isinstance(container, Item):
                if self._blank:
                    if container.empty:
                        return index
                    self._skip_blank()
                elif self._indent >= container.indent:
                    self._advance(container.indent)
                else:
                    return index
        self._look()
        return len(self._containers)

    def _continue_leaf(self) -> bool:
        """Give the line to the open leaf if that takes it for sure."""
        leaf = self._leaf
        if isinstance(leaf, Fence):
            self._fence_line(leaf)
            return True
        if isinstance(leaf, Html):
            if leaf.end.pattern == "^$" and self._blank:
                return False
            self.sink.html_line(self._rest(), first=False, gap=False)
            self._end_html(leaf)
            return True
        if isinstance(leaf, Indented) and (self._blank or self._indent >= 4):
            self._advance(4)
            if self._blank:
                leaf.blanks.append(self._rest())
                return True
            for blank in leaf.blanks:
                self.sink.code_line(blank)
            leaf.blanks.clear()
            self.sink.code_line(self._rest())
            return True
        return False

    def _fence_line(self, fence: Fence) -> None:
        end = _FENCE_END.match(self._source, self._next) if self._indent <= 3 else None
        if end and end[1][0] == fence.char and len(end[1]) >= fence.length:
            self._close_leaf()
            return
        self._advance(min(self._indent, fence.indent))
        self.sink.code_line(self._rest())

    def _end_html(self, leaf: Html) -> None:
        if leaf.end.pattern != "^$" and leaf.end.search(self._source, self._next):
            self._close_leaf()

    # -- what ends

    def _close_leaf(self) -> None:
        leaf, self._leaf = self._leaf, None
        if isinstance(leaf, Paragraph):
            self.sink.close_paragraph(self._without_definitions(leaf, leaf.lines))
        elif leaf is not None:
            self.sink.close_leaf()
            if isinstance(leaf, Indented) and leaf.blanks:
                self._gap = True

    def _without_definitions(self, paragraph: Paragraph, lines: list[str]) -> list[str]:
        """Those of `lines`, the first ones of a paragraph, that are behind the link reference definitions at
        its start, which are noted."""
        if not lines or not may_define(paragraph):
            return lines
        tokens = _definitions.parse("\n".join(lines), {"references": self.references})
        first = tokens[0].map if tokens else None
        return lines[first[0] :] if first else []

    def _close_to(self, depth: int) -> None:
        while len(self._containers) > depth:
            self._containers.pop()
            self.sink.close()

    def _make_room(self, depth: int) -> None:
        """Close what the line does not belong to, because a block begins in the first `depth` containers."""
        self._close_leaf()
        self._close_to(depth)
        if self._containers and isinstance(self._containers[-1], ListBlock):
            self._close_to(depth - 1)  # only items stand in a list
        self._note_content()

    def _note_content(self) -> None:
        if self._containers and isinstance(parent := self._containers[-1], Item):
            parent.empty = False

    def _take_gap(self) -> bool:
        gap, self._gap = self._gap, False
        return gap

    # -- what begins

    def _begin(self, depth: int, in_leaf: bool) -> None:
        """Open what the rest of the line begins, inside the first `depth` containers; what is left is text.

        `in_leaf` tells that the line belongs to the open paragraph or table as well.
        """
        new_item = False
        while not self._blank:
            if self._indent > 3:
                if isinstance(self._leaf, Paragraph):
                    break
                self._open_indented(depth)
                return
            if not _MAYBE_SPECIAL.match(self._source, self._next):
                break
            if self._begin_leaf(depth, in_leaf):
                return
            if len(self._containers) >= MAX_DEPTH:
                break
            new_item = self._open_item(depth, in_leaf)
            if not new_item and not self._open_quote(depth):
                break
            depth, in_leaf = len(self._containers), False
            self._look()
        if self._blank:
            self._close_leaf()
            self._close_to(depth)
            self._gap = not new_item
        else:
            self._add_text(depth, in_leaf)

    def _add_text(self, depth: int, in_leaf: bool) -> None:
        leaf = self._leaf
        self._skip_blank()
        if isinstance(leaf, Table) and in_leaf:
            self.sink.table_row(self._rest())
            return
        if isinstance(
            leaf, Paragraph
        ):  # also one in containers that the line does not match: a lazy continuation
            self._take_definitions(leaf)
            leaf.lines.append(self._rest())
            leaf.lazy = not in_leaf
        else:
            self._make_room(depth)
            self._leaf = leaf = Paragraph([self._rest()])
            self.sink.open_paragraph(leaf, gap=self._take_gap())
        leaf.size += len(leaf.lines[-1])
        self._text_at = self._position

    def _take_definitions(self, paragraph: Paragraph) -> None:
        """Note the link reference definitions at the start of a paragraph as soon as the next may begin, so
        that thousands of them are not read together."""
        lines = paragraph.lines
        if self._source.startswith("[", self._position) and not self._without_definitions(paragraph, lines):
            lines.clear()
            paragraph.size = 0

    def _open_indented(self, depth: int) -> None:
        self._make_room(depth)
        self._advance(4)
        self.sink.open_code("", fenced=False, gap=self._take_gap())
        self._leaf = Indented()
        self.sink.code_line(self._rest())

    def _open_quote(self, depth: int) -> bool:
        if self._source[self._next] != ">":
            return False
        self._skip_marker(1)
        if self._at_space():
            self._advance(1)
        self._make_room(depth)
        self.sink.open_quote(gap=self._take_gap())
        self._containers.append(Quote())
        return True

    def _open_item(self, depth: int, in_leaf: bool) -> bool:
        source = self._source
        number = _NUMBER.match(source, self._next)
        marker = number or _BULLET.match(source, self._next)
        if marker is None:
            return False
        doubtful = not source[marker.end() :].strip() or (number is not None and int(number[1]) != 1)
        if doubtful and in_leaf and isinstance(self._leaf, Paragraph):
            return False  # it may be meant as text
        size = len(marker[0])
        indent = self._indent + size
        self._skip_marker(size)
        before = self._position, self._column, self._split_tab
        while self._column - before[1] < 5 and self._at_space():
            self._advance(1)
        spaces = self._column - before[1]
        if not 1 <= spaces <= 4 or self._position >= len(source):
            self._position, self._column, self._split_tab = before
            spaces = 1
            if self._at_space():
                self._advance(1)
        self._enter_list(depth, marker[0][-1], int(number[1]) if number else None)
        self._containers.append(Item(indent + spaces))
        return True

    def _enter_list(self, depth: int, delimiter: str, number: int | None) -> None:
        """Begin an item in the list that is open, if it is of the same kind, else in a new one."""
        self._close_leaf()
        self._close_to(depth)
        top = self._containers[-1] if self._containers else None
        gap = self._take_gap()
        if isinstance(top, ListBlock) and top.delimiter == delimiter:
            block = top
        else:
            if isinstance(top, ListBlock):
                self._close_to(depth - 1)
            self._note_content()
            block = ListBlock(delimiter, number or 0)
            self._containers.append(block)
            self.sink.open_list(gap=gap)
            gap = False
        self.sink.open_item("•" if number is None else f"{block.number}{delimiter}", gap=gap)
        block.number += 1

    def _begin_leaf(self, depth: int, in_leaf: bool) -> bool:
        """Begin a block that holds no blocks. False if it is something else."""
        char = self._source[self._next]
        paragraph = self._leaf if in_leaf and isinstance(self._leaf, Paragraph) else None
        return (
            (paragraph is not None and char in "|:-" and self._begin_table(paragraph))
            or (paragraph is not None and char in "=-" and self._end_as_heading(paragraph))
            or (char == "#" and self._heading(depth))
            or (char in "`~" and self._open_fence(depth))
            or (char == "<" and self._open_html(depth))
            or (char in "*_-" and self._rule(depth))
        )

    def _rule(self, depth: int) -> bool:
        if not _RULE.match(self._source, self._next):
            return False
        self._make_room(depth)
        self.sink.rule(gap=self._take_gap())
        return True

    def _begin_table(self, paragraph: Paragraph) -> bool:
        if paragraph.lazy or paragraph.sure:
            return False
        if not _DELIMITER_ROW.match(row := self._source.rstrip(" \t"), self._next):
            return False
        head = paragraph.lines[-1]
        alignments = _alignments(row[self._next :])
        if "|" not in head or not len(split_row(head)) == len(alignments) <= MAX_COLUMNS:
            return False
        before = self._without_definitions(paragraph, paragraph.lines[:-1])
        self.sink.paragraph_to_table(before, head, alignments)
        self._leaf = Table()
        return True

    def _end_as_heading(self, paragraph: Paragraph) -> bool:
        if paragraph.sure or not (line := _SETEXT.match(self._source, self._next)):
            return False
        lines = self._without_definitions(paragraph, paragraph.lines)
        self._leaf = None
        if not lines:
            self.sink.close_paragraph([])
            return False
        self.sink.paragraph_to_heading(lines, 1 if line[1][0] == "=" else 2)
        return True

    def _heading(self, depth: int) -> bool:
        if not (start := _HEADING.match(self._source, self._next)):
            return False
        self._make_room(depth)
        text = self._source[start.end() :].rstrip()
        without_end = text.rstrip("#")
        if not without_end or without_end[-1] in " \t":
            text = without_end
        self.sink.heading(text.strip(), len(start[1]), gap=self._take_gap())
        return True

    def _open_fence(self, depth: int) -> bool:
        if not (start := _FENCE.match(self._source, self._next)):
            return False
        marks = start[1] or start[3]
        info = start[2] if start[1] else start[4]
        self._make_room(depth)
        language = _LANGUAGE.match(info)
        self.sink.open_code(language[1] if language else "", fenced=True, gap=self._take_gap())
        self._leaf = Fence(marks[0], len(marks), self._indent)
        return True

    def _open_html(self, depth: int) -> bool:
        text = self._source[self._next :]
        kind = next((kind for kind in HTML_SEQUENCES if kind[0].search(text)), None)
        if kind is None:
            return False
        _, end, interrupts = kind
        if not interrupts and isinstance(self._leaf, Paragraph | Table):
            return False
        self._make_room(depth)
        self.sink.html_line(self._rest(), first=True, gap=self._take_gap())
        self._leaf = leaf = Html(end)
        self._end_html(leaf)
        return True
