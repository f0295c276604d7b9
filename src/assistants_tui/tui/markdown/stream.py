"""Markdown to lines, at once or while it arrives."""

import re
from collections.abc import Callable, Iterator

from .block_types import Fence, Html, Indented, References
from .blocks import BlockParser
from .code import lexers
from .layout import Layout
from .lines import Line, Run
from .open_blocks import OpenBlocks

MAX_LINES = 50_000
"""Lines after which a text is not drawn any further: nobody scrolls there, and memory is finite."""
LEFT_OUT = "… The rest is too long to be shown here. A copy has all of it."
STEP = 2000
"""Characters that are read before others get their turn; see `Layout.steps` for code."""
LINE_STEPS = 20
"""What a line costs besides its characters."""
MAX_LINE = 4000
"""Characters of a line that is no text of a paragraph; what is longer goes on as another line."""

# A line that consists of markers so far may still become anything: a dash is a list item, a heading, a rule
# or the head of a table. It is shown when it is decided.
_UNDECIDED = re.compile(r"[-+*_=#>`~|:.)0-9\s]*$|[>\s]*(?:`{3,}|~{3,})[^`]*$")
_UNDECIDED_IN_CODE = re.compile(r"[>\s]*[`~]*\s*$")


class IncrementalMarkdown:
    """The lines of a Markdown text that grows.

    `feed` only takes note of text, `end` says that no more will come, `flush` brings the lines up to date.
    However the text was cut, the lines at the end are those of `render`. Until then the last line of the
    text is shown as far as it can be told what it is, a table keeps its columns until a row is complete, and
    a link reference works below its definition only.

    The work is done in steps of bounded size, whatever the text is, and `flush` may stop between two of them.
    All in all it follows the size of the text. What is drawn again is short, a table that gets wider columns
    and a paragraph that turns out to be something else, or is drawn again once: a text with link references,
    and one with code whose lexer was not loaded in time.
    """

    def __init__(self, width: int, *, breaks: bool = False) -> None:
        self.width = width
        self.breaks = breaks
        self._chunks: list[str] = []
        self.ended = False
        """No more text will come."""
        self._drawing = _Drawing(width, breaks)
        self._again: _Drawing | None = None  # of the same text, knowing more; shown once it is as far

    def __len__(self) -> int:
        return len(self._drawing)

    def __getitem__(self, index: int) -> Line:
        return self._drawing[index]

    def __iter__(self) -> Iterator[Line]:
        return iter(self._drawing)

    @property
    def behind(self) -> bool:
        """Whether another `flush` has something to do."""
        return self._drawing.behind or self._again is not None or bool(self._drawing.uncoloured)

    def feed(self, text: str) -> None:
        """Add text at the end."""
        self._chunks.append(text)
        self._newest.feed(text)

    def end(self) -> None:
        """Say that the text is complete."""
        self.ended = True
        self._newest.end()

    def flush(self, enough: Callable[[], bool] | None = None) -> int:
        """Draw what has been fed. The lines from the returned index on may have changed.

        `enough` is asked before each step; once it is true, the rest is left for the next call (`behind`), as
        it also is while the lexer of a code block has to be loaded. Without it, everything is drawn.
        """
        changed = len(self)
        if self._again is None:
            changed = self._drawing.flush(enough)
        while self._again is not None or self._may_improve(patient=enough is None):
            again = self._again = self._begin_again() if self._again is None else self._again
            again.flush(enough)
            if again.behind:
                break
            self._drawing, self._again, changed = again, None, 0
        return changed

    def finish(self) -> int:
        """The text is complete, draw all of it. The lines from the returned index on may have changed."""
        self.end()
        return self.flush()

    @property
    def _newest(self) -> "_Drawing":
        return self._drawing if self._again is None else self._again

    def _may_improve(self, *, patient: bool) -> bool:
        """Whether the same text would look better if it was drawn now."""
        now = self._drawing
        coloured = bool(now.uncoloured) and (patient or all(map(lexers.loaded, now.uncoloured)))
        return coloured or (now.closed and bool(now.references) and not now.linked)

    def _begin_again(self) -> "_Drawing":
        now = self._drawing
        again = _Drawing(self.width, self.breaks, now.references if now.closed else None)
        again.feed("".join(self._chunks))
        if self.ended:
            again.end()
        return again


class _Drawing:
    """A text as far as it is drawn. With `references`, those of the whole text, all its links work."""

    def __init__(self, width: int, breaks: bool, references: References | None = None) -> None:
        self.linked = references is not None
        self.references = {} if references is None else references
        self.closed = False
        """All is drawn, and no more will come."""
        self._layout = Layout(width, self.references, breaks=breaks)
        self._parser = BlockParser(OpenBlocks(self._layout, self.references))
        self._new: list[str] = []
        self._ended = False
        self._text = ""  # what is not read yet, from...
        self._at = 0  # ...here on
        self._line = ""  # the incomplete last line, unless it is already read
        self._reading = False  # the incomplete last line is read as text of a paragraph
        self._return = False  # the last character was a carriage return
        self._tail: list[Line] = []
        self._full = False  # more lines are not drawn

    def __len__(self) -> int:
        return len(self._layout.lines) + len(self._tail)

    def __getitem__(self, index: int) -> Line:
        final = self._layout.lines
        return final[index] if 0 <= index < len(final) else self._tail[index - len(final)]

    def __iter__(self) -> Iterator[Line]:
        yield from self._layout.lines
        yield from self._tail

    @property
    def behind(self) -> bool:
        """Whether something is not drawn."""
        return bool(self._new) or self._at < len(self._text) or (self._ended and not self.closed)

    @property
    def uncoloured(self) -> list[str]:
        """The languages of code that was drawn without colours because their lexers were not loaded."""
        return self._layout.uncoloured

    def feed(self, text: str) -> None:
        if text and not self._full:
            self._new.append(text)

    def end(self) -> None:
        self._ended = True

    def flush(self, enough: Callable[[], bool] | None) -> int:
        """See `IncrementalMarkdown.flush`."""
        if not self.behind:
            return len(self)
        layout = self._layout
        layout.patient = enough is None
        layout.changed = len(layout.lines)
        self._take_new()
        while self._at < len(self._text) and not (enough is not None and enough()):
            self._step()
        if self._ended and self._at == len(self._text):
            self._close()
        else:
            self._draw_tail()
        return layout.changed

    def _take_new(self) -> None:
        """Add the new text to what is to be read."""
        text = "".join(self._new)
        self._new.clear()
        if self._return and text.startswith("\n"):
            text = text[1:]
        if text:
            self._return = text.endswith("\r")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._text = self._text[self._at :] + text.replace("\0", "\ufffd")
        self._at = 0

    def _step(self) -> None:
        """Read about as many characters as `STEP`, and draw what no more text can change."""
        layout = self._layout
        stop = layout.steps + STEP
        while self._at < len(self._text) and layout.steps < stop:
            if len(layout.lines) > MAX_LINES:
                self._leave_out()
                break
            room = STEP if self._reading else MAX_LINE - len(self._line)
            end = self._text.find("\n", self._at, self._at + room)
            piece = self._text[self._at : end if end >= 0 else self._at + room]
            self._at += len(piece) + (end >= 0)
            layout.steps += len(piece) + LINE_STEPS
            if self._reading:
                self._parser.extend(piece)
            else:
                self._line += piece
            if end >= 0 or len(self._line) >= MAX_LINE:
                self._end_line(broken=end < 0)
        layout.settle()

    def _leave_out(self) -> None:
        """Say that the rest is not drawn."""
        self._text, self._at, self._line, self._reading = "", 0, "", False
        self._parser.close()
        self._layout.lines.append(Line((Run(LEFT_OUT, "html"),)))
        self._full = True

    def _end_line(self, *, broken: bool = False) -> None:
        """The line is complete; or it is so long that what it is by now is what it stays."""
        if not self._reading:
            self._parser.line(self._line)
        self._line = ""
        self._reading = broken and self._parser.settled

    def _close(self) -> None:
        if self._line:
            self._end_line()
        self._parser.close()
        self._tail = []
        self.closed = True

    def _draw_tail(self) -> None:
        """Draw what is not final: the open paragraph and the incomplete line, as if they ended here."""
        layout = self._layout.fork()
        parser = self._parser.fork(layout)
        if self._line and not self._undecided():
            parser.line(self._line)
            if parser.settled:
                self._parser.line(self._line)
                self._line = ""
                self._reading = True
                self._layout.settle()
                layout = self._layout.fork()
                parser = self._parser.fork(layout)
        parser.close()
        self._tail = layout.lines

    def _undecided(self) -> bool:
        in_code = isinstance(self._parser.leaf, Fence | Indented | Html)
        return (_UNDECIDED_IN_CODE if in_code else _UNDECIDED).match(self._line) is not None


def render(source: str, width: int, *, breaks: bool = False) -> list[Line]:
    """The lines of a complete Markdown text, each at most `width` cells wide if the characters allow it.

    With `breaks` the line breaks within paragraphs are kept, as people mean them who type a message.
    """
    markdown = IncrementalMarkdown(width, breaks=breaks)
    markdown.feed(source)
    markdown.finish()
    return list(markdown)
