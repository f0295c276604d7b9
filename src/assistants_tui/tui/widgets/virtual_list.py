"""A list of one-line rows that costs the same for ten rows and ten thousand: only visible lines are drawn."""

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from assistants_tui.tui.text.excerpts import broken_after_slashes

Row = Callable[[int], Content]

MAX_CHARACTERS = 8
"""Characters of a row that are looked at, for each cell that it has."""


def _index_as_key(index: int) -> str:
    return str(index)


def _no_headers(_index: int) -> bool:
    return False


class VirtualList(ScrollView, can_focus=True):
    """Rows by number, a cursor that skips headings, and a text for when there is nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="list.select"),
        Binding("down,j", "move(1)", show=False, id="list.down", tooltip="Next row"),
        Binding("up,k", "move(-1)", show=False, id="list.up", tooltip="Previous row"),
        Binding("pagedown,ctrl+d", "page(1)", show=False, id="list.page_down", tooltip="One page down"),
        Binding("pageup,ctrl+u", "page(-1)", show=False, id="list.page_up", tooltip="One page up"),
        Binding("home,g", "end(-1)", show=False, id="list.first", tooltip="First row"),
        Binding("end,G", "end(1)", show=False, id="list.last", tooltip="Last row"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "virtual-list--cursor",
        "virtual-list--cursor-blurred",
        "virtual-list--hover",
        "virtual-list--empty",
    }
    DEFAULT_CSS = """
    VirtualList {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .virtual-list--cursor { background: $primary 30%; text-style: bold; }
        & > .virtual-list--cursor-blurred { background: $foreground 8%; }
        & > .virtual-list--hover { background: $foreground 5%; }
        & > .virtual-list--empty { color: $text-muted; }
    }
    """

    cursor: reactive[int | None] = reactive(None)
    """The row under the cursor; None when there is no row that can be chosen."""
    hover: reactive[int | None] = reactive(None)
    empty: reactive[str] = reactive("")
    """What is shown when there are no rows."""

    class RowMessage(Message):
        """Something happened to a row."""

        def __init__(self, rows: "VirtualList", key: str) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def index(self) -> int | None:
            """Where the row is now: rows may come and go before a message is handled. None: it has gone."""
            return self.rows.index_of(self.key)

    class Highlighted(RowMessage):
        """The cursor came to another row, or the row under it changed."""

    class Selected(RowMessage):
        """The user chose a row with Enter or the mouse."""

    def __init__(self, *, id: str | None = None, classes: str | None = None, empty: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.set_reactive(VirtualList.empty, empty)
        self._count = 0
        self._row: Row = lambda index: Content("")
        self._key: Callable[[int], str] = _index_as_key
        self._is_header: Callable[[int], bool] = _no_headers
        self._cursor_key: str | None = None
        self._drawn: dict[int, Content] = {}

    def set_rows(
        self,
        count: int,
        row: Row,
        *,
        key: Callable[[int], str] = _index_as_key,
        is_header: Callable[[int], bool] = _no_headers,
        selected_key: str | None = None,
    ) -> None:
        """Show `count` rows. The cursor goes to `selected_key`, else stays on the row with the same key.

        That row keeps its place on the screen: what comes or goes above it scrolls. `row` is called for the
        visible rows only, each time they are drawn.
        """
        wanted = selected_key if selected_key is not None else self._cursor_key
        before, stays = self.cursor, wanted == self._cursor_key
        self._row, self._key, self._is_header = row, key, is_header
        if count != self._count:
            self._resize(count)
        else:
            self._refresh_changed()
        position = self._position(wanted)
        if position is not None:
            self._cursor_key = key(position)  # and else it is waited for: a list may be read anew
        if position != self.cursor:
            if stays and before is not None and position is not None and self._cursor_key == wanted:
                top = max(0, self.scroll_offset.y + position - before)
                self.scroll_to(y=top, animate=False, force=True, immediate=True)
            self.cursor = position
        elif position is not None:
            self.post_message(self.Highlighted(self, self._key(position)))

    def _resize(self, count: int) -> None:
        """Have another number of rows, laying out the screen only if the list or its scroll bar changes."""
        height, before, self._count = self.size.height, self._count, count
        if self.styles.is_auto_height or (count > height) != (before > height):
            self.virtual_size = Size(0, count)
            self.refresh(layout=self.styles.is_auto_height)
            return
        self.set_reactive(Widget.virtual_size, Size(0, count))
        self.vertical_scrollbar.window_virtual_size = count
        if self.scroll_y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)
        self.refresh()

    def _refresh_changed(self) -> None:
        """Repaint the lines in sight whose row is not what was drawn."""
        for index, drawn in list(self._drawn.items()):
            y = index - self.scroll_offset.y
            if not 0 <= y < self.size.height or index >= self._count:
                del self._drawn[index]
            elif not self._row(index).is_same(drawn):
                self.refresh(Region(0, y, self.size.width, 1))

    def index_of(self, key: str) -> int | None:
        """The row that has a key, if there is one."""
        rows = (index for index in range(self._count) if not self._is_header(index))
        return next((index for index in rows if self._key(index) == key), None)

    def _position(self, wanted: str | None) -> int | None:
        if wanted is not None and (found := self.index_of(wanted)) is not None:
            return found
        start = min(self.cursor or 0, self._count - 1)
        return self._next_row(start, 1) if start >= 0 else None

    def _next_row(self, index: int, step: int) -> int | None:
        """The first row from `index` in the direction of `step`, else against it, that is no heading."""
        for walk in (step, -step):
            at = index
            while 0 <= at < self._count:
                if not self._is_header(at):
                    return at
                at += walk
        return None

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, self._count) if self._count else len(self._empty_lines(width))

    def _empty_lines(self, width: int) -> list[Content]:
        room = max(1, width - 2)
        return Content(broken_after_slashes(self.empty, room)).wrap(room) if self.empty else [Content("")]

    def watch_cursor(self, new: int | None) -> None:
        if new is not None:
            self._cursor_key = self._key(new)
            self.scroll_to_region(Region(0, new, 1, 1), animate=False, immediate=True, force=True)
            self.post_message(self.Highlighted(self, self._cursor_key))
        self.refresh()

    def watch_empty(self) -> None:
        if not self._count:
            self.refresh(layout=True)

    def watch_hover(self) -> None:
        self.refresh()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.refresh()

    def action_move(self, step: int) -> None:
        if self.cursor is not None:
            index = self.cursor + step
            if 0 <= index < self._count:
                self.cursor = self._next_row(index, step) if self._has_row(index, step) else self.cursor
                if step < 0 and not self._has_row((self.cursor or 0) - 1, -1):
                    self.scroll_home(animate=False)  # shows the headings above the first row

    def _has_row(self, index: int, step: int) -> bool:
        return any(
            not self._is_header(at)
            for at in (range(index, self._count) if step > 0 else range(index, -1, -1))
        )

    def action_page(self, direction: int) -> None:
        if self.cursor is not None:
            index = self.cursor + direction * max(1, self.size.height - 1)
            self.cursor = self._next_row(max(0, min(self._count - 1, index)), direction)

    def action_end(self, direction: int) -> None:
        if self._count:
            self.cursor = self._next_row(0 if direction < 0 else self._count - 1, -direction)
            if direction < 0:
                self.scroll_home(animate=False)

    def action_select(self) -> None:
        if self.cursor is not None:
            self.post_message(self.Selected(self, self._key(self.cursor)))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self._count:
            lines = self._empty_lines(width)
            line = lines[y] if self.empty and y < len(lines) else Content("")
            return self._strip(line, self.get_visual_style("virtual-list--empty"), width)
        index = y + self.scroll_offset.y
        if index >= self._count:
            return Strip.blank(width, self.rich_style)
        if index == self.cursor:
            name = "virtual-list--cursor" if self.has_focus else "virtual-list--cursor-blurred"
            style = self.get_visual_style(name)
        elif index == self.hover:
            style = self.get_visual_style("virtual-list--hover")
        else:
            style = self.visual_style
        row = self._drawn[index] = self._row(index)
        return self._strip(row, style, width)

    @property
    def row_width(self) -> int:
        """The cells that a row may take; longer ones are cut at their end."""
        return max(0, self.size.width - 2)

    def _strip(self, content: Content, style: Style, width: int) -> Strip:
        line = content[: MAX_CHARACTERS * max(1, width)].truncate(max(0, width - 2), ellipsis=True)
        segments = [Segment(" ", style.rich_style)]
        for text, text_style in line.render(style, end="", parse_style=self.app.stylesheet.parse_style):
            segments.append(Segment(text, (style + text_style).rich_style))
        return Strip(segments).adjust_cell_length(width, style.rich_style)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        index = event.y + self.scroll_offset.y
        self.hover = index if index < self._count and not self._is_header(index) else None

    def on_leave(self) -> None:
        self.hover = None

    def on_click(self, event: events.Click) -> None:
        index = event.y + self.scroll_offset.y
        if index < self._count and not self._is_header(index):
            self.cursor = index
            self.post_message(self.Selected(self, self._key(index)))
