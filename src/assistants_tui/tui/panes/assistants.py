"""The assistants of the profile: whom to talk to."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from assistants_tui.service.workspace import Changed, Workspace
from assistants_tui.tui.messages import ComposerWanted
from assistants_tui.tui.widgets.virtual_list import VirtualList

_BADGES = {"code_interpreter": "py", "file_search": "doc", "function": "fn"}


class AssistantsPane(Vertical):
    """The list of assistants with a badge for each kind of tool. The chosen one answers the next message."""

    HELP: ClassVar[str] = "Choose with the arrow keys or j and k; Enter makes it answer the next message."

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace

    def compose(self) -> ComposeResult:
        yield Static("Assistants", classes="pane-title")
        yield VirtualList(id="assistant-list")

    def on_mount(self) -> None:
        self._workspace.subscribe(self._workspace_changed)
        self._draw()

    @property
    def rows(self) -> VirtualList:
        return self.query_one(VirtualList)

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & (Changed.ASSISTANTS | Changed.CONNECTION):
            self._draw()

    def _draw(self) -> None:
        assistants = self._workspace.assistants
        if self._workspace.connected:
            self.rows.empty = "There is no assistant yet."
        else:
            self.rows.empty = "No connection." if self._workspace.error else "Connecting…"
        self.rows.set_rows(
            len(assistants),
            self._row,
            key=lambda index: assistants[index]["id"],
            selected_key=self._workspace.assistant_id,
        )

    def _row(self, index: int) -> Content:
        assistant = self._workspace.assistants[index]
        mark = "●" if assistant["id"] == self._workspace.assistant_id else " "
        kinds = dict.fromkeys(str(tool.get("type")) for tool in assistant.get("tools") or ())
        badges = " ".join(_BADGES.get(kind, kind) for kind in kinds)
        return Content.assemble(
            (f"{mark} ", "$text-accent"),
            assistant.get("name") or assistant["id"],
            (f"  {badges}" if badges else "", "$muted"),
        )

    @on(VirtualList.Selected)
    def _chosen(self, event: VirtualList.Selected) -> None:
        event.stop()
        self._workspace.choose_assistant(self._workspace.assistants[event.index]["id"])
        self.post_message(ComposerWanted())
