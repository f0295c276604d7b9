"""Markdown to lines, at once or while it arrives."""

import re
from collections.abc import Iterator

from .blocks import BlockParser, Fence, Html, Indented, References
from .layout import Layout
from .lines import Line

# A line that consists of markers so far may still become anything: a dash is a list item, a heading, a rule
# or the head of a table. It is shown when it is decided.
_UNDECIDED = re.compile(r"[-+*_=#>`~|:.)0-9\s]*$|[>\s]*(?:`{3,}|~{3,})[^`]*$")
_UNDECIDED_IN_CODE = re.compile(r"[>\s]*[`~]*\s*$")


class IncrementalMarkdown:
    """The lines of a Markdown text that grows.

    `feed` only takes note of text, `flush` brings the lines up to date, `finish` says that no more will come.
    However the text was cut, the lines after `finish` are those of `render`. Until then the last line of the
    text is shown as far as it can be told what it is, a table keeps its columns until a row is complete, and
    a link reference works below its definition only.

    The work of a flush follows the size of the new text; the exceptions are a table that gets wider columns
    and a paragraph that turns out to be a heading or the head of a table, which are drawn again.
    """

    def __init__(self, width: int, *, breaks: bool = False) -> None:
        self.width = width
        self.breaks = breaks
        self._chunks: list[str] = []
        self._new: list[str] = []
        self._finished = False
        self._start({})

    def _start(self, references: References) -> None:
        self._layout = Layout(self.width, references, breaks=self.breaks)
        self._parser = BlockParser(self._layout, references)
        self._line = ""  # the incomplete last line, unless it is already read
        self._reading = False  # the incomplete last line is read as text of a paragraph
        self._return = False  # the last character was a carriage return
        self._tail: list[Line] = []

    def __len__(self) -> int:
        return len(self._layout.lines) + len(self._tail)

    def __getitem__(self, index: int) -> Line:
        final = self._layout.lines
        return final[index] if 0 <= index < len(final) else self._tail[index - len(final)]

    def __iter__(self) -> Iterator[Line]:
        yield from self._layout.lines
        yield from self._tail

    def feed(self, text: str) -> None:
        """Add text at the end."""
        self._new.append(text)

    def flush(self) -> int:
        """Draw what has been fed. The lines from the returned index on may have changed."""
        if not self._new:
            return len(self)
        layout = self._layout
        layout.changed = len(layout.lines)
        self._read("".join(self._new))
        self._new.clear()
        layout.settle()
        self._draw_tail()
        return layout.changed

    def finish(self) -> int:
        """The text is complete. The lines from the returned index on may have changed."""
        if self._finished:
            return len(self)
        self._finished = True
        layout = self._layout
        layout.changed = len(layout.lines)
        self._read("".join(self._new))
        self._new.clear()
        self._close()
        if self._parser.references:
            # what was drawn before a definition was found did not know it
            self._start(self._parser.references)
            self._consume("".join(self._chunks))
            self._close()
            return 0
        self._chunks.clear()
        return layout.changed

    def _read(self, text: str) -> None:
        self._chunks.append(text)
        self._consume(text)

    def _consume(self, text: str) -> None:
        """Read complete lines, and keep the rest."""
        if not text:
            return
        if self._return and text[0] == "\n":
            text = text[1:]
        self._return = text.endswith("\r")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        *lines, rest = text.replace("\0", "\ufffd").split("\n")
        for line in lines:
            self._read_line(line)
            self._line = ""
            self._reading = False
        if self._reading:
            self._parser.extend(rest)
        else:
            self._line += rest

    def _read_line(self, end: str) -> None:
        if self._reading:
            self._parser.extend(end)
        else:
            self._parser.line(self._line + end)

    def _close(self) -> None:
        if self._line:
            self._read_line("")
        self._line = ""
        self._parser.close()
        self._tail = []

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
