"""Searching all threads: type words, see the messages, jump to one."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from assistants_tui.service.errors import ServiceError
from assistants_tui.service.search import Hit
from assistants_tui.service.times import when
from assistants_tui.tui.text.excerpts import fitting
from assistants_tui.tui.widgets.virtual_list import VirtualList

_HINT = "Words that begin so, in messages that this machine has seen. Enter opens, Esc goes back"


class SearchScreen(ModalScreen[tuple[Hit, str] | None]):
    """The result is the chosen message and the words that found it; None after Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back"),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]
    CSS = """
    SearchScreen {
        align: center middle;
        background: $background 60%;
        & .dialog { width: 100; height: 28; }
        & VirtualList {
            height: 1fr;
            margin-top: 1;
            & > .virtual-list--cursor-blurred { background: $primary 30%; }
        }
    }
    """

    def __init__(
        self,
        search: Callable[[str], Awaitable[Sequence[Hit]]],
        title_of: Callable[[str], str],
        words: str = "",
    ) -> None:
        """`title_of` gives the title of a thread by its ID; `words` is what to look for at once."""
        super().__init__()
        self._search = search
        self._title_of = title_of
        self._words = words
        self._hits: Sequence[Hit] = ()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Search all threads", classes="dialog-title")
            yield Input(self._words, placeholder="Words")
            rows = VirtualList(empty="Type what you remember of a message.")
            rows.can_focus = False
            yield rows
            yield Static(Content(_HINT), classes="dialog-hint")

    def on_mount(self) -> None:
        self._look()

    @on(Input.Changed)
    @work(exclusive=True)
    async def _look(self) -> None:
        words = self.query_one(Input).value
        rows = self.query_one(VirtualList)
        try:
            hits = await self._search(words)
        except ServiceError as error:
            hits, rows.empty = [], str(error)
        else:
            rows.empty = "Nothing found." if words.strip() else "Type what you remember of a message."
        self._hits = hits
        rows.set_rows(len(hits), self._row, key=lambda index: hits[index].message_id)

    def _row(self, index: int) -> Content:
        hit = self._hits[index]
        width = self.query_one(VirtualList).row_width
        day = when(hit.created_at, "%Y-%m-%d  ") if width >= 80 else ""
        who = "You" if hit.role == "user" else "Assistant"
        title = Content(self._title_of(hit.thread_id)).truncate(min(24, width // 4), ellipsis=True)
        head = Content.assemble((day, "$muted"), title, (f"  {who}: ", "$muted"))
        excerpt = fitting(hit.excerpt, width - head.cell_length)
        return head + Content.assemble(
            *[(text, "bold $text-accent") if is_match else text for text, is_match in excerpt]
        )

    def action_move(self, step: int) -> None:
        self.query_one(VirtualList).action_move(step)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._take(self.query_one(VirtualList).cursor)

    @on(VirtualList.Selected)
    def _clicked(self, event: VirtualList.Selected) -> None:
        event.stop()
        self._take(event.index)

    def _take(self, index: int | None) -> None:
        if index is not None and index < len(self._hits):
            self.dismiss((self._hits[index], self.query_one(Input).value))
