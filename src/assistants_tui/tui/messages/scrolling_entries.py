"""The scrolling part of the view of messages: draws the lines in sight and keeps the reader's place.

A widget for every message or paragraph makes a long thread slow to open and a fast answer slow to show. Here
only the messages in sight are drawn at all; the others have an estimated height until they are seen.
"""

from collections.abc import Iterable
from time import thread_time

from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from assistants_tui.tui.frame_timer import DrawingTime, FrameTimer

from .entry_list import EntryList
from .line_painter import GUTTER, LinePainter
from .line_selection import selected_part
from .message_body import MessageItem
from .message_entry import MessageEntry
from .reading_place import ReadingPlace

MAX_WIDTH = 120
"""Cells that text takes at most: longer lines are hard to read."""


class ScrollingEntries(ScrollView):
    """Shows messages and scrolls through them; see the module for how."""

    DEFAULT_CSS = """
    ScrollingEntries {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """

    empty_text: reactive[str] = reactive("")
    """What is shown, centred, when there are no messages."""

    class SightChanged(Message):
        """The height, what is in sight, or `complete` is another than it was."""

        def __init__(self, view: "ScrollingEntries") -> None:
            super().__init__()
            self.view = view

    class OlderWanted(Message):
        """The reader has come near the oldest message that is loaded; answer with `prepend`."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._time = DrawingTime()
        self._frames = FrameTimer(self, self._draw_frame)
        self._entries = EntryList(self._time.used_up)
        self._place = ReadingPlace(self._entries)
        self._painter = LinePainter(self)
        self._older = False  # there are messages above these
        self._older_asked = False
        self._told: tuple[int, int, bool] | None = None  # height, top line, and whether complete

    # -- what is shown

    @property
    def items(self) -> list[MessageItem]:
        """The messages, oldest first."""
        return [entry.item for entry in self._entries]

    @property
    def at_end(self) -> bool:
        """Whether the view follows the end of the thread."""
        return self._place.at_end

    @property
    def top_message(self) -> str | None:
        """The ID of the message at the top edge; None while the view follows the end."""
        return None if self._place.at_end or self._place.top is None else self._place.top.item.id

    @property
    def updating(self) -> bool:
        """Whether something that was handed over is not shown yet."""
        return self._frames.pending

    @property
    def complete(self) -> bool:
        """Whether the messages that have been in sight are drawn to their ends, or there are none."""
        return self._entries.complete

    @property
    def end_in_sight(self) -> bool:
        """Whether all is drawn, and the end of the last message is in sight."""
        return self.complete and self._place.at_end and bool(self._entries.width and self.size.height)

    @property
    def drawn(self) -> int:
        """How many messages have their lines in memory."""
        return self._entries.drawn

    def set_items(self, items: Iterable[MessageItem], *, older: bool) -> None:
        """Show these messages, from their end. `older`: more can be loaded above them."""
        self._entries.set_items(items)
        self._place.reset()
        self._older, self._older_asked = older, False
        self._look_again()

    def prepend(self, items: Iterable[MessageItem], *, older: bool) -> None:
        """Put older messages before the others; what the reader sees stays where it is."""
        self._entries.prepend(items)
        self._older, self._older_asked = older, False
        self._look_again()

    def upsert(self, item: MessageItem) -> None:
        """Add a message at the end, or show a newer state of one. While text grows, only what is new is
        drawn.

        Calls are cheap, however many come: what is new is drawn with the next frame.
        """
        if self._entries.upsert(item):
            self._frames.request()

    def remove_item(self, item_id: str) -> None:
        """Take a message out; unknown IDs are ignored."""
        if (entry := self._entries.find(item_id)) is not None:
            self._removed(entry, self._entries.remove(entry))
            self._settle()

    def _removed(self, entry: MessageEntry, neighbour: MessageEntry | None) -> None:
        self._place.leave(entry, neighbour)

    def read_from(self, item_id: str) -> None:
        """Put a message at the top edge; nothing happens if there is none."""
        if (entry := self._entries.find(item_id)) is not None:
            self._place.hold(entry)
            self._entries.moved = True
            self._look_again()

    def mark(self, text: str) -> None:
        """Highlight a text wherever it is shown, whatever its case; nothing with an empty text."""
        self._painter.mark(text)
        self._entries.forget_strips()
        self.refresh()

    # -- scrolling

    def _look_again(self) -> None:
        """Draw and show what is in sight now; there is time for it."""
        self._time.renew()
        self._settle()

    def _settle(self) -> None:
        """Measure what is in sight, put the view back to where the reader is, and paint what has changed."""
        height = self.size.height
        if not self._entries.width or not height:
            return
        y = self._place.settle(height)
        self._go_to(y)
        if len(self._entries):
            self._ask_for_older(y)
        self._entries.forget_unseen(max(32, 2 * height))
        complete = self.complete
        if not complete:
            self._frames.request()
        if (told := (self._entries.heights.total, y, complete)) != self._told:
            self._told = told
            self.post_message(self.SightChanged(self))

    def _go_to(self, y: int) -> None:
        """Scroll without asking anybody, and repaint if anything is in another place now."""
        size = Size(self.size.width, max(self._entries.heights.total, self.size.height))
        if size != self.virtual_size:
            # assigning it would lay out the whole screen again
            self.set_reactive(Widget.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
        if self._entries.moved or y != self.scroll_offset.y:
            self._entries.moved = False
            self.refresh(self.size.region)
        self.set_reactive(Widget.scroll_y, float(y))
        self.set_reactive(Widget.scroll_target_y, float(y))
        self.vertical_scrollbar.position = y

    def _ask_for_older(self, y: int) -> None:
        if self._older and not self._older_asked and y < self.size.height:
            self._older_asked = True
            self.post_message(self.OlderWanted())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The user has scrolled: the true place follows from where the view was."""
        old, new = round(old_value), round(new_value)
        if old == new or not len(self._entries) or not self._entries.width:
            self.vertical_scrollbar.position = new_value
            return
        self._time.renew()
        self._place.scroll(new - old, new, self.size.height)
        self._entries.moved = True
        self._settle()

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: object) -> None:
        """Scroll to a line, at once: the lines in between may not be known."""
        if y is not None:
            self.scroll_target_y = self.scroll_y = y

    def scroll_home(self, **options: object) -> None:
        """Go to the oldest loaded message."""
        if len(self._entries):
            self._place.hold(self._entries[0])
            self._look_again()

    def scroll_end(self, **options: object) -> None:
        """Go to the end of the thread and follow it."""
        self._place.at_end = True
        self._look_again()

    def on_resize(self) -> None:
        bar = self.styles.scrollbar_size_vertical
        width = max(1, min(MAX_WIDTH, self.size.width - bar - GUTTER - 1))
        self._entries.moved = True
        self._time.renew()
        if width != self._entries.width:
            self._place.set_width(width)
            self._lines_renumbered()
        self._settle()

    def _lines_renumbered(self) -> None:
        """Lines have other numbers than they had: what was selected by them is not any more."""

    # -- drawing and painting

    def _collect(self) -> None:
        """Take over what has changed since the last frame; called before each one that was asked for.

        Nothing to do for a view whose owner calls `upsert` by itself.
        """

    def _draw_frame(self) -> bool:
        """Bring the drawn messages up to date. Whether some are still to be drawn."""
        self._collect()
        self._time.renew()
        height = self.size.height
        first = self._entries.draw_changes(
            lambda entry, before, now: self._place.note_growth(entry, before, now, height)
        )
        if self._place.can_find and self._place.find(self.scroll_offset.y, height):
            self._entries.moved = True
        self._settle()
        above = max(0, first - self.scroll_offset.y)
        if above < height:
            self.refresh(Region(0, above, self.size.width, height - above))
        return self._entries.behind

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget_styles()
        self._entries.forget_strips()

    def watch_empty_text(self) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        started = thread_time()
        strip = self._line(y)
        self._frames.spend(thread_time() - started)
        return strip

    def _line(self, y: int) -> Strip:
        entries = self._entries
        heights, line = entries.heights, y + self.scroll_offset.y
        if line >= heights.total or not entries.width:
            return self._painter.blank() if len(entries) else self._painter.centred(self.empty_text, y)
        place, row = heights.at(line)
        entry = entries[place]
        under_cursor = self._under_cursor(entry)
        selection = self.text_selection
        selected = None if selection is None else selected_part(selection, entry, row)
        if selected is None and (painted := entry.strips.get((row, under_cursor))) is not None:
            return painted
        entries.measure(place)
        return self._painter.line(entry, row, entries.width, under_cursor=under_cursor, selected=selected)

    def _under_cursor(self, entry: MessageEntry) -> bool:
        """Whether to paint an entry as the chosen one."""
        return False
