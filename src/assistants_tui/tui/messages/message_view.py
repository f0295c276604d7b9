"""The messages of a thread as one widget: a cursor, and what the reader does with the message under it."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.selection import Selection

from assistants_tui.tui.markdown import CodeBlock
from assistants_tui.tui.text.excerpts import shortened
from assistants_tui.tui.text.safety import clean

from .line_selection import selected_text, whole_message
from .message_body import MessageItem, Note
from .message_entry import MessageEntry
from .scrolling_entries import ScrollingEntries

__all__ = ["MessageItem", "MessageView", "Note"]


class MessageView(ScrollingEntries, can_focus=True):
    """Shows the messages of a thread. What is chosen is posted, and nothing is opened or copied here."""

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
    ALLOW_SELECT = True

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
        self._cursor: MessageEntry | None = None

    # -- the cursor

    @property
    def selected_item(self) -> MessageItem | None:
        """The message under the cursor."""
        return self._cursor.item if self._cursor else None

    def set_items(self, items: Iterable[MessageItem], *, older: bool) -> None:
        self._cursor = None
        super().set_items(items, older=older)
        self._lines_renumbered()

    def upsert(self, item: MessageItem) -> None:
        last = self._entries[-1] if len(self._entries) else None
        if self.at_end and self._cursor is last and self._entries.find(item.id) is None:
            self._cursor = None  # it follows the end as the view does
        super().upsert(item)

    def _removed(self, entry: MessageEntry, neighbour: MessageEntry | None) -> None:
        super()._removed(entry, neighbour)
        if entry is self._cursor:
            self._cursor = neighbour

    def _settle(self) -> None:
        super()._settle()
        shown = len(self._entries) and self._entries.width and self.size.height
        if self._cursor is None and self.has_focus and shown:
            self._cursor = self._entries[self._last_in_sight()]

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._settle()
        self.refresh()

    def _under_cursor(self, entry: MessageEntry) -> bool:
        return entry is self._cursor and self.has_focus

    def _last_in_sight(self) -> int:
        """The message nearest to the lower edge that begins in sight."""
        top, heights = self.scroll_offset.y, self._entries.heights
        place, row = heights.at(top + self.size.height - 1)
        return place if row == 0 or heights.top(place) >= top else min(place, len(self._entries) - 1)

    def reveal(self, item_id: str, text: str = "") -> bool:
        """Put the cursor on a message and show it where `text` stands in it. False if there is none."""
        entry = self._entries.find(item_id)
        if entry is None or not self._entries.width:
            return entry is not None
        self._cursor = entry
        self._show(entry)
        if text:
            self._place.seek(entry, text)
            if self._place.find(self.scroll_offset.y, self.size.height):
                self._entries.moved = True
                self._settle()
        self.refresh()
        return True

    def _show(self, entry: MessageEntry) -> None:
        """Scroll no more than needed to show a message, from its start if it is long."""
        height, top, place = self.size.height, self.scroll_offset.y, self._entries.place(entry)
        self._time.renew()
        size = self._entries.measure(place)
        start = self._entries.heights.top(place)
        if not entry.behind and top <= start and start + size <= top + height:
            return
        self._place.hold(entry)
        if not entry.behind and start > top and size < height:
            self._place.walk(size - height)
        self._entries.moved = True
        self._settle()

    def action_cursor(self, step: int) -> None:
        """Put the cursor on another message and show its start."""
        if not len(self._entries):
            return
        if self._cursor is None:
            place = self._last_in_sight()
        else:
            place = max(0, min(len(self._entries) - 1, self._entries.place(self._cursor) + step))
        self._cursor = self._entries[place]
        self._show(self._cursor)
        self.refresh()

    def action_first(self) -> None:
        if len(self._entries):
            self._cursor = self._entries[0]
            self.scroll_home()
            self.refresh()

    def action_last(self) -> None:
        if len(self._entries):
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
        line = event.y + self.scroll_offset.y
        if self.text_selection is not None or line >= self._entries.heights.total:
            return
        entry = self._entries[self._entries.heights.at(line)[0]]
        self._cursor = entry
        self.refresh()
        link = event.style.meta.get("link")
        if isinstance(link, str):
            event.stop()
            self._follow(entry, link)

    def _follow(self, entry: MessageEntry, link: str) -> None:
        kind, _, number = link.partition(":")
        if kind == "note":
            self.post_message(self.NoteOpened(entry.item.id, entry.item.notes[int(number)]))
        elif kind == "code":
            self.post_message(self.CopyWanted(entry.code_blocks[int(number)].source))
        else:
            self.post_message(self.LinkOpened(link))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        link = event.style.meta.get("link")
        shown = link if isinstance(link, str) and not link.startswith(("code:", "note:")) else None
        self.tooltip = Content(clean(shortened(shown))) if shown else None

    # -- what a message holds

    def code_blocks(self, item_id: str) -> list[CodeBlock]:
        """The code blocks of a message as they were written."""
        entry = self._entries.find(item_id)
        return [] if entry is None else entry.code_blocks

    def links(self, item_id: str) -> list[str]:
        """The addresses that a message links to, each once, as far as it is drawn."""
        entry = self._entries.find(item_id)
        if entry is None:
            return []
        self._time.renew()
        self._entries.measure(self._entries.place(entry))
        self._settle()
        return entry.links if entry.at_hand else []

    # -- selecting text with the mouse

    def _lines_renumbered(self) -> None:
        if self.is_mounted and self.text_selection is not None:
            self.screen.clear_selection()

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def text_select_all(self) -> None:
        """A double click selects the message, not the thread."""
        if self._cursor is not None:
            height = self._entries.heights[self._entries.place(self._cursor)]
            self.screen.selections = {self: whole_message(self._cursor, height)}

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, and what is to follow it."""
        return (selected_text(self._entries, selection), "\n") if len(self._entries) else None
