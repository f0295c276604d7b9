"""The first steps: what there is to try, each done for the user with one key."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from assistants_tui.tui.widgets.virtual_list import VirtualList

Step = Literal["ask", "steps", "file", "assistant", "model", "commands"]
QUESTION = "I need to solve the equation `3x + 11 = 14`. Can you help me?"


@dataclass(frozen=True, slots=True)
class _Row:
    step: Step
    title: str
    about: str


_ROWS = (
    _Row(
        "ask",
        "Ask something",
        "Puts a question into the composer; Enter sends it. The message and the answer are a thread, "
        "which is in the list at the left from then on.",
    ),
    _Row(
        "steps",
        "See how it was answered",
        "The inspector shows every step of the run: the code and what it printed, searches, function calls, "
        "times and tokens. F4 opens it, arrows choose a step.",
    ),
    _Row(
        "file",
        "Give it a file",
        "Choose a table or a document. Data Visualizer draws charts, HR Helper looks things up and says "
        "where they stand. ^O does the same, and so does dropping a file on the terminal.",
    ),
    _Row(
        "assistant",
        "Make an assistant of your own",
        "A model, instructions, and the tools it may use: code, file search, your own functions. n in the "
        "list of assistants makes one, e changes one.",
    ),
    _Row(
        "model",
        "Connect a model",
        "The offline tutor follows fixed rules. Ollama and its like are found by themselves; every endpoint "
        "of chat completions will do. F3 opens the profiles.",
    ),
    _Row(
        "commands",
        "Find everything else",
        "^P lists every action with its key, / in the composer the commands, F1 explains where you are, and "
        "F5 shows all settings.",
    ),
)
_ROW_OF: dict[str, _Row] = {row.step: row for row in _ROWS}


class GuideScreen(ModalScreen[Step | None]):
    """The result is the step that the user wants to take now, or None after Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "Back", id="dialog.back")]
    DEFAULT_CSS = """
    GuideScreen {
        align: center middle;
        background: $background 60%;
        & VirtualList { height: 6; }
        & #guide-about { height: 4; margin: 1 1 0 1; }
        &.-short VirtualList { height: 3; }
        &.-short #guide-about { margin: 0 1; }
    }
    """

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("First steps", classes="dialog-title")
            yield VirtualList()
            yield Static(id="guide-about")
            yield Static(
                "Enter takes the step, Esc goes back. ^G brings you here again.", classes="dialog-hint"
            )

    def on_mount(self) -> None:
        rows = self.query_one(VirtualList)

        def row(index: int) -> Content:
            return Content(f"{index + 1}  {_ROWS[index].title}")

        rows.set_rows(len(_ROWS), row, key=lambda index: _ROWS[index].step)
        rows.focus()

    @on(VirtualList.Highlighted)
    def _explain(self, event: VirtualList.Highlighted) -> None:
        event.stop()
        self.query_one("#guide-about", Static).update(Content(_ROW_OF[event.key].about))

    @on(VirtualList.Selected)
    def _chosen(self, event: VirtualList.Selected) -> None:
        event.stop()
        self.dismiss(_ROW_OF[event.key].step)
