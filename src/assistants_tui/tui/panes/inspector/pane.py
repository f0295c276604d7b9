"""The inspector: what the runs of the open thread did, step by step, its files, and the raw objects."""

from itertools import takewhile
from typing import ClassVar, Literal

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from assistants_tui.service.changes import Changed
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.thread_files import ThreadFile, thread_files
from assistants_tui.service.runs.sandboxes import lacks_packages
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_actions import open_with_system, save_file, save_file_as
from assistants_tui.tui.dialogs.file_viewer import view_file
from assistants_tui.tui.file_rows import file_facts, file_row
from assistants_tui.tui.messages.message_body import MessageItem, Note
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.run_rows import RunRow, Section, as_json, copied, rows, sections
from assistants_tui.tui.text.plain_text import fenced
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.picture_view import PictureView
from assistants_tui.tui.widgets.virtual_list import VirtualList

_FRAME = 1 / 20
_OLDER = "older"
"""The key of the line that reads older runs."""
Tab = Literal["steps", "files", "run"]
_TABS: tuple[tuple[Tab, str], ...] = (("steps", "Steps"), ("files", "Files"), ("run", "JSON"))


class TabLine(Widget, can_focus=False):
    """The names of the tabs in one line, the shown one marked."""

    active: reactive[Tab] = reactive("steps")

    def render(self) -> Content:
        parts: list[Content] = []
        for number, (name, label) in enumerate(_TABS, 1):
            style = "bold $text-accent underline" if name == self.active else "$muted"
            parts += [Content.styled(f"{number} {label}", style), Content("   ")]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        left = self.styles.padding.left
        for name, label in _TABS:
            if left <= event.x < left + len(label) + 2:
                self.active = name
            left += len(label) + 5


class InspectorPane(Vertical):
    """The tree run → step → tool call, live, and under it what the chosen line holds."""

    HELP: ClassVar[str] = (
        "Arrows choose a line, Enter or space folds it. 1, 2 and 3 show the steps, the files of the thread "
        "and the raw JSON. y copies what the line holds."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Fold", id="inspector.fold"),
        Binding("left", "close", show=False, id="inspector.close"),
        Binding("right", "open", show=False, id="inspector.open"),
        Binding("s", "save", "Save", id="inspector.save", tooltip="Save the file in the downloads folder"),
        Binding("S", "save_as", show=False, id="inspector.save_as", tooltip="Choose where to save the file"),
        Binding(
            "x",
            "open_file",
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
        self._rows = rows((), frozenset(), frozenset(), str)
        self._files: list[ThreadFile] = []
        self._folded: frozenset[str] = frozenset()
        self._unfolded: frozenset[str] = frozenset()
        self._following = True
        self._shown: list[Section] = []
        self._scheduled = False
        self._pictured = ""

    def compose(self) -> ComposeResult:
        yield TabLine(id="inspector-tabs", classes="pane-title")
        yield VirtualList(id="run-tree")
        yield VirtualList(id="file-list", empty="No files yet. Attach one, or let code make one.")
        yield MessageView(id="run-detail")
        yield PictureView(id="run-picture")
        yield Static(id="run-total")

    def on_mount(self) -> None:
        self._tree.empty = (
            "No run yet. Each answer shows its steps here: code, searches, function calls, messages."
        )
        self._workspace.feed.subscribe(self._workspace_changed)
        self.watch(self.query_one(TabLine), "active", self._show_tab)
        self.set_interval(1, self._tick)
        self._begin()

    @property
    def _tree(self) -> VirtualList:
        return self.query_one("#run-tree", VirtualList)

    @property
    def _file_list(self) -> VirtualList:
        return self.query_one("#file-list", VirtualList)

    @property
    def _detail(self) -> MessageView:
        return self.query_one("#run-detail", MessageView)

    @property
    def tab(self) -> Tab:
        """What is shown."""
        return self.query_one(TabLine).active

    @property
    def rows(self) -> VirtualList:
        """The list that is shown."""
        return self._file_list if self.tab == "files" else self._tree

    def _begin(self) -> None:
        """Show the runs of the conversation, following the newest step until the user chooses a line."""
        self._folded = self._unfolded = frozenset()
        self._following = True
        self._draw_sections([])  # so that what follows begins at its top
        self._look()

    def on_show(self) -> None:
        self._look()  # nothing was drawn while nobody saw it

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & Changed.PLACE:
            self._begin()
        elif changed & (Changed.CONVERSATION | Changed.FILES) and not self._scheduled and self.display:
            self._scheduled = True
            self.set_timer(_FRAME, self._look)

    def _tick(self) -> None:
        """The clock of a run that is active."""
        if (
            self.display
            and self.tab == "steps"
            and self._workspace.conversations.shown.active_run is not None
        ):
            self._look()

    def _look(self) -> None:
        self._scheduled = False
        conversation, name = self._workspace.conversations.shown, self._workspace.file_names.name
        self._draw_total()
        if self.tab == "files":
            self._draw_files()
            return
        older = (
            [RunRow(_OLDER, 0, "Read older runs", "Enter", "", "")]
            if conversation.run_pages.has_older
            else ()
        )
        lines = rows(conversation.runs.values(), self._folded, self._unfolded, name, last=older)
        self._rows = lines
        followed = self._newest_row() if self._following else None
        self._tree.set_rows(
            len(lines),
            lambda index: lines[index].content(),
            key=lines.key,
            selected_key=lines.key(followed) if followed is not None else None,
        )
        self._draw_detail()

    def _newest_row(self) -> int | None:
        """The last step of the newest run: the one that is being written."""
        newest = takewhile(lambda row: row.run_id == self._rows[0].run_id, self._rows)
        steps = [index for index, row in enumerate(newest) if row.depth == 1]
        return steps[-1] if steps else 0 if self._rows else None

    def _draw_total(self) -> None:
        conversation = self._workspace.conversations.shown
        total = conversation.run_pages.usage.total(self._workspace.prices)
        parts = [f"{total.input:,} in, {total.output:,} out"] if total.tokens else []
        if total.cost is not None:
            parts.append(f"cost {total.cost:,.4f}".rstrip("0").rstrip("."))
            if total.unpriced:
                parts.append(f"{total.unpriced:,} without a price")
        if parts and conversation.run_pages.has_older:
            parts.append("older runs not counted")
        line = self.query_one("#run-total", Static)
        line.display = bool(parts)
        if (total_words := Content(" · ".join(parts))) != line.content:
            line.update(total_words)  # lays out the screen

    # what the chosen line holds

    def _draw_detail(self) -> None:
        row = self._highlighted
        state = self._state_of(row)
        self._show_picture(row.image if row is not None and self.tab == "steps" else "")
        if row is None or state is None or state.run is None:
            self._draw_sections([])
        elif self.tab == "run":
            step = state.steps.get(row.step_id or "")
            thing = dict(step) if step is not None else dict(state.run)
            text = as_json(thing)
            self._draw_sections([Section(f"json-{thing['id']}", str(thing.get("object", "")), text)])
        elif not row.image:
            self._draw_sections(
                [*self._offers(state, row), *sections(state, row, self._workspace.file_names.name)]
            )

    def _offers(self, state: RunState, row: RunRow) -> list[Section]:
        """What the user can do about packages that the code of a step has missed."""
        step = state.steps.get(row.step_id or "")
        if self._workspace.session.profile.kind != "embedded" or step is None or not lacks_packages([step]):
            return []
        from assistants_tui.installation import install_command  # not for the first frame

        command = install_command("code")
        text = f"Run this in a terminal and start the app again:\n{fenced(command, 'sh')}"
        return [Section(f"{step['id']}-extra", "Missing packages", text, raw=command)]

    def _draw_sections(self, wanted: list[Section]) -> None:
        if [section.id for section in wanted] != [section.id for section in self._shown]:
            self._detail.set_items([_item(section) for section in wanted], older=False)
            self._detail.scroll_home(animate=False)
        else:
            for section, shown in zip(wanted, self._shown, strict=True):
                if section != shown:
                    self._detail.upsert(_item(section))
        self._shown = wanted

    def _show_picture(self, file_id: str) -> None:
        """The picture in place of the text, or the text again."""
        view = self.query_one(PictureView)
        self._detail.display, view.display = not file_id, bool(file_id)
        if file_id != self._pictured:
            self._pictured = file_id
            if file_id:
                view.say("Reading…")
                self._read_picture(file_id)

    @work(exclusive=True, group="picture")
    async def _read_picture(self, file_id: str) -> None:
        view = self.query_one(PictureView)
        try:
            data = await self._workspace.files.read_picture(file_id)
        except ServiceError as error:
            view.say(str(error))
        else:
            view.show(data)

    def _draw_files(self) -> None:
        conversation, names = self._workspace.conversations.shown, self._workspace.file_names
        files = self._files = thread_files(conversation.messages.values(), conversation.runs.values())
        running = self._workspace.downloads.running
        self._show_picture("")
        self._file_list.set_rows(
            len(files),
            lambda index: file_row(files[index], names, running),
            key=lambda index: files[index].file_id,
        )
        self._draw_file()

    def _draw_file(self) -> None:
        file = self._file
        if file is None:
            self._draw_sections([])
        else:
            name = self._workspace.file_names.known(file.file_id)
            facts = file_facts(file, self._workspace.file_names)
            self._draw_sections([Section(f"file-{file.file_id}", name, facts, file_id=file.file_id)])

    @property
    def _highlighted(self) -> RunRow | None:
        index = self._tree.cursor
        return self._rows[index] if index is not None and index < len(self._rows) else None

    def _state_of(self, row: RunRow | None) -> RunState | None:
        return self._workspace.conversations.shown.runs.get(row.run_id) if row is not None else None

    @property
    def _file(self) -> ThreadFile | None:
        """The chosen file."""
        index = self._file_list.cursor
        return self._files[index] if index is not None and index < len(self._files) else None

    @property
    def _file_id(self) -> str:
        """The file that the keys mean: the chosen one, or the picture of the chosen line."""
        if self.tab == "files":
            return self._file.file_id if self._file is not None else ""
        return self._highlighted.image if self._highlighted is not None else ""

    @on(VirtualList.Highlighted)
    def _line_chosen(self, event: VirtualList.Highlighted) -> None:
        event.stop()
        self.refresh_bindings()
        if self.tab == "files":
            self._draw_file()
            return
        if self._tree.has_focus:
            newest = self._newest_row()
            self._following = newest is not None and event.index == newest
        self._draw_detail()

    @on(VirtualList.Selected)
    def _line_opened(self, event: VirtualList.Selected) -> None:
        event.stop()
        if file_id := self._file_id:
            self._view(file_id)
        elif (row := self._highlighted) is not None and row.key == _OLDER:
            self.run_worker(self._workspace.conversations.shown.run_pages.read_older())
        else:
            self.action_fold()

    # keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in {"save", "save_as", "open_file"}:
            return bool(self._file_id)
        if action == "fold":
            return self.tab != "files"
        return True

    def action_fold(self) -> None:
        if (row := self._highlighted) is not None and row.children:
            self._set_open(row, not row.open)

    def action_open(self) -> None:
        if (row := self._highlighted) is not None and row.children:
            self._set_open(row, True)

    def action_close(self) -> None:
        if (row := self._highlighted) is not None and row.children:
            self._set_open(row, False)

    def action_next_tab(self) -> None:
        names = [name for name, _ in _TABS]
        self.action_tab(names[(names.index(self.tab) + 1) % len(names)])

    def action_tab(self, tab: Tab) -> None:
        self.query_one(TabLine).active = tab

    def _show_tab(self, tab: Tab) -> None:
        files = tab == "files"
        focused = self._tree.has_focus or self._file_list.has_focus
        self._tree.display, self._file_list.display = not files, files
        self._look()
        self.refresh_bindings()
        if focused:
            self.call_after_refresh(self.rows.focus)

    def action_copy(self) -> None:
        row = self._highlighted
        state = self._state_of(row)
        if self.tab == "files":
            text = self._file_id
        elif row is None or state is None:
            text = ""
        elif self.tab == "run":
            text = copied(state, RunRow(row.key, 0, "", "", "", row.run_id, row.step_id))
        else:
            text = copied(state, row)
        self._copy(text)

    @work
    async def action_save(self) -> None:
        await save_file(self, self._workspace, self._file_id)

    @work
    async def action_save_as(self) -> None:
        await save_file_as(self, self._workspace, self._file_id)

    @work
    async def action_open_file(self) -> None:
        await open_with_system(self, self._workspace, self._file_id)

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
        raw = next((one.raw for one in self._shown if one.text == event.text and one.raw), event.text)
        self._copy(raw)

    def _copy(self, text: str) -> None:
        if text:
            self.app.copy_to_clipboard(clean(text))
            lines = text.count("\n") + 1
            self.notify(f"Copied {lines} line{'s' if lines > 1 else ''}.", timeout=2, markup=False)

    def _set_open(self, row: RunRow, is_open: bool) -> None:
        self._folded = self._folded - {row.key} if is_open else self._folded | {row.key}
        self._unfolded = self._unfolded | {row.key} if is_open else self._unfolded - {row.key}
        if is_open and row.depth == 0:
            self.run_worker(self._workspace.conversations.shown.run_pages.read(row.run_id))
        self._look()


def _item(section: Section) -> MessageItem:
    note = Note("file" if section.text else "image", section.file_name, section.file_id)
    return MessageItem(
        id=section.id,
        author=section.heading,
        from_user=False,
        time="",
        text=section.text,
        notes=(note,) if section.file_name else (),
        streaming=section.live,
    )
