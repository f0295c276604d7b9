"""Small questions in the middle of the screen: a choice between actions, and one line of text.

Everything shown in them is data from outside, so it is handed over as `Content`, never as markup.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static, TextArea

from assistants_tui.tui.keyboard.question_guard import QuestionGuard
from assistants_tui.tui.text.excerpts import SentenceWithPaths, shortened
from assistants_tui.tui.widgets.dialog_list import DialogList
from assistants_tui.tui.widgets.large_text_area import LargeTextArea
from assistants_tui.tui.widgets.virtual_list import VirtualList


class ChoiceDialog(ModalScreen[str | None]):
    """Ask for one of a few actions. The result is the chosen action's key, or None after Esc.

    Nothing is chosen by keys that were typed before anybody could have read the question.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(
        self, question: str, detail: str = "", *, choices: Sequence[tuple[str, str]], danger: str = ""
    ) -> None:
        """`choices` are (key, label) pairs, the safe one first; `danger` is the key of a destructive one."""
        super().__init__()
        self._question = question
        self._detail = detail
        self._choices = choices
        self._danger = danger
        self._guard = QuestionGuard(self)

    def on_mount(self) -> None:
        self._guard.appear()

    def on_key(self, event: events.Key) -> None:
        if event.is_printable:
            self._guard.ready()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(SentenceWithPaths(shortened(self._question)), classes="dialog-title")
            if self._detail:
                yield Static(SentenceWithPaths(shortened(self._detail)), classes="dialog-detail")
            with Horizontal(classes="dialog-buttons"):
                for key, label in self._choices:
                    yield Button(
                        Content(label),
                        id=f"choice-{key}",
                        variant="error" if key == self._danger else "default",
                    )

    @on(Button.Pressed)
    def _chosen(self, event: Button.Pressed) -> None:
        if self._guard.ready():
            self.dismiss((event.button.id or "").removeprefix("choice-"))


class ErrorLine(Static):
    """Why a dialog does not take what was entered; it has no room until there is something to say."""

    DEFAULT_CSS = "ErrorLine { color: $text-error; height: auto; }"

    def __init__(self, text: str = "") -> None:
        super().__init__(Content(shortened(text)))
        self.display = bool(text)

    def tell(self, text: str) -> None:
        self.update(Content(shortened(text)))
        self.display = True


class TextDialog(ModalScreen[str | None]):
    """Ask for one line of text. The result is the text without blanks around it, or None after Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back", id="dialog.back")]

    def __init__(
        self,
        question: str,
        value: str = "",
        *,
        detail: str = "",
        max_length: int = 0,
        password: bool = False,
        check: Callable[[str], object] = lambda text: None,
        error: str = "",
    ) -> None:
        """`password`: what is typed is not shown.

        `check` raises `ValueError` with a sentence for a text that is not taken; `error` is what was wrong
        with `value` before.
        """
        super().__init__()
        self._check = check
        self._error = error
        self._password = password
        self._question = question
        self._value = value
        self._detail = detail
        self._max_length = max_length

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(SentenceWithPaths(shortened(self._question)), classes="dialog-title")
            if self._detail:
                yield Static(SentenceWithPaths(shortened(self._detail)), classes="dialog-detail")
            yield Input(self._value, max_length=self._max_length, password=self._password)
            yield ErrorLine(self._error)
            yield Static(Content("Enter saves, Esc goes back"), classes="dialog-hint")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if not (text := event.value.strip()):
            return
        try:
            self._check(text)
        except ValueError as error:
            self.query_one(ErrorLine).tell(str(error))
        else:
            self.dismiss(text)


class PickDialog(ModalScreen[int | None]):
    """Ask for one of many rows. The result is its number, or None after Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back", id="dialog.back")]

    def __init__(self, question: str, rows: Sequence[str], *, detail: str = "", cursor: int = 0) -> None:
        """`cursor` is the number of the row to begin with."""
        super().__init__()
        self._question = question
        self._rows = rows
        self._detail = detail
        self._cursor = cursor

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(SentenceWithPaths(shortened(self._question)), classes="dialog-title")
            if self._detail:
                yield Static(SentenceWithPaths(shortened(self._detail)), classes="dialog-detail")
            yield DialogList()
            yield Static(Content("Enter chooses, Esc goes back"), classes="dialog-hint")

    def on_mount(self) -> None:
        rows = self.query_one(VirtualList)
        rows.set_rows(len(self._rows), lambda index: Content(self._rows[index]))
        rows.cursor = self._cursor
        rows.focus()

    @on(VirtualList.Selected)
    def _selected(self, event: VirtualList.Selected) -> None:
        event.stop()
        self.dismiss(event.index)


class LinesDialog(ModalScreen[str | None]):
    """Ask for several lines of text. The result is the text, or None after Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back"),
        Binding("ctrl+s", "save", "Save", id="dialog.save", priority=True),
    ]
    DEFAULT_CSS = """
    LinesDialog {
        align: center middle;
        background: $background 60%;
        & TextArea { height: 10; border: none; background: $surface; }
    }
    """

    def __init__(
        self, question: str, value: str, *, hint: str, check: Callable[[str], object] = lambda text: None
    ) -> None:
        """`check` raises `ValueError` with a sentence for a text that is not taken."""
        super().__init__()
        self._question = question
        self._value = value
        self._hint = hint
        self._check = check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(SentenceWithPaths(shortened(self._question)), classes="dialog-title")
            yield LargeTextArea(self._value, compact=True, highlight_cursor_line=False)
            yield ErrorLine()
            yield Static(Content(f"{self._hint}. Ctrl+S saves, Esc goes back"), classes="dialog-hint")

    def action_save(self) -> None:
        text = self.query_one(TextArea).text
        try:
            self._check(text)
        except ValueError as error:
            self.query_one(ErrorLine).tell(str(error))
        else:
            self.dismiss(text)
