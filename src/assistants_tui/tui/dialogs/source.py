"""A text of several lines, checked while it is typed: JSON, or the source of Python functions."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static, TextArea

from assistants_tui.service.files.text_files import read_text
from assistants_tui.tui.dialogs.file_picker import FilePicker
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, edit_externally
from assistants_tui.tui.widgets.key_bar import KeyBar
from assistants_tui.tui.widgets.large_text_area import LargeTextArea

Check = Callable[[str], str]
"""Says what a good text means; raises `ValueError` with a sentence for one that cannot be used."""

_PAUSE = 0.15  # seconds without a key, after which the text is checked


class SourceDialog(ModalScreen[str | None]):
    """Ask for a text. The result is a text that the check accepts, or None after Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "accept", "Accept", id="source.accept", priority=True),
        Binding("ctrl+e", "edit", "$EDITOR", id="source.editor", tooltip="Edit in $EDITOR", priority=True),
        Binding("ctrl+o", "open", "Open file", id="source.open", tooltip="Read a file", priority=True),
        Binding("escape", "back", "Back", id="dialog.back", priority=True),  # a text area has its own
    ]
    CSS = """
    SourceDialog {
        align: center middle;
        background: $background 60%;
        & > .dialog { width: 100; height: 90%; max-width: 96%; }
        #source { height: 1fr; border: none; background: $surface; padding: 0 1; scrollbar-size-vertical: 1; }
        #source:focus { border: none; }
        #source-verdict { height: auto; max-height: 4; margin-top: 1; color: $text-success; }
        #source-verdict.-wrong { color: $text-error; }
    }
    """

    def __init__(self, question: str, text: str, check: Check, *, detail: str = "", name: str) -> None:
        """`name` is that of the file which an external editor gets."""
        super().__init__()
        self._question = question
        self._initial = text
        self._check_text = check
        self._detail = detail
        self._file_name = name
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(self._question), classes="dialog-title")
            if self._detail:
                yield Static(Content(self._detail), classes="dialog-detail")
            yield LargeTextArea(self._initial, id="source", tab_behavior="indent", compact=True)
            yield Static(id="source-verdict")
        yield KeyBar()

    def on_mount(self) -> None:
        self._source.indent_width = 2
        self._source.focus()
        self._check()

    @property
    def _source(self) -> TextArea:
        return self.query_one("#source", TextArea)

    @on(TextArea.Changed)
    def _changed(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE, self._check)

    def _check(self) -> bool:
        """Say what the text means. Whether it can be used."""
        verdict = self.query_one("#source-verdict", Static)
        try:
            said = self._check_text(self._source.text)
        except ValueError as error:
            verdict.update(Content(str(error)))
            verdict.add_class("-wrong")
            return False
        verdict.update(Content(said))
        verdict.remove_class("-wrong")
        return True

    def action_accept(self) -> None:
        if self._check():
            self.dismiss(self._source.text)

    @work
    async def action_back(self) -> None:
        if self._source.text != self._initial:
            choice = await self.app.push_screen_wait(
                ChoiceDialog(
                    "Drop what you have written?", choices=[("stay", "Go on writing"), ("drop", "Drop it")]
                )
            )
            if choice != "drop":
                return
        self.dismiss(None)

    @work
    async def action_edit(self) -> None:
        try:
            self._source.text = await edit_externally(self.app, self._source.text, name=self._file_name)
        except ExternalEditorError as error:
            self.notify(str(error), severity="error", markup=False)

    @work
    async def action_open(self) -> None:
        paths = await self.app.push_screen_wait(FilePicker("Read a file", Path.cwd()))
        if paths:
            with told_failures(self, "Not read"):
                self._source.text = "\n\n".join([await read_text(str(path)) for path in paths])
