"""What begins and ends the blocks of Markdown that hold no blocks: code, headings, tables, rules, HTML."""

from markdown_it.rules_block.html_block import HTML_SEQUENCES

from .block_syntax import (
    DELIMITER_ROW,
    FENCE,
    HEADING,
    LANGUAGE,
    RULE,
    SETEXT,
    alignments,
    split_row,
    without_definitions,
)
from .block_types import Fence, Html, Indented, Paragraph, Table
from .line_cursor import LineCursor
from .open_blocks import OpenBlocks

MAX_COLUMNS = 400
"""Columns of a table."""


class LeafStarts:
    """Looks what leaf the rest of a line begins."""

    __slots__ = ("_line", "_open")

    def __init__(self, line: LineCursor, blocks: OpenBlocks) -> None:
        self._line = line
        self._open = blocks

    def begin(self, depth: int, in_leaf: bool) -> bool:
        """Begin a block that holds no blocks. False if it is something else."""
        char, leaf = self._line.source[self._line.next], self._open.leaf
        paragraph = leaf if in_leaf and isinstance(leaf, Paragraph) else None
        return (
            (paragraph is not None and char in "|:-" and self._begin_table(paragraph))
            or (paragraph is not None and char in "=-" and self._end_as_heading(paragraph))
            or (char == "#" and self._heading(depth))
            or (char in "`~" and self._open_fence(depth))
            or (char == "<" and self._open_html(depth))
            or (char in "*_-" and self._rule(depth))
        )

    def _rule(self, depth: int) -> bool:
        if not RULE.match(self._line.source, self._line.next):
            return False
        self._open.make_room(depth)
        self._open.sink.rule(gap=self._open.take_gap())
        return True

    def _begin_table(self, paragraph: Paragraph) -> bool:
        if paragraph.lazy or paragraph.sure:
            return False
        if not DELIMITER_ROW.match(row := self._line.source.rstrip(" \t"), self._line.next):
            return False
        head = paragraph.lines[-1]
        columns = alignments(row[self._line.next :])
        if "|" not in head or not len(split_row(head)) == len(columns) <= MAX_COLUMNS:
            return False
        before = without_definitions(paragraph, paragraph.lines[:-1], self._open.references)
        self._open.sink.paragraph_to_table(before, head, columns)
        self._open.leaf = Table()
        return True

    def _end_as_heading(self, paragraph: Paragraph) -> bool:
        if paragraph.sure or not (line := SETEXT.match(self._line.source, self._line.next)):
            return False
        lines = without_definitions(paragraph, paragraph.lines, self._open.references)
        self._open.leaf = None
        if not lines:
            self._open.sink.close_paragraph([])
            return False
        self._open.sink.paragraph_to_heading(lines, 1 if line[1][0] == "=" else 2)
        return True

    def _heading(self, depth: int) -> bool:
        if not (start := HEADING.match(self._line.source, self._line.next)):
            return False
        self._open.make_room(depth)
        text = self._line.source[start.end() :].rstrip()
        without_end = text.rstrip("#")
        if not without_end or without_end[-1] in " \t":
            text = without_end
        self._open.sink.heading(text.strip(), len(start[1]), gap=self._open.take_gap())
        return True

    def _open_fence(self, depth: int) -> bool:
        if not (start := FENCE.match(self._line.source, self._line.next)):
            return False
        marks = start[1] or start[3]
        info = start[2] if start[1] else start[4]
        self._open.make_room(depth)
        language = LANGUAGE.match(info)
        self._open.sink.open_code(language[1] if language else "", fenced=True, gap=self._open.take_gap())
        self._open.leaf = Fence(marks[0], len(marks), self._line.indent)
        return True

    def _open_html(self, depth: int) -> bool:
        text = self._line.source[self._line.next :]
        kind = next((kind for kind in HTML_SEQUENCES if kind[0].search(text)), None)
        if kind is None:
            return False
        _, end, interrupts = kind
        if not interrupts and isinstance(self._open.leaf, Paragraph | Table):
            return False
        self._open.make_room(depth)
        self._open.sink.html_line(self._line.rest(), first=True, gap=self._open.take_gap())
        self._open.leaf = leaf = Html(end)
        self.end_html(leaf)
        return True

    def open_indented(self, depth: int) -> None:
        """Begin an indented code block."""
        self._open.make_room(depth)
        self._line.advance(4)
        self._open.sink.open_code("", fenced=False, gap=self._open.take_gap())
        self._open.leaf = Indented()
        self._open.sink.code_line(self._line.rest())

    def end_html(self, leaf: Html) -> None:
        """Close raw HTML if the line ends it."""
        if leaf.end.pattern != "^$" and leaf.end.search(self._line.source, self._line.next):
            self._open.close_leaf()
