"""Exporting a thread: in which format, and where; nothing is overwritten without asking."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from assistants_tui.service.errors import ServiceError
from assistants_tui.service.export.document import SUFFIXES, Format
from assistants_tui.service.export.writing import suggested_name
from assistants_tui.service.local_paths import expanded
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.text.excerpts import without_middle
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList

_TITLE = 60
"""Cells that the title of a thread may take."""
_FORMATS: tuple[tuple[Format, str], ...] = (
    ("markdown", "Markdown, to read and to go on writing"),
    ("html", "HTML, one file for the browser with all pictures"),
    ("json", "JSON, the server's own objects"),
)
_FORMAT_OF: dict[str, Format] = {form: form for form, _ in _FORMATS}


class ExportDialog(ModalScreen[tuple[Format, Path] | None]):
    """The result is the format and the path; None after Esc. Nothing is written here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back"),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    ExportDialog {
        align: center middle;
        background: $background 60%;
        & VirtualList {
            height: 3;
            margin-bottom: 1;
            & > .virtual-list--cursor-blurred { background: $primary 30%; }
        }
    }
    """

    def __init__(self, title: str, folder: Path, form: Format = "markdown") -> None:
        """`title` is the thread's, `folder` where the file goes unless the user says otherwise."""
        super().__init__()
        self._title = title
        self._folder = folder
        self._form = form

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            title = without_middle(clean(self._title).replace("\n", " "), _TITLE)
            yield Static(Content(f"Export “{title}”"), classes="dialog-title")
            rows = VirtualList()
            rows.can_focus = False
            yield rows
            yield Input(str(self._folder / suggested_name(self._title, self._form)))
            yield Static(Content("Arrows choose, Enter saves, Esc goes back"), classes="dialog-hint")

    def on_mount(self) -> None:
        self.query_one(VirtualList).set_rows(
            len(_FORMATS),
            lambda index: Content(_FORMATS[index][1]),
            key=lambda index: _FORMATS[index][0],
            selected_key=self._form,
        )

    def action_move(self, step: int) -> None:
        self.query_one(VirtualList).action_move(step)

    @on(VirtualList.Highlighted)
    def _format_chosen(self, event: VirtualList.Highlighted) -> None:
        event.stop()
        before, self._form = SUFFIXES[self._form], _FORMAT_OF[event.key]
        field = self.query_one(Input)
        if field.value.endswith(before):
            field.value = field.value.removesuffix(before) + SUFFIXES[self._form]

    @on(VirtualList.Selected)
    def _clicked(self, event: VirtualList.Selected) -> None:
        event.stop()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss((self._form, expanded(event.value.strip(), self._folder)))


async def export_thread(widget: Widget, workspace: Workspace, thread_id: str, form: Format) -> None:
    """Ask where to save a thread, `form` being the format that is offered first, and do so."""
    dialog = ExportDialog(workspace.threads.title_of(thread_id), workspace.exporter.folder, form)
    if (answer := await widget.app.push_screen_wait(dialog)) is None:
        return
    form, path = answer
    overwrite = False
    with told_failures(widget, "Not exported"):
        while True:
            try:
                await workspace.exporter.export(thread_id, form, path, overwrite=overwrite)
            except ServiceError as error:
                if error.code != "exists" or overwrite or not await _may_overwrite(widget, path):
                    raise
                overwrite = True
            else:
                widget.notify(str(path), title="Exported", markup=False)
                return


async def _may_overwrite(widget: Widget, path: Path) -> bool:
    choice = await widget.app.push_screen_wait(
        ChoiceDialog(
            "Overwrite the file?",
            str(path),
            choices=[("keep", "Keep it"), ("overwrite", "Overwrite")],
            danger="overwrite",
        )
    )
    return choice == "overwrite"
