"""The inspector: what the runs of the open thread did, step by step, and the raw objects behind them."""

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from assistants_tui.service.workspace import Changed, Workspace
from assistants_tui.tui.run_rows import RunRow, Section, as_json, rows, sections
from assistants_tui.tui.widgets.message_body import MessageItem
from assistants_tui.tui.widgets.message_view import MessageView
from assistants_tui.tui.widgets.virtual_list import VirtualList

_FRAME = 1 / 20
Tab = Literal["steps", "run"]


class TabLine(Widget, can_focus=False):
    """The names of the tabs in one line, the shown one marked."""

    TABS: ClassVar[tuple[tuple[Tab, str], ...]] = (("steps", "Steps"), ("run", "Run"))
    active: reactive[Tab] = reactive("steps")

    def render(self) -> Content:
        parts: list[Content] = []
        for name, label in self.TABS:
            style = "bold $text-accent underline" if name == self.active else "$muted"
            parts += [Content.styled(label, style), Content("   ")]
        return Content.assemble(*parts)


class InspectorPane(Vertical):
    """The tree run → step → tool call, live, and under it what the chosen line holds."""

    HELP: ClassVar[str] = (
        "Arrows choose a line, Enter or space folds it, t switches between steps and raw JSON."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Fold", id="inspector.fold"),
        Binding("left", "close", show=False, id="inspector.close"),
        Binding("right", "open", show=False, id="inspector.open"),
        Binding("t", "next_tab", "Raw JSON", id="inspector.tab"),
    ]

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._rows: list[RunRow] = []
        self._folded: frozenset[str] = frozenset()
        self._unfolded: frozenset[str] = frozenset()
        self._following = True
        self._shown: list[Section] = []
        self._scheduled = False

    def compose(self) -> ComposeResult:
        yield TabLine(id="inspector-tabs", classes="pane-title")
        yield VirtualList(id="run-tree")
        yield MessageView(id="run-detail")

    def on_mount(self) -> None:
        self._tree.empty = (
            "No run yet. Each answer shows its steps here: code, searches, function calls, messages."
        )
        self._workspace.subscribe(self._workspace_changed)
        self._begin()

    @property
    def _tree(self) -> VirtualList:
        return self.query_one("#run-tree", VirtualList)

    @property
    def _detail(self) -> MessageView:
        return self.query_one("#run-detail", MessageView)

    @property
    def tab(self) -> Tab:
        """What is shown under the tree."""
        return self.query_one(TabLine).active

    def _begin(self) -> None:
        """Show the runs of the conversation, following the newest step until the user chooses a line."""
        self._folded = self._unfolded = frozenset()
        self._following = True
        self._shown = []
        self._look()

    def on_show(self) -> None:
        self._look()  # nothing was drawn while nobody saw it

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & Changed.PLACE:
            self._begin()
        elif changed & Changed.CONVERSATION and not self._scheduled and self.display:
            self._scheduled = True
            self.set_timer(_FRAME, self._look)

    def _look(self) -> None:
        self._scheduled = False
        self._rows = rows(self._workspace.conversation.runs.values(), self._folded, self._unfolded)
        lines = self._rows
        followed = self._newest_row() if self._following else None
        self._tree.set_rows(
            len(lines),
            lambda index: lines[index].content(),
            key=lambda index: lines[index].key,
            selected_key=lines[followed].key if followed is not None else None,
        )
        self._draw_detail()

    def _newest_row(self) -> int | None:
        """The last step of the newest run: the one that is being written."""
        newest = [index for index, row in enumerate(self._rows) if row.run_id == self._rows[0].run_id]
        steps = [index for index in newest if self._rows[index].depth == 1]
        return steps[-1] if steps else newest[0] if newest else None

    def _draw_detail(self) -> None:
        row = self._highlighted
        state = self._workspace.conversation.runs.get(row.run_id) if row else None
        if row is None or state is None or state.run is None:
            self._shown = []
            self._detail.set_items([], older=False)
            return
        if self.tab == "run":
            step = state.steps.get(row.step_id or "")
            thing = dict(step) if step is not None else dict(state.run)
            wanted = [Section(f"json-{thing['id']}", str(thing.get("object", "")), as_json(thing))]
        else:
            wanted = sections(state, row)
        if [section.id for section in wanted] != [section.id for section in self._shown]:
            self._detail.set_items([_item(section) for section in wanted], older=False)
            self._detail.scroll_home(animate=False)
        else:
            for section, shown in zip(wanted, self._shown, strict=True):
                if section != shown:
                    self._detail.upsert(_item(section))
        self._shown = wanted

    @property
    def _highlighted(self) -> RunRow | None:
        index = self._tree.cursor
        return self._rows[index] if index is not None and index < len(self._rows) else None

    @on(VirtualList.Highlighted)
    def _line_chosen(self, event: VirtualList.Highlighted) -> None:
        event.stop()
        if self._tree.has_focus:
            newest = self._newest_row()
            self._following = newest is not None and event.index == newest
        self._draw_detail()

    @on(VirtualList.Selected)
    def _line_opened(self, event: VirtualList.Selected) -> None:
        event.stop()
        self.action_fold()

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
        tabs = self.query_one(TabLine)
        tabs.active = "run" if tabs.active == "steps" else "steps"
        self._draw_detail()

    def _set_open(self, row: RunRow, is_open: bool) -> None:
        self._folded = self._folded - {row.key} if is_open else self._folded | {row.key}
        self._unfolded = self._unfolded | {row.key} if is_open else self._unfolded - {row.key}
        if is_open and row.depth == 0:
            self.run_worker(self._workspace.conversation.read_run(row.run_id))
        self._look()


def _item(section: Section) -> MessageItem:
    return MessageItem(
        id=section.id,
        author=section.heading,
        from_user=False,
        time="",
        text=section.text,
        streaming=section.live,
    )
