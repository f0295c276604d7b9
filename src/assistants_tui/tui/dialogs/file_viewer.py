"""One file over the whole screen: text, code, a table or a picture."""

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from assistants_tui.service.files.previews import Preview
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_actions import file_words, open_with_system, save_file, save_file_as
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.messages.message_body import MessageItem
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.text.plain_text import as_markdown, fenced
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.key_bar import KeyBar
from assistants_tui.tui.widgets.picture_view import PictureView

if TYPE_CHECKING:
    from textual.widgets import DataTable


class ViewerScreen(ModalScreen[None]):
    """A preview of a file, with the keys to save and open it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close", key_display="Esc", id="viewer.close"),
        Binding("s", "save", "Save", id="viewer.save", tooltip="Save the file in the downloads folder"),
        Binding("S", "save_as", "Save as", id="viewer.save_as", tooltip="Choose where to save the file"),
        Binding(
            "x", "open", "Open outside", id="viewer.open", tooltip="Open the file with the system's program"
        ),
        Binding("y", "copy", "Copy", id="viewer.copy", tooltip="Copy what is shown, or the file's ID"),
        Binding("j", "table('cursor_down')", show=False, id="viewer.down"),
        Binding("k", "table('cursor_up')", show=False, id="viewer.up"),
        Binding("h", "table('cursor_left')", show=False, id="viewer.left"),
        Binding("l", "table('cursor_right')", show=False, id="viewer.right"),
        Binding("g", "table('scroll_top')", show=False, id="viewer.first"),
        Binding("G", "table('scroll_bottom')", show=False, id="viewer.last"),
    ]
    DEFAULT_CSS = """
    ViewerScreen {
        background: $background;
        & > Vertical { padding: 1 2 0 2; }
        & .viewer-head { height: auto; margin-bottom: 1; }
        & .viewer-note { height: auto; color: $text-warning; }
        & .viewer-empty { height: 1fr; content-align: center middle; color: $text-muted; }
        & DataTable {
            height: 1fr;
            background: $background;
            scrollbar-size: 1 1;
            & > .datatable--cursor { background: $primary 30%; color: $foreground; text-style: none; }
            & > .datatable--header { background: $panel; color: $text-accent; }
        }
    }
    """

    def __init__(self, workspace: Workspace, file_id: str, name: str, detail: str, shown: Preview) -> None:
        super().__init__()
        self._workspace = workspace
        self._file_id = file_id
        self._name_of_file = clean(name).replace("\n", " ")
        self._detail = detail
        self._preview = shown

    def compose(self) -> ComposeResult:
        shown = self._preview
        with Vertical():
            head = Content.assemble(
                (self._name_of_file, "bold $text-accent"), (f"  {self._detail}", "$muted")
            )
            yield Static(head, classes="viewer-head")
            if shown.note and shown.kind != "nothing":
                yield Static(Content(shown.note), classes="viewer-note")
            yield self._body()
        yield KeyBar()

    def _body(self) -> Widget:
        match self._preview.kind:
            case "picture":
                return PictureView()
            case "table":
                from textual.widgets import DataTable  # not for the first frame

                return DataTable(cursor_type="row")
            case "text" | "markdown":
                return MessageView()
            case "nothing":
                return Static(Content(f"{self._preview.note} s saves the file."), classes="viewer-empty")

    def on_mount(self) -> None:
        shown = self._preview
        match shown.kind:
            case "picture":
                self.query_one(PictureView).show(shown.data)
            case "table":
                table = cast("DataTable[Text]", self.query_one("DataTable"))
                head, *rows = [[Text(_one_line(cell)) for cell in row] for row in shown.rows]
                table.add_columns(*head)
                table.add_rows(rows)
                table.focus()
            case "text" | "markdown":
                view = self.query_one(MessageView)
                item = MessageItem(self._file_id, "", from_user=False, time="", text=_as_markdown(shown))
                view.set_items([item], older=False)
                view.scroll_home(animate=False)
                view.focus()

    async def action_table(self, action: str) -> None:
        """Textual's table knows the arrow keys only."""
        for table in self.query("DataTable"):
            await table.run_action(action)

    @property
    def _actor(self) -> Widget:
        return self.query_one(KeyBar)

    @work
    async def action_save(self) -> None:
        await save_file(self._actor, self._workspace, self._file_id)

    @work
    async def action_save_as(self) -> None:
        await save_file_as(self._actor, self._workspace, self._file_id)

    @work
    async def action_open(self) -> None:
        await open_with_system(self._actor, self._workspace, self._file_id)

    def action_copy(self) -> None:
        shown = self._preview
        text = shown.text or "\n".join("\t".join(row) for row in shown.rows) or self._file_id
        self.app.copy_to_clipboard(clean(text))
        self.notify("Copied.", timeout=2)

    @on(MessageView.CopyWanted)
    def _copy_wanted(self, event: MessageView.CopyWanted) -> None:
        event.stop()
        self.action_copy()


async def view_file(widget: Widget, workspace: Workspace, file_id: str) -> None:
    """Show a file in the app as far as that is possible."""
    with told_failures(widget, "Not shown"):
        file, shown = await workspace.files.preview(file_id)
        name = file.get("filename") or file_id
        widget.app.push_screen(ViewerScreen(workspace, file_id, name, file_words(file), shown))


def _as_markdown(shown: Preview) -> str:
    if shown.kind == "markdown":
        return shown.text
    return fenced(shown.text, shown.language) if shown.language else as_markdown(shown.text)


def _one_line(cell: str) -> str:
    return " ".join(clean(cell).split())
