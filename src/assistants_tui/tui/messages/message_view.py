"""The messages of a thread as one widget that draws lines.

A widget for every message or paragraph makes a long thread slow to open and a fast answer slow to show. Here
only the messages in sight are drawn at all; the others have an estimated height until they are seen. What the
reader looks at stays where it is when an estimate is corrected, older messages arrive, or an answer grows
somewhere else: the view holds on to the message at its top edge, or to the end of the thread when the reader
is there.
"""

import re
from collections.abc import Iterable, Sequence
from time import perf_counter, thread_time
from typing import ClassVar, Literal

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from assistants_tui.tui.markdown import CodeBlock, Run, code_blocks
from assistants_tui.tui.text.excerpts import shortened
from assistants_tui.tui.text.safety import clean

from .heights import Heights
from .line_selection import highlighted, joined
from .message_body import MessageBody, MessageItem, Note, estimated_height
from .message_entry import MessageEntry
from .run_styles import RunStyles

__all__ = ["MessageItem", "MessageView", "Note"]

GUTTER = 2
"""Cells to the left of the text, for the bar of the user's messages and the cursor."""
MAX_WIDTH = 120
"""Cells that text takes at most: longer lines are hard to read."""
FRAME = 1 / 30
"""Seconds between updates while text streams in."""
SHARE = 0.25
"""The part of the processor's time that updates may take; when they get slow, they become fewer."""
SLOWEST = 0.25
"""Seconds between updates at most, however slow they are."""
BUSY = 0.04
"""Seconds of computing after which drawing lets keys have their turn, at the end of one of its steps."""
WALK = 4
"""Scrolling by up to so many screens goes line by line over the true heights, farther by the estimates."""
MAX_STRIPS = 400
"""Painted lines that are kept of a message: a few screens of a very long one."""
_LINES = 1 << 20  # more than a message has: the place of a line in a selection is message * _LINES + line


class MessageView(ScrollView, can_focus=True):
    """Shows the messages of a thread; see the module for how."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_lines(-1)", show=False, id="messages.line_up", tooltip="One line up"),
        Binding("down", "scroll_lines(1)", show=False, id="messages.line_down", tooltip="One line down"),
        Binding("k,ctrl+up", "cursor(-1)", show=False, id="messages.previous", tooltip="Previous message"),
        Binding("j,ctrl+down", "cursor(1)", show=False, id="messages.next", tooltip="Next message"),
        Binding("pageup,ctrl+u", "scroll_pages(-1)", show=False, id="messages.page_up", tooltip="Page up"),
        Binding(
            "pagedown,ctrl+d", "scroll_pages(1)", show=False, id="messages.page_down", tooltip="Page down"
        ),
        Binding("home,g", "first", show=False, id="messages.first", tooltip="Oldest loaded message"),
        Binding("end,G", "last", show=False, id="messages.last", tooltip="Jump to the end"),
        Binding("enter,o", "open", "Open", id="messages.open", tooltip="Open a link, note or file"),
        Binding("y,c", "copy", "Copy", id="messages.copy", tooltip="Copy the message"),
        Binding("Y,C", "copy_code", show=False, id="messages.copy_code", tooltip="Copy a code block"),
    ]
    DEFAULT_CSS = """
    MessageView {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """
    ALLOW_SELECT = True

    empty_text: reactive[str] = reactive("")
    """What is shown, centred, when there are no messages."""

    class SightChanged(Message):
        """The height, what is in sight, or `complete` is another than it was."""

        def __init__(self, view: "MessageView") -> None:
            super().__init__()
            self.view = view

    class OlderWanted(Message):
        """The reader has come near the oldest message that is loaded; answer with `prepend`."""

    class NoteOpened(Message):
        """A note with a target was chosen."""

        def __init__(self, item_id: str, note: Note) -> None:
            super().__init__()
            self.item_id = item_id
            self.note = note

    class LinkOpened(Message):
        """A link to an http or https address was chosen. Nothing has been opened."""

        def __init__(self, url: str) -> None:
            super().__init__()
            self.url = url

    class OpenWanted(Message):
        """The user wants to open something of a message that has several links and notes to open, or none."""

        def __init__(self, item: MessageItem, links: Sequence[str], notes: Sequence[Note]) -> None:
            super().__init__()
            self.item = item
            self.links = links
            self.notes = notes

    class CopyWanted(Message):
        """A text is to be put on the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class CodeWanted(Message):
        """The user wants to copy code of a message that has several code blocks, or none."""

        def __init__(self, item: MessageItem, blocks: Sequence[CodeBlock]) -> None:
            super().__init__()
            self.item = item
            self.blocks = blocks

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._entries: list[MessageEntry] = []
        self._places: dict[str, int] = {}  # indices by message ID
        self._heights = Heights()
        self._drawn: dict[int, MessageEntry] = {}  # entries that have a body by serial, the latest used last
        self._older = False
        self._older_asked = False
        self._text_width = 0
        self._at_end = True
        self._anchor: MessageEntry | None = None  # the message at the top edge
        self._anchor_line = 0
        self._reached: Literal["directly", "upwards", "downwards"] = "directly"  # how the anchor was
        self._moved = False  # something may be in another place than it was painted
        self._cursor: MessageEntry | None = None
        self._told: tuple[int, int, bool] | None = None  # height, top line, and whether complete
        self._stale: set[str] = set()  # IDs of messages whose body is older than they are
        self._timer: Timer | None = None
        self._updated = 0.0  # when, and
        self._cost = 0.0  # seconds of computing that updating and painting took since then
        self._busy_until = 0.0
        self._sought: tuple[MessageEntry, str | float] | None = None  # a text, or how far down, in a message
        self._styles_of_runs = RunStyles(self)
        self._needle: re.Pattern[str] | None = None  # what is highlighted

    # -- what is shown

    @property
    def items(self) -> list[MessageItem]:
        """The messages, oldest first."""
        return [entry.item for entry in self._entries]

    @property
    def selected_item(self) -> MessageItem | None:
        """The message under the cursor."""
        return self._cursor.item if self._cursor else None

    @property
    def at_end(self) -> bool:
        """Whether the view follows the end of the thread."""
        return self._at_end

    @property
    def top_message(self) -> str | None:
        """The ID of the message at the top edge; None while the view follows the end."""
        return None if self._at_end or self._anchor is None else self._anchor.item.id

    def read_from(self, item_id: str) -> None:
        """Put a message at the top edge; nothing happens if there is none."""
        if (place := self._places.get(item_id)) is not None:
            self._hold(self._entries[place], 0)
            self._moved = True
            self._take_turn()
            self._settle()

    @property
    def updating(self) -> bool:
        """Whether something that was handed over is not shown yet."""
        return self._timer is not None

    @property
    def complete(self) -> bool:
        """Whether the messages that have been in sight are drawn to their ends, or there are none."""
        if self._entries and not self._drawn:
            return False
        return not self._stale and not self._behind

    @property
    def _behind(self) -> bool:
        return any(entry.body is not None and entry.body.behind for entry in self._drawn.values())

    @property
    def end_in_sight(self) -> bool:
        """Whether all is drawn, and the end of the last message is in sight."""
        return self.complete and self._at_end and bool(self._text_width and self.size.height)

    @property
    def drawn(self) -> int:
        """How many messages have their lines in memory."""
        return len(self._drawn)

    def set_items(self, items: Iterable[MessageItem], *, older: bool) -> None:
        """Show these messages, from their end. `older`: more can be loaded above them."""
        unique = {item.id: item for item in items}
        self._entries = [MessageEntry(item, serial) for serial, item in enumerate(unique.values())]
        self._drawn.clear()
        self._stale.clear()
        self._older, self._older_asked = older, False
        self._at_end, self._anchor, self._cursor, self._sought = True, None, None, None
        self._moved = True
        self._take_turn()
        self._count_places()
        self._estimate()
        self._clear_selection()
        self._settle()

    def prepend(self, items: Iterable[MessageItem], *, older: bool) -> None:
        """Put older messages before the others; what the reader sees stays where it is."""
        new = [item for item in {i.id: i for i in items}.values() if item.id not in self._places]
        first = self._entries[0].serial if self._entries else 0
        self._entries[:0] = [MessageEntry(item, first - len(new) + place) for place, item in enumerate(new)]
        self._heights.prepend(self._estimated(item) for item in new)
        self._older, self._older_asked = older, False
        self._take_turn()
        self._count_places()
        self._settle()

    def upsert(self, item: MessageItem) -> None:
        """Add a message at the end, or show a newer state of one. While text grows, only what is new is
        drawn.

        Calls are cheap, however many come: the view is brought up to date about thirty times a second.
        """
        place = self._places.get(item.id)
        if place is None:
            serial = self._entries[-1].serial + 1 if self._entries else 0
            self._places[item.id] = len(self._entries)
            if self._at_end and self._entries and self._cursor is self._entries[-1]:
                self._cursor = None  # it follows the end as the view does
            self._entries.append(MessageEntry(item, serial))
            self._heights.append(self._estimated(item))
        elif self._entries[place].item == item:
            return
        else:
            self._entries[place].item = item
        self._stale.add(item.id)
        self._schedule()

    def remove_item(self, item_id: str) -> None:
        """Take a message out; unknown IDs are ignored."""
        place = self._places.get(item_id)
        if place is None:
            return
        entry = self._entries.pop(place)
        del self._heights[place]
        self._drawn.pop(entry.serial, None)
        self._stale.discard(item_id)
        self._count_places()
        neighbour = self._entries[min(place, len(self._entries) - 1)] if self._entries else None
        if entry is self._anchor:
            self._anchor, self._anchor_line = neighbour, 0
        if entry is self._cursor:
            self._cursor = neighbour
        self._moved = True
        self._settle()

    def mark(self, text: str) -> None:
        """Highlight a text wherever it is shown, whatever its case; nothing with an empty text."""
        self._needle = re.compile(re.escape(text), re.IGNORECASE) if text else None
        for entry in self._drawn.values():
            entry.strips.clear()
        self.refresh()

    def reveal(self, item_id: str, text: str = "") -> bool:
        """Put the cursor on a message and show it where `text` stands in it. False if there is none."""
        place = self._places.get(item_id)
        if place is None or not self._text_width:
            return place is not None
        entry = self._cursor = self._entries[place]
        self._reveal(place)
        if text:
            self._sought = entry, text.casefold()
            self._seek()
        self.refresh()
        return True

    def _seek(self) -> None:
        """Show the place that is looked for, once it is drawn."""
        if self._sought is None:
            return
        entry, place = self._sought
        body = entry.body
        if body is None or entry.item.id not in self._places:
            self._sought = None
            return
        if isinstance(place, str):
            row = next((row for row in range(len(body)) if place in body[row].text.casefold()), None)
        else:
            row = None if body.behind else int(place * len(body))
        if row is None:
            self._sought = self._sought if body.behind else None
            return
        self._sought = None
        line, top = self._heights.top(self._place(entry)) + row, self.scroll_offset.y
        if isinstance(place, float):
            self._anchor, self._anchor_line = entry, row
        elif not top <= line < top + self.size.height:
            self._hold(entry, max(0, row - self.size.height // 3))
            self._moved = True
            self._settle()

    def code_blocks(self, item_id: str) -> list[CodeBlock]:
        """The code blocks of a message as they were written."""
        place = self._places.get(item_id)
        return [] if place is None else code_blocks((item := self._entries[place].item).source or item.text)

    def links(self, item_id: str) -> list[str]:
        """The addresses that a message links to, each once, as far as it is drawn."""
        place = self._places.get(item_id)
        if place is None:
            return []
        self._take_turn()
        self._measure(place)
        self._settle()
        body = self._entries[place].body or ()
        found = (run.link for index in range(len(body)) for run in body[index].runs if run.link)
        return list(dict.fromkeys(link for link in found if not link.startswith(("code:", "note:"))))

    # -- geometry

    def _count_places(self) -> None:
        self._places = {entry.item.id: place for place, entry in enumerate(self._entries)}

    def _place(self, entry: MessageEntry) -> int:
        return self._places[entry.item.id]

    def _estimated(self, item: MessageItem) -> int:
        return estimated_height(item, self._text_width) if self._text_width else 1

    def _estimate(self) -> None:
        self._heights = Heights(self._estimated(entry.item) for entry in self._entries)

    def _measure(self, place: int) -> int:
        """The true height of a message, which is drawn for that if need be."""
        entry = self._entries[place]
        if entry.body is None:
            entry.body = MessageBody(entry.item, self._text_width, self._busy)
            self._stale.discard(entry.item.id)
            self._heights[place] = len(entry.body)
            self._moved = True  # it was never painted, even where its height was guessed right
        self._drawn.pop(entry.serial, None)
        self._drawn[entry.serial] = entry
        return self._heights[place]

    def _take_turn(self) -> None:
        """Something has happened that may need drawing: there is time for it now."""
        self._busy_until = thread_time() + BUSY

    def _busy(self) -> bool:
        """Whether drawing has taken the time that there was."""
        return thread_time() > self._busy_until

    def _forget_unseen(self) -> None:
        """Keep the lines of as many messages as fill a few screens."""
        spare = len(self._drawn) - max(32, 2 * self.size.height)
        for serial in list(self._drawn)[: max(0, spare)]:
            self._drawn.pop(serial).forget()

    def _settle(self) -> None:
        """Measure what is in sight, put the view back to where the reader is, and paint what has changed."""
        height = self.size.height
        if not self._text_width or not height:
            return
        y = 0 if self._at_end or self._anchor is None else self._fill_down(height)
        waits = False
        if self._at_end or self._anchor is None:
            y = self._fill_up(height)
            self._at_end = True
        elif y >= self._heights.total - height:
            last = self._entries[-1].body
            # what ends here so far is no end that the reader has gone to
            waits = self._reached == "directly" and last is not None and last.behind
            y = self._fill_up(height)
            self._at_end = not waits
        self._go_to(y)
        if self._entries:
            if not waits:
                place, self._anchor_line = self._heights.at(y)
                self._anchor = self._entries[place]
            self._ask_for_older(y)
            if self._cursor is None and self.has_focus:
                self._cursor = self._entries[self._last_in_sight()]
        self._forget_unseen()
        if self._behind:
            self._schedule()
        if (told := (self._heights.total, y, self.complete)) != self._told:
            self._told = told
            self.post_message(self.SightChanged(self))

    def _fill_up(self, height: int) -> int:
        """Measure messages from the last upwards until the view is full; the first line to show."""
        filled = 0
        for place in range(len(self._entries) - 1, -1, -1):
            filled += self._measure(place)
            if filled >= height:
                break
        return max(0, self._heights.total - height)

    def _fill_down(self, height: int) -> int:
        """Measure messages from the one at the top edge downwards; the first line to show."""
        assert self._anchor is not None
        place = self._place(self._anchor)
        left = height + min(self._anchor_line, self._measure(place) - 1)
        y = self._heights.top(place) + left - height
        while left > 0 and place < len(self._entries):
            left -= self._measure(place)
            place += 1
        return y

    def _go_to(self, y: int) -> None:
        """Scroll without asking anybody, and repaint if anything is in another place now."""
        size = Size(self.size.width, max(self._heights.total, self.size.height))
        if size != self.virtual_size:
            # assigning it would lay out the whole screen again
            self.set_reactive(Widget.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
        if self._moved or y != self.scroll_offset.y:
            self._moved = False
            self.refresh(self.size.region)
        self.set_reactive(Widget.scroll_y, float(y))
        self.set_reactive(Widget.scroll_target_y, float(y))
        self.vertical_scrollbar.position = y

    def _ask_for_older(self, y: int) -> None:
        if self._older and not self._older_asked and y < self.size.height:
            self._older_asked = True
            self.post_message(self.OlderWanted())

    def _hold(self, entry: MessageEntry, line: int) -> None:
        """Have a line of a message at the top edge, whatever the view showed before."""
        self._at_end, self._anchor, self._anchor_line, self._reached = False, entry, line, "directly"

    def _walk(self, lines: int) -> None:
        """Move the top edge by a number of lines over the real heights."""
        assert self._anchor is not None
        if lines > 0:
            self._reached = "downwards"
        place, line = self._place(self._anchor), self._anchor_line + lines
        while line < 0 and place > 0:
            place -= 1
            line += self._measure(place)
            self._reached = "upwards"
        while place < len(self._entries) - 1 and line >= self._measure(place):
            line -= self._measure(place)
            place += 1
        self._anchor, self._anchor_line = self._entries[place], max(0, line)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The user has scrolled: the true place follows from where the view was."""
        old, new = round(old_value), round(new_value)
        if old == new or not self._entries or not self._text_width:
            self.vertical_scrollbar.position = new_value
            return
        self._take_turn()
        if self._anchor is not None and abs(new - old) <= WALK * self.size.height:
            self._walk(new - old)
        else:
            place, line = self._heights.at(new)
            self._hold(self._entries[place], line)
        self._at_end, self._sought = False, None
        self._moved = True
        self._settle()

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: object) -> None:
        """Scroll to a line, at once: the lines in between may not be known."""
        if y is not None:
            self.scroll_target_y = self.scroll_y = y

    def scroll_home(self, **options: object) -> None:
        """Go to the oldest loaded message."""
        if self._entries:
            self._hold(self._entries[0], 0)
            self._take_turn()
            self._settle()

    def scroll_end(self, **options: object) -> None:
        """Go to the end of the thread and follow it."""
        self._at_end = True
        self._take_turn()
        self._settle()

    def on_resize(self) -> None:
        bar = self.styles.scrollbar_size_vertical
        width = max(1, min(MAX_WIDTH, self.size.width - bar - GUTTER - 1))
        self._moved = True
        self._take_turn()
        if width != self._text_width:
            anchor = self._anchor
            part = self._anchor_line / self._heights[self._place(anchor)] if anchor else 0
            self._text_width = width
            for entry in self._drawn.values():
                entry.forget()
            self._drawn.clear()
            self._estimate()
            self._clear_selection()
            if anchor:
                self._anchor_line = int(part * self._measure(self._place(anchor)))
                if not self._at_end and anchor.body is not None and anchor.body.behind:
                    self._sought = anchor, part
        self._settle()

    # -- keeping up

    def _schedule(self) -> None:
        """Have the view brought up to date with the next frame: at once, or later if one has just been drawn.

        Calls are cheap, however many come. This is the only place where events wait to be drawn.
        """
        if self._timer is None and self.is_mounted:
            due = self._updated + max(FRAME, min(self._cost / SHARE, SLOWEST)) - perf_counter()
            self._timer = self.set_timer(max(0.001, due), self._update)  # 0 is an error to Textual

    def _collect(self) -> None:
        """Take over what has changed since the last frame; called before each one that was asked for.

        Nothing to do for a view whose owner calls `upsert` by itself.
        """

    def _redraw(self, entry: MessageEntry, body: MessageBody, item: MessageItem | None = None) -> int:
        """Draw what has changed of a message, or what is left of it; the first line that has changed."""
        lines, place = len(body), self._place(entry)
        grows = body.behind and entry is self._anchor and self._reached == "upwards" and not self._at_end
        changed = body.draw(self._busy) if item is None else body.update(item, self._busy)
        entry.forget_strips(changed, lines)
        self._heights[place] = len(body)
        if grows and self._anchor_line + self.size.height > lines:
            self._anchor_line += max(0, len(body) - lines)  # what is below its end stays in sight
        return self._heights.top(place) + changed

    def _update(self) -> None:
        """Bring the drawn messages up to date."""
        try:
            self._collect()
        finally:
            self._timer = None
        started = thread_time()
        self._take_turn()
        first = self._heights.total
        for item_id in self._stale:
            if (place := self._places.get(item_id)) is None:
                continue
            entry = self._entries[place]
            if entry.body is None:
                self._heights[place] = self._estimated(entry.item)
            else:
                first = min(first, self._redraw(entry, entry.body, entry.item))
        for entry in reversed(self._drawn.values()):  # those in sight were used last
            if entry.body is not None and entry.body.behind:
                first = min(first, self._redraw(entry, entry.body))
        self._stale.clear()
        if self._sought is not None and (body := self._sought[0].body) is not None and not body.behind:
            self._seek()
        self._settle()
        above = max(0, first - self.scroll_offset.y)
        if above < self.size.height:
            self.refresh(Region(0, above, self.size.width, self.size.height - above))
        self._updated = perf_counter()
        self._cost = thread_time() - started

    # -- painting

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_of_runs.clear()
        for entry in self._drawn.values():
            entry.strips.clear()

    def _style(self, names: str, link: str = "") -> Style:
        return self._styles_of_runs.style(names, link)

    def render_line(self, y: int) -> Strip:
        started = thread_time()
        line = y + self.scroll_offset.y
        if not self._entries:
            strip = self._empty_line(y)
        elif line >= self._heights.total or not self._text_width:
            strip = Strip.blank(self.size.width, self._style(""))
        else:
            place, row = self._heights.at(line)
            strip = self._line(self._entries[place], place, row)
        self._cost += thread_time() - started
        return strip

    def _line(self, entry: MessageEntry, place: int, row: int) -> Strip:
        marked = entry is self._cursor and self.has_focus
        selected = self._selected(entry.serial * _LINES + row)
        if selected is None and (strip := entry.strips.get((row, marked))) is not None:
            return strip
        self._measure(place)
        assert entry.body is not None
        line = entry.body[row]
        runs: Sequence[Run] = line.runs
        if self._needle is not None:
            for match in self._needle.finditer(line.text):
                runs = highlighted(runs, *match.span(), style="found")
        if selected is not None:
            runs = highlighted(runs, *selected)
        last = row == len(entry.body) - 1
        if marked and not last:
            gutter = Segment("┃ ", self._style("cursor"))
        elif entry.item.from_user and not last:
            gutter = Segment("▎ ", self._style("gutter-user"))
        else:
            gutter = Segment("  ", self._style("gutter"))
        segments = [gutter, *(Segment(run.text, self._run_style(run)) for run in runs)]
        width = GUTTER + self._text_width
        strip = Strip(segments).adjust_cell_length(width, self._style(line.fill))
        strip = strip.adjust_cell_length(self.size.width, self._style(""))
        strip = strip.apply_offsets(-GUTTER, entry.serial * _LINES + row)
        if selected is None:
            if len(entry.strips) > MAX_STRIPS:
                entry.strips.clear()
            entry.strips[row, marked] = strip
        return strip

    def _run_style(self, run: Run) -> Style:
        return self._style(run.style, run.link)

    def _empty_line(self, y: int) -> Strip:
        width = self.size.width
        style = self._style("empty")
        lines = Content(clean(self.empty_text)).wrap(max(1, min(60, width - 4))) if self.empty_text else []
        row = y - (self.size.height - len(lines)) // 2
        if not 0 <= row < len(lines):
            return Strip.blank(width, style)
        text = lines[row].plain.rstrip()
        left = " " * max(0, (width - cell_len(text)) // 2)
        return Strip([Segment(left + text, style)]).adjust_cell_length(width, style)

    def watch_empty_text(self) -> None:
        self.refresh()

    # -- the cursor

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._settle()
        self.refresh()

    def _last_in_sight(self) -> int:
        """The message nearest to the lower edge that begins in sight."""
        top = self.scroll_offset.y
        place, row = self._heights.at(top + self.size.height - 1)
        return place if row == 0 or self._heights.top(place) >= top else min(place, len(self._entries) - 1)

    def action_cursor(self, step: int) -> None:
        """Put the cursor on another message and show its start."""
        if not self._entries:
            return
        if self._cursor is None:
            place = self._last_in_sight()
        else:
            place = max(0, min(len(self._entries) - 1, self._place(self._cursor) + step))
        self._cursor = self._entries[place]
        self._reveal(place)
        self.refresh()

    def _reveal(self, place: int) -> None:
        """Scroll no more than needed to show a message, from its start if it is long."""
        height, top = self.size.height, self.scroll_offset.y
        self._take_turn()
        size = self._measure(place)
        start = self._heights.top(place)
        body = self._entries[place].body
        behind = body is not None and body.behind  # it is longer than that
        if not behind and top <= start and start + size <= top + height:
            return
        self._hold(self._entries[place], 0)
        if not behind and start > top and size < height:
            self._walk(size - height)
        self._moved = True
        self._settle()

    def action_first(self) -> None:
        if self._entries:
            self._cursor = self._entries[0]
            self.scroll_home()
            self.refresh()

    def action_last(self) -> None:
        if self._entries:
            self._cursor = self._entries[-1]
            self.scroll_end()
            self.refresh()

    def action_scroll_lines(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines)

    def action_scroll_pages(self, pages: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + pages * max(1, self.size.height - 2))

    def action_open(self) -> None:
        """Open the one thing that the message points to, or ask which."""
        item = self.selected_item
        if item is None:
            return
        links = self.links(item.id)
        notes = [note for note in item.notes if note.target is not None]
        if len(links) == 1 and not notes:
            self.post_message(self.LinkOpened(links[0]))
        elif len(notes) == 1 and not links:
            self.post_message(self.NoteOpened(item.id, notes[0]))
        else:
            self.post_message(self.OpenWanted(item, links, notes))

    def action_copy(self) -> None:
        if (item := self.selected_item) is not None:
            self.post_message(self.CopyWanted(item.text))

    def action_copy_code(self) -> None:
        item = self.selected_item
        if item is None:
            return
        blocks = self.code_blocks(item.id)
        if len(blocks) == 1:
            self.post_message(self.CopyWanted(blocks[0].source))
        else:
            self.post_message(self.CodeWanted(item, blocks))

    # -- the mouse

    def on_click(self, event: events.Click) -> None:
        if not self._entries or self.text_selection is not None:
            return
        line = event.y + self.scroll_offset.y
        if line >= self._heights.total:
            return
        entry = self._entries[self._heights.at(line)[0]]
        self._cursor = entry
        self.refresh()
        link = event.style.meta.get("link")
        if isinstance(link, str):
            event.stop()
            self._follow(entry.item, link)

    def _follow(self, item: MessageItem, link: str) -> None:
        kind, _, number = link.partition(":")
        if kind == "note":
            self.post_message(self.NoteOpened(item.id, item.notes[int(number)]))
        elif kind == "code":
            self.post_message(self.CopyWanted(self.code_blocks(item.id)[int(number)].source))
        else:
            self.post_message(self.LinkOpened(link))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        link = event.style.meta.get("link")
        shown = link if isinstance(link, str) and not link.startswith(("code:", "note:")) else None
        self.tooltip = Content(clean(shortened(shown))) if shown else None

    # -- selecting text with the mouse

    def _clear_selection(self) -> None:
        if self.is_mounted and self.text_selection is not None:
            self.screen.clear_selection()

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def _selected(self, line: int) -> tuple[int, int] | None:
        """The selected part of a line as character positions; the second is -1 for its end."""
        selection = self.text_selection
        if selection is None:
            return None
        span = selection.get_span(line)
        return None if span is None else (max(0, span[0]), span[1])

    def text_select_all(self) -> None:
        """A double click selects the message, not the thread."""
        if self._cursor is not None:
            first = self._cursor.serial * _LINES
            last = first + self._heights[self._place(self._cursor)] - 2
            self.screen.selections = {self: Selection(Offset(0, first), Offset(_LINES, last))}

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text: messages that are selected as a whole as Markdown, others as they are shown,
        with wrapped lines joined.
        """
        if not self._entries:
            return None
        start, end = selection  # not to be tested for truth: the offset (0, 0) is false
        if start is None:
            start = Offset(0, self._entries[0].serial * _LINES)
        if end is None:
            end = Offset(_LINES, self._entries[-1].serial * _LINES + _LINES - 1)
        texts: list[str] = []
        for place, entry in enumerate(self._entries):
            first = entry.serial * _LINES
            if first + _LINES <= start.y or end.y < first:
                continue
            before = start.y < first or (start.y == first and start.x <= 0)
            if before and end.y > first + self._heights[place]:
                texts.append(f"{entry.item.author}\n{entry.item.text}\n\n")
                continue
            self._measure(place)
            assert entry.body is not None
            top = max(0, start.y - first)
            bottom = min(end.y - first, len(entry.body) - 1)
            spans = [
                (max(0, start.x) if first + row == start.y else 0, end.x if first + row == end.y else _LINES)
                for row in range(top, bottom + 1)
            ]
            texts.append(joined([entry.body[row] for row in range(top, bottom + 1)], spans))
        return "".join(texts), "\n"
