"""From the structure of a text to its lines on the screen."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from assistants_tui.service.safe_text import clean

from .block_syntax import may_define, split_row
from .block_types import Paragraph, References
from .code import LineLexer, lexers
from .inline import PIECE, closed, inline, next_cut, parse
from .lines import Line, Row, Run, cells, fold, wrap
from .tables import Cell, TableLayout

MIN_WIDTH = 16
"""Cells that text keeps however deep it is nested: outer indentation is left out before that."""

TRIES_PER_STEP = 8
"""Rules of a lexer that are tried in about the time that a character of text takes."""

_TASK = re.compile(r"\[([ xX])\](?=[ \n])")
_COPY = "copy"
_PAD = Run(" ", "block")


@dataclass(slots=True)
class _Frame:
    """What a container draws to the left of its lines."""

    first: tuple[Run, ...]
    """On its first line."""
    rest: tuple[Run, ...]
    """On the others; as wide as `first`."""
    separated: bool
    """Whether its blocks always stand apart; else as in the source."""
    used: bool = False
    """The first line is drawn."""
    filled: bool = False
    """It has a block."""


@dataclass(slots=True)
class _OpenParagraph:
    """A paragraph, where to begin again if it turns out to be something else, and how much of it is final."""

    source: Paragraph
    gap: bool
    start: int
    """The number of lines before it."""
    frames: list[_Frame]
    """The frames before it."""
    tried: int = 0
    """See `next_cut`."""
    begun: bool = False
    """Its start is final: text is drawn, or about to be."""
    line: int = 0
    """The final part of the source ends in this line..."""
    column: int = 0
    """...before this column."""
    open_row: tuple[Run, ...] = ()
    """The last row of that part, which goes on."""


class Layout:
    """A `blocks.Sink` that draws. It appends to `lines`, and notes in `changed` how far back it had to draw
    again.

    `width` is in cells. With `breaks`, the line breaks of a paragraph are kept. A layout that is not
    `patient` leaves code uncoloured rather than wait until a lexer is loaded.
    """

    def __init__(self, width: int, references: References, *, breaks: bool = False) -> None:
        self.width = max(1, width)
        self.breaks = breaks
        self.patient = True
        self.lines: list[Line] = []
        self.changed = 0
        self.steps = 0
        """The work of colouring code so far, in about the time that a character of text takes."""
        self.uncoloured: list[str] = []
        """Languages whose lexers have been missing."""
        self._references = references
        self._frames = [_Frame((), (), separated=True)]
        self._rest: tuple[Run, ...] | None = None  # what all frames draw once their first lines are drawn
        self._paragraph: _OpenParagraph | None = None
        self._table: TableLayout | None = None
        self._table_start = 0
        self._table_stale = False  # its columns have become wider since it was drawn
        self._lexer: LineLexer | None = None
        self._code_blocks = 0
        self._forked = False

    def fork(self) -> "Layout":
        """A layout that draws what follows into lines of its own, as a first sight of text that is not
        complete."""
        other = Layout(self.width, self._references, breaks=self.breaks)
        other.patient = self.patient
        other._frames = [replace(frame) for frame in self._frames]
        other._table = self._table
        other._code_blocks = self._code_blocks
        other._forked = True
        if self._paragraph:
            other._paragraph = replace(self._paragraph, start=0)
        if self._lexer:
            other._lexer = self._lexer.fork()
        return other

    def settle(self) -> None:
        """Draw as much of the open paragraph as no more text can change, and a table whose columns have
        become wider."""
        self._redraw_table()
        paragraph = self._paragraph
        if paragraph is None or may_define(paragraph.source):
            return
        text = _after(paragraph.source.lines, paragraph.line, paragraph.column)
        if len(text) <= PIECE:
            return
        start = 0 if paragraph.begun else self._begin(paragraph, text)
        while True:
            cut, paragraph.tried = next_cut(text, start, self._references, paragraph.tried)
            if not cut:
                break
            runs = parse(text[start:cut], self._references, breaks=self.breaks)
            rows = wrap([*paragraph.open_row, *runs], self._room())
            for row in rows[:-1]:
                self._emit(row)
            paragraph.open_row = rows[-1].runs
            start = cut
        _advance(paragraph, start)
        source = paragraph.source
        if source.sure:
            source.lines[: paragraph.line + 1] = [source.lines[paragraph.line][paragraph.column :]]
            paragraph.line = paragraph.column = 0

    # -- containers

    def open_quote(self, *, gap: bool) -> None:
        self._block(gap)
        bar = (Run("▌ ", "bar"),)
        self._push(_Frame(bar, bar, separated=True))

    def open_list(self, *, gap: bool) -> None:
        self._block(gap)
        self._push(_Frame((), (), separated=False, used=True))

    def open_item(self, marker: str, *, gap: bool) -> None:
        self._block(gap)
        bullet = Run(f"{marker} ", "bullet")
        self._push(_Frame((bullet,), (Run(" " * cells([bullet])),), separated=False))

    def close(self) -> None:
        if not self._frames[-1].used:
            self._emit(Row(()))
        self._frames.pop()
        self._rest = None

    # -- paragraphs, and what becomes of them

    def open_paragraph(self, paragraph: Paragraph, *, gap: bool) -> None:
        before = [replace(frame) for frame in self._frames]
        self._paragraph = _OpenParagraph(paragraph, gap, len(self.lines), before)
        self._block(gap)

    def close_paragraph(self, lines: list[str]) -> None:
        paragraph = self._paragraph
        assert paragraph is not None
        if not lines:
            self._take_back()
            return
        self._paragraph = None
        text = _after(lines, paragraph.line, paragraph.column).rstrip()
        start = 0 if paragraph.begun else self._begin(paragraph, text)
        text = closed(text[start:]) if self._forked else text[start:]
        runs = inline(text, self._references, breaks=self.breaks)
        self._draw(wrap([*paragraph.open_row, *runs], self._room()))

    def paragraph_to_heading(self, lines: list[str], level: int) -> None:
        gap = self._take_back()
        self.heading("\n".join(lines).strip(), level, gap=gap)

    def paragraph_to_table(self, before: list[str], head: str, alignments: list[str]) -> None:
        gap = self._take_back()
        if before:
            self.open_paragraph(Paragraph(before), gap=gap)
            self.close_paragraph(before)
            gap = False
        self._block(gap)
        self._table_stale = False
        names = [inline(cell, self._references, "head") for cell in split_row(head)]
        self._table = TableLayout(alignments, names, self._room())
        self._table_start = len(self.lines)
        self._draw(self._table.draw_head())

    def _take_back(self) -> bool:
        """Undo the open paragraph; whether there was a gap before it."""
        paragraph = self._paragraph
        assert paragraph is not None
        self._paragraph = None
        self._truncate(paragraph.start)
        self._frames = [replace(frame) for frame in paragraph.frames]
        self._rest = None
        return paragraph.gap

    def _begin(self, paragraph: _OpenParagraph, text: str) -> int:
        """Where the text of a paragraph begins: behind the box of a task list item, which becomes its
        bullet."""
        paragraph.begun = True
        frame = self._frames[-1]
        task = _TASK.match(text)
        if frame.used or not frame.first or frame.first[0].style != "bullet" or not task:
            return 0
        box = Run("☐ " if task[1] == " " else "☑ ", "bullet")
        frame.first = (box,)
        frame.rest = (Run(" " * cells([box])),)
        self._rest = None
        return task.end() + 1

    # -- other blocks

    def heading(self, text: str, level: int, *, gap: bool) -> None:
        self._block(gap)
        self._draw(wrap(inline(text, self._references, f"h{level}"), self._room()))

    def rule(self, *, gap: bool) -> None:
        self._block(gap)
        self._emit(Row((Run("─" * self._room(), "rule"),)))

    def html_line(self, text: str, *, first: bool, gap: bool) -> None:
        if first:
            self._block(gap)
        self._draw(wrap([Run(clean(text.expandtabs(4)), "html")], self._room()))

    def table_row(self, source: str) -> None:
        table = self._table
        assert table is not None
        row = self._cells(source, len(table.head))
        if self._forked:
            self._draw(table.draw_row(row, table.size))
            return
        if table.settled:
            self._redraw_table()
        if table.add(row):
            self._table_stale = True
        elif not self._table_stale:
            self._draw(table.draw_row(row, table.size - 1))

    def _redraw_table(self) -> None:
        if self._table_stale and self._table is not None:
            self._table_stale = False
            self._truncate(self._table_start)
            self._draw(self._table.draw())

    def _cells(self, source: str, count: int) -> list[Cell]:
        """The cells of a row: missing ones are empty, excess ones are ignored (GFM, "Tables")."""
        sources = split_row(source)[:count]
        found = [inline(cell, self._references) for cell in sources]
        return found + [[] for _ in range(count - len(found))]

    def open_code(self, language: str, *, fenced: bool, gap: bool) -> None:
        self._block(gap)
        coloured = self.patient or not language or lexers.loaded(language)
        if not coloured:
            self.uncoloured.append(language)
        self._lexer = LineLexer(language, coloured=coloured)
        if fenced:
            room = self._room()
            label = clean(language)[: max(0, room - len(_COPY) - 3)]
            space = " " * max(1, room - 2 - cells([Run(label)]) - len(_COPY))
            copy = Run(_COPY, "block label", f"code:{self._code_blocks}")
            self._emit_code((Run(label, "block label"), Run(space, "block"), copy))
        self._code_blocks += 1

    def code_line(self, text: str) -> None:
        assert self._lexer is not None
        for row in fold(self._lexer.line(text), max(1, self._room() - 2)):
            self._emit_code(row.runs, row.glue)
        self.steps += self._lexer.tries // TRIES_PER_STEP

    def close_leaf(self) -> None:
        self._redraw_table()
        self._lexer = self._table = None

    # -- drawing

    def _push(self, frame: _Frame) -> None:
        self._frames.append(frame)
        self._rest = None

    def _block(self, gap: bool) -> None:
        """Part a block from the one before it in the same container."""
        frame = self._frames[-1]
        if frame.filled and (frame.separated or gap):
            bars = self._prefix(first=False)
            self.lines.append(Line(bars if any(not run.text.isspace() for run in bars) else ()))
        frame.filled = True

    def _draw(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._emit(row)

    def _emit(self, row: Row) -> None:
        prefix = self._prefix(first=True)
        self.lines.append(Line((*prefix, *row.runs), "", _length(prefix), row.glue))

    def _emit_code(self, runs: Iterable[Run], glue: str = "\n") -> None:
        prefix = self._prefix(first=True)
        self.lines.append(Line((*prefix, _PAD, *runs), "block", _length(prefix) + 1, glue))

    def _truncate(self, size: int) -> None:
        if size < len(self.lines):
            del self.lines[size:]
            self.changed = min(self.changed, size)

    def _room(self) -> int:
        """Cells between the frames and the right edge."""
        return self.width - cells(self._prefix(first=False))

    def _prefix(self, *, first: bool) -> tuple[Run, ...]:
        """What the frames draw on the next line; `first`: which is drawn now, so that bullets are used up."""
        if self._rest is None:
            self._rest = self._joined([frame.rest for frame in self._frames])
        if not first or self._frames[-1].used:
            return self._rest
        prefix = self._joined([frame.rest if frame.used else frame.first for frame in self._frames])
        for frame in self._frames:
            frame.used = True
        return prefix

    def _joined(self, parts: list[tuple[Run, ...]]) -> tuple[Run, ...]:
        """Side by side, from the inside out as many as leave room for text."""
        room = max(self.width - MIN_WIDTH, self.width // 3)
        joined: tuple[Run, ...] = ()
        for part in reversed(parts):
            room -= cells(part)
            if room < 0:
                break
            joined = part + joined
        return joined


def _length(runs: tuple[Run, ...]) -> int:
    return sum(len(run.text) for run in runs)


def _after(lines: list[str], line: int, column: int) -> str:
    """The text of the lines behind a position."""
    return "\n".join([lines[line][column:], *lines[line + 1 :]])


def _advance(paragraph: _OpenParagraph, count: int) -> None:
    """Move the final part of a paragraph on by so many characters."""
    lines = paragraph.source.lines
    while count > len(lines[paragraph.line]) - paragraph.column:
        count -= len(lines[paragraph.line]) - paragraph.column + 1
        paragraph.line += 1
        paragraph.column = 0
    paragraph.column += count
