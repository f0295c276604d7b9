"""The line in which one types what to find in the thread."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class FindBar(Horizontal):
    """Shown while searching. It only asks; whoever shows the messages answers with `tell`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", "Older", id="find.older", tooltip="The match before"),
        Binding("down", "step(1)", "Newer", id="find.newer", tooltip="The match after"),
        Binding("escape", "close", "Close", id="find.close", tooltip="End searching"),
    ]
    DEFAULT_CSS = """
    FindBar {
        height: 1;
        padding: 0 2;
        background: $panel;
        display: none;
        & Input { width: 1fr; }
        & Static { width: auto; color: $text-muted; padding: 0 1; }
    }
    """

    class Wanted(Message):
        """The words have changed (`step` 0), or an older (-1) or newer (1) match is wanted."""

        def __init__(self, words: str, step: int) -> None:
            super().__init__()
            self.words = words
            self.step = step

    class Closed(Message):
        """Searching has ended."""

    def compose(self) -> ComposeResult:
        yield Static("Find")
        yield Input(compact=True)
        yield Static(id="find-told")

    @property
    def words(self) -> str:
        return self.query_one(Input).value

    def open(self, words: str) -> None:
        """Begin to search, with these words if there are any."""
        self.display = True
        field = self.query_one(Input)
        if words and words != field.value:
            field.value = words  # which asks
        elif field.value:
            self.post_message(self.Wanted(field.value, 0))
        field.focus()

    def tell(self, text: str) -> None:
        """Say how many matches there are."""
        self.query_one("#find-told", Static).update(text)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Wanted(event.value, 0))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_step(-1)

    def action_step(self, step: int) -> None:
        self.post_message(self.Wanted(self.words, step))

    def action_close(self) -> None:
        self.display = False
        self.post_message(self.Closed())
