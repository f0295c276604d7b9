"""The assistants of the profile: whom to talk to."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from assistants_tui.service.wire import Assistant
from assistants_tui.tui.widgets.virtual_list import VirtualList

_BADGES = {"code_interpreter": "py", "file_search": "doc", "function": "fn"}


class AssistantsPane(Vertical):
    """The list of assistants with a badge for each kind of tool. The chosen one answers the next message."""

    HELP: ClassVar[str] = "Choose with the arrow keys or j and k; Enter makes it answer the next message."

    class Chosen(Message):
        """The user chose who answers from now on."""

        def __init__(self, assistant_id: str) -> None:
            super().__init__()
            self.assistant_id = assistant_id

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._assistants: Sequence[Assistant] = ()
        self._chosen: str | None = None

    def compose(self) -> ComposeResult:
        yield Static("Assistants", classes="pane-title")
        yield VirtualList(id="assistant-list", empty="Connecting…")

    @property
    def rows(self) -> VirtualList:
        return self.query_one(VirtualList)

    def show(self, assistants: Sequence[Assistant], chosen: str | None, *, empty: str) -> None:
        """Show `assistants` with `chosen` marked; `empty` says why there is none."""
        self._assistants = assistants
        self._chosen = chosen
        self.rows.empty = empty
        self.rows.set_rows(
            len(assistants), self._row, key=lambda index: assistants[index]["id"], selected_key=chosen
        )

    def _row(self, index: int) -> Content:
        assistant = self._assistants[index]
        mark = "●" if assistant["id"] == self._chosen else " "
        kinds = dict.fromkeys(str(tool.get("type")) for tool in assistant.get("tools") or ())
        badges = " ".join(_BADGES.get(kind, kind) for kind in kinds)
        return Content.assemble(
            (f"{mark} ", "$text-accent"),
            assistant.get("name") or assistant["id"],
            (f"  {badges}" if badges else "", "$muted"),
        )

    @on(VirtualList.Selected)
    def _selected(self, event: VirtualList.Selected) -> None:
        event.stop()
        self.post_message(self.Chosen(self._assistants[event.index]["id"]))
