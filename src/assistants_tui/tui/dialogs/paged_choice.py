"""One of many: a list that a server gives page by page, filtered as one types."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from assistants_tui.service.errors import ServiceError
from assistants_tui.tui.text.excerpts import shortened
from assistants_tui.tui.widgets.virtual_list import VirtualList

_QUESTION = 60
"""Characters of the question that are shown."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A row: what is returned, what is shown, and a word of warning about it."""

    key: str
    title: str
    detail: str = ""
    warning: str = ""

    def matches(self, words: Sequence[str]) -> bool:
        text = f"{self.title} {self.key} {self.detail}".casefold()
        return all(word in text for word in words)


Load = Callable[[str | None], Awaitable[tuple[Sequence[Choice], str | None]]]
"""Gives the rows after a cursor (None: the first) and the cursor of the next page, None at the end."""


class SearchDialog(ModalScreen[str | None]):
    """Ask for one of many. The result is the chosen row's key, or None after Esc.

    Typing filters what has been read; at its end, the next page is read on request. Where `free` is given,
    the typed text itself may be chosen too.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back"),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
    ]
    DEFAULT_CSS = """
    SearchDialog {
        align: center middle;
        background: $background 60%;
        #search-filter { margin-bottom: 1; background: $surface; padding: 0 1; }
        #search-filter:focus { border: none; }
        #search-rows { height: auto; min-height: 3; max-height: 16; }
    }
    """

    def __init__(
        self,
        question: str,
        load: Load,
        *,
        free: str = "",
        extra: Sequence[Choice] = (),
        empty: str = "There is none.",
    ) -> None:
        """`extra` rows come first and are always there; `free` names the row with the typed text."""
        super().__init__()
        self._question = question
        self._load = load
        self._free = free
        self._extra = extra
        self._empty = empty
        self._choices: list[Choice] = []
        self._cursor: str | None = None
        self._state = "Reading…"
        self._shown: list[Choice | None] = []  # None: the row that reads more

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(shortened(self._question, _QUESTION)), classes="dialog-title")
            yield Input(id="search-filter", placeholder="Type to filter", compact=True)
            yield VirtualList(id="search-rows")
            yield Static(Content("Enter chooses, Esc goes back"), classes="dialog-hint")

    def on_mount(self) -> None:
        self._rows.can_focus = False  # the keys stay with the filter
        self._draw()
        self._read(None)

    @property
    def _rows(self) -> VirtualList:
        return self.query_one("#search-rows", VirtualList)

    @work(exclusive=True)
    async def _read(self, after: str | None) -> None:
        self._state = "Reading…"
        self._draw()
        try:
            choices, self._cursor = await self._load(after)
        except ServiceError as error:
            self._state = str(error)
        else:
            self._choices += choices
            self._state = self._empty
        self._draw()

    def _draw(self) -> None:
        typed = self.query_one("#search-filter", Input).value.strip()
        words = typed.casefold().split()
        shown: list[Choice | None] = [*self._extra]
        shown += [choice for choice in self._choices if choice.matches(words)]
        if self._free and typed and all(choice is None or choice.key != typed for choice in shown):
            shown.append(Choice(typed, typed, self._free))
        if self._cursor is not None:
            shown.append(None)
        self._shown = shown
        self._rows.empty = "Nothing matches." if words and self._choices else self._state
        self._rows.set_rows(
            len(shown), self._row, key=lambda index: choice.key if (choice := shown[index]) else "\0more"
        )

    def _row(self, index: int) -> Content:
        choice = self._shown[index]
        if choice is None:
            return Content.styled("Read more…", "$text-accent")
        return Content.assemble(
            choice.title,
            (f"  {choice.detail}" if choice.detail else "", "$muted"),
            (f"  {choice.warning}" if choice.warning else "", "$text-warning"),
        )

    @on(Input.Changed, "#search-filter")
    def _filter_changed(self) -> None:
        self._draw()

    @on(Input.Submitted, "#search-filter")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._rows.action_select()

    @on(VirtualList.Selected)
    def _selected(self, event: VirtualList.Selected) -> None:
        event.stop()
        if event.index is None:
            return
        choice = self._shown[event.index]
        if choice is None:
            self._read(self._cursor)
        else:
            self.dismiss(choice.key)

    def action_move(self, step: int) -> None:
        self._rows.action_move(step)

    def action_page(self, direction: int) -> None:
        self._rows.action_page(direction)
