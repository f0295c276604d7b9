"""Lines of messages as strips: gutter, text in the colours of the theme, what is found and selected."""

import re
from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from assistants_tui.tui.markdown import Run
from assistants_tui.tui.text.safety import clean

from .line_selection import highlighted, line_number
from .message_entry import MessageEntry
from .text_styles import RunStyles

GUTTER = 2
"""Cells to the left of the text, for the bar of the user's messages and the cursor."""
MAX_STRIPS = 400
"""Painted lines that are kept of a message: a few screens of a very long one."""


class LinePainter:
    """Paints lines of entries for one widget. What it paints is kept in the entry until that changes."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles = RunStyles(widget)
        self._needle: re.Pattern[str] | None = None  # what is highlighted

    def mark(self, text: str) -> None:
        """Highlight a text wherever it is shown, whatever its case; nothing with an empty text.

        Strips that entries hold are from before that.
        """
        self._needle = re.compile(re.escape(text), re.IGNORECASE) if text else None

    def forget_styles(self) -> None:
        """The theme or the widget's own style has changed. Strips that entries hold are from before that."""
        self._styles.clear()

    def blank(self) -> Strip:
        """A line without text."""
        return Strip.blank(self._widget.size.width, self._styles.style(""))

    def centred(self, text: str, y: int) -> Strip:
        """Line `y` of the screen where it shows only a text, in its middle."""
        width, height = self._widget.size
        style = self._styles.style("empty")
        lines = Content(clean(text)).wrap(max(1, min(60, width - 4))) if text else []
        row = y - (height - len(lines)) // 2
        if not 0 <= row < len(lines):
            return Strip.blank(width, style)
        line = lines[row].plain.rstrip()
        left = " " * max(0, (width - cell_len(line)) // 2)
        return Strip([Segment(left + line, style)]).adjust_cell_length(width, style)

    def line(
        self,
        entry: MessageEntry,
        row: int,
        text_width: int,
        *,
        under_cursor: bool,
        selected: tuple[int, int] | None,
    ) -> Strip:
        """A line of an entry whose lines are at hand. `selected`: first and last character; -1: the end."""
        line, style = entry.body[row], self._styles.style
        runs: Sequence[Run] = line.runs
        if self._needle is not None:
            for match in self._needle.finditer(line.text):
                runs = highlighted(runs, *match.span(), style="found")
        if selected is not None:
            runs = highlighted(runs, *selected)
        segments = [
            self._gutter(entry, row, under_cursor=under_cursor),
            *(Segment(run.text, style(run.style, run.link)) for run in runs),
        ]
        strip = Strip(segments).adjust_cell_length(GUTTER + text_width, style(line.fill))
        strip = strip.adjust_cell_length(self._widget.size.width, style(""))
        strip = strip.apply_offsets(-GUTTER, line_number(entry, row))
        if selected is None:
            if len(entry.strips) > MAX_STRIPS:
                entry.strips.clear()
            entry.strips[row, under_cursor] = strip
        return strip

    def _gutter(self, entry: MessageEntry, row: int, *, under_cursor: bool) -> Segment:
        last = row == len(entry.body) - 1  # the blank line below
        if under_cursor and not last:
            return Segment("┃ ", self._styles.style("cursor"))
        if entry.item.from_user and not last:
            return Segment("▎ ", self._styles.style("gutter-user"))
        return Segment("  ", self._styles.style("gutter"))
