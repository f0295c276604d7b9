"""The inspector pane: which tab is shown, what the chosen line holds, and the keys."""

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from assistants_tui.service.changes import Changed
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_actions import open_with_system, save_file, save_file_as
from assistants_tui.tui.dialogs.file_viewer import view_file
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.panes.inspector.detail import (
    DetailView,
    file_sections,
    json_sections,
    step_sections,
)
from assistants_tui.tui.panes.inspector.run_tree import OLDER, RunTree, state_of
from assistants_tui.tui.panes.inspector.tab_line import Tab, TabLine
from assistants_tui.tui.panes.inspector.thread_file_list import ThreadFileList
from assistants_tui.tui.panes.inspector.usage_total import UsageTotal
from assistants_tui.tui.run_rows import RunRow, copied
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.picture_view import PictureView
from assistants_tui.tui.widgets.virtual_list import VirtualList

_FILE_ACTIONS: Final[Mapping[str, Callable[[Widget, Workspace, str], Awaitable[None]]]] = {
    "save": save_file,
    "save_as": save_file_as,
    "open": open_with_system,
}


class InspectorPane(Vertical):
    """The tree run → step → tool call, live, and under it what the chosen line holds."""

    HELP: ClassVar[str] = (
        "Arrows choose a line, Enter or space folds it. 1, 2 and 3 show the steps, the files of the thread "
        "and the raw JSON. y copies what the line holds."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Fold", id="inspector.fold"),
        Binding("left", "fold(True)", show=False, id="inspector.close"),
        Binding("right", "fold(False)", show=False, id="inspector.open"),
        Binding(
            "s", "file('save')", "Save", id="inspector.save", tooltip="Save the file in the downloads folder"
        ),
        Binding(
            "S",
            "file('save_as')",
            show=False,
            id="inspector.save_as",
            tooltip="Choose where to save the file",
        ),
        Binding(
            "x",
            "file('open')",
            "Open outside",
            id="inspector.open_file",
            tooltip="Open the file with the system",
        ),
        Binding("y,c", "copy", "Copy", id="inspector.copy", tooltip="Copy what the line holds"),
        Binding("t", "next_tab", "Tab", id="inspector.tab", tooltip="Steps, files or raw JSON"),
        Binding("1", "tab('steps')", show=False, id="inspector.steps", tooltip="The steps of the runs"),
        Binding("2", "tab('files')", show=False, id="inspector.files", tooltip="The files of the thread"),
        Binding("3", "tab('run')", show=False, id="inspector.run", tooltip="The raw objects as JSON"),
    ]
    DEFAULT_CSS = """
    InspectorPane {
        & #file-list { height: 1fr; min-height: 4; }
        & #run-picture { border-top: solid $border-blurred; }
        & #run-total { height: 1; padding: 0 1; color: $text-muted; border-top: none; }
    }
    """

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._tabs = TabLine(id="inspector-tabs", classes="pane-title")
        self._tree = RunTree(workspace.file_names.name, id="run-tree")
        self._files = ThreadFileList(workspace, id="file-list")
        self._detail = DetailView(self._draw, id="run-detail")
        self._picture = PictureView(id="run-picture")
        self._total = UsageTotal(id="run-total")
        self._pictured = ""

    def compose(self) -> ComposeResult:
        yield self._tabs
        yield self._tree
        yield self._files
        yield self._detail
        yield self._picture
        yield self._total

    def on_mount(self) -> None:
        self._workspace.feed.subscribe(self._workspace_changed)
        self.watch(self._tabs, "active", self._show_tab)
        self.set_interval(1, self._tick)
        self._begin()

    @property
    def tab(self) -> Tab:
        """What is shown."""
        return self._tabs.active

    @property
    def rows(self) -> VirtualList:
        """The list that is shown."""
        return self._files if self.tab == "files" else self._tree

    def _begin(self) -> None:
        """Show the runs of the conversation, following the newest step until the user chooses a line."""
        self._tree.begin()
        self._detail.show([])  # so that what follows begins at its top
        self._draw()

    def on_show(self) -> None:
        self._draw()  # nothing was drawn while nobody saw it

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & Changed.PLACE:
            self._begin()
        elif changed & (Changed.CONVERSATION | Changed.FILES) and self.display:
            self._detail.request()

    def _tick(self) -> None:
        """The clock of a run that is active."""
        active = self._workspace.conversations.shown.active_run
        if self.display and self.tab == "steps" and active is not None:
            self._detail.request()

    def _draw(self) -> None:
        self._total.draw(self._workspace)
        if self.tab == "files":
            self._files.draw()
        else:
            self._tree.draw(self._workspace.conversations.shown)
        self._draw_detail()

    def _draw_detail(self) -> None:
        """What the chosen line holds."""
        if self.tab == "files":
            self._show_picture("")
            file = self._files.chosen
            self._detail.show(file_sections(self._workspace, file) if file is not None else [])
            return
        row = self._tree.chosen
        state = state_of(row, self._workspace.conversations.shown)
        self._show_picture(row.image if row is not None and self.tab == "steps" else "")
        if row is None or state is None or state.run is None:
            self._detail.show([])
        elif self.tab == "run":
            self._detail.show(json_sections(state, row))
        elif not row.image:
            self._detail.show(step_sections(self._workspace, state, row))

    def _show_picture(self, file_id: str) -> None:
        """The picture in place of the text, or the text again."""
        self._detail.display, self._picture.display = not file_id, bool(file_id)
        if file_id != self._pictured:
            self._pictured = file_id
            if file_id:
                self._picture.say("Reading…")
                self._read_picture(file_id)

    @work(exclusive=True, group="picture")
    async def _read_picture(self, file_id: str) -> None:
        try:
            data = await self._workspace.files.read_picture(file_id)
        except ServiceError as error:
            self._picture.say(str(error))
        else:
            self._picture.show(data)

    @property
    def _file_id(self) -> str:
        """The file that the keys mean: the chosen one, or the picture of the chosen line."""
        if self.tab == "files":
            return self._files.chosen.file_id if self._files.chosen is not None else ""
        return self._tree.chosen.image if self._tree.chosen is not None else ""

    @on(VirtualList.Highlighted)
    def _line_chosen(self, event: VirtualList.Highlighted) -> None:
        event.stop()
        self.refresh_bindings()
        if self._tree.has_focus and self.tab != "files":
            self._tree.note_choice(event.index)
        self._draw_detail()

    @on(VirtualList.Selected)
    def _line_opened(self, event: VirtualList.Selected) -> None:
        event.stop()
        row = self._tree.chosen
        if file_id := self._file_id:
            self._view(file_id)
        elif row is not None and row.key == OLDER:
            self.run_worker(self._workspace.conversations.shown.run_pages.read_older())
        else:
            self.action_fold()

    # keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "file":
            return bool(self._file_id)
        return action != "fold" or self.tab != "files"

    def action_fold(self, fold: bool | None = None) -> None:
        """Fold the chosen line or open it; without `fold`, whichever it is not."""
        row = self._tree.chosen
        if row is None or not row.children:
            return
        is_open = not row.open if fold is None else not fold
        self._tree.set_open(row, is_open)
        if is_open and row.depth == 0:
            self.run_worker(self._workspace.conversations.shown.run_pages.read(row.run_id))
        self._draw()

    def action_next_tab(self) -> None:
        self._tabs.next()

    def action_tab(self, tab: Tab) -> None:
        self._tabs.active = tab

    def _show_tab(self, tab: Tab) -> None:
        focused = self._tree.has_focus or self._files.has_focus
        self._tree.display, self._files.display = tab != "files", tab == "files"
        self._draw()
        self.refresh_bindings()
        if focused:
            self.call_after_refresh(self.rows.focus)

    def action_copy(self) -> None:
        row = self._tree.chosen
        state = state_of(row, self._workspace.conversations.shown)
        if self.tab == "files":
            self._copy(self._file_id)
        elif row is not None and state is not None:
            whole = RunRow(row.key, 0, "", "", "", row.run_id, row.step_id)
            self._copy(copied(state, whole if self.tab == "run" else row))

    @work
    async def action_file(self, what: str) -> None:
        """Do something with the chosen file: `save`, `save_as` or `open`."""
        await _FILE_ACTIONS[what](self, self._workspace, self._file_id)

    @work(exclusive=True, group="view")
    async def _view(self, file_id: str) -> None:
        await view_file(self, self._workspace, file_id)

    @on(MessageView.NoteOpened)
    def _note_opened(self, event: MessageView.NoteOpened) -> None:
        event.stop()
        if event.note.target:
            self._view(event.note.target)

    @on(MessageView.CopyWanted)
    def _copy_wanted(self, event: MessageView.CopyWanted) -> None:
        event.stop()
        self._copy(self._detail.raw(event.text))

    def _copy(self, text: str) -> None:
        if text:
            self.app.copy_to_clipboard(clean(text))
            lines = text.count("\n") + 1
            self.notify(f"Copied {lines} line{'s' if lines > 1 else ''}.", timeout=2, markup=False)
