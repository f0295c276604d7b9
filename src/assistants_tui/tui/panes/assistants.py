"""The assistants of the profile: whom to talk to."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.changes import Changed
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.app_messages import ComposerWanted
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.other_windows import follow_other_windows
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList

_LOOK = (5.0, 60.0)
"""Seconds between two looks for what another window did: at the embedded engine, and at a server."""
_BADGES = {"code_interpreter": "py", "file_search": "doc", "function": "fn"}


class AssistantsPane(Vertical):
    """The list of assistants with a badge for each kind of tool. The chosen one answers the next message."""

    HELP: ClassVar[str] = (
        "Enter lets an assistant answer the next message. / filters by name, model, ID, description and "
        "metadata."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash", "filter", "Filter", key_display="/", id="assistants.filter", tooltip="Filter the list"
        ),
        Binding("n", "create", "New", id="assistants.new", tooltip="Create an assistant"),
        Binding("e", "edit", "Edit", id="assistants.edit", tooltip="Edit the assistant"),
        Binding("d,delete", "delete", "Delete", id="assistants.delete", tooltip="Delete the assistant"),
        Binding("u", "undo", "Undo", id="assistants.undo", tooltip="Bring the deleted assistant back"),
        Binding("c", "duplicate", "Copy", id="assistants.duplicate", tooltip="Duplicate the assistant"),
        Binding("y", "copy_id", show=False, id="assistants.copy_id", tooltip="Copy the ID of the assistant"),
        Binding("i", "import", show=False, id="assistants.import", tooltip="Import assistants from a file"),
        Binding("x", "export", show=False, id="assistants.export", tooltip="Export the assistant to a file"),
        Binding("X", "export_all", show=False, id="assistants.export_all", tooltip="Export all assistants"),
        Binding("escape", "close_filter", show=False),
    ]
    DEFAULT_CSS = """
    AssistantsPane #assistant-filter { display: none; &.-textual-compact { padding: 0 1; } }
    AssistantsPane.-filtered #assistant-filter { display: block; }
    """

    class EditorWanted(Message):
        """The user wants to edit an assistant, or to create one."""

        def __init__(self, assistant: Assistant | None) -> None:
            super().__init__()
            self.assistant = assistant

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._shown: Sequence[Assistant] = ()

    def compose(self) -> ComposeResult:
        yield Static("Assistants", classes="pane-title")
        yield Input(id="assistant-filter", placeholder="Filter", compact=True)
        yield VirtualList(id="assistant-list")

    def on_mount(self) -> None:
        self._workspace.feed.subscribe(self._workspace_changed)
        embedded = self._workspace.session.profile.kind == "embedded"
        follow_other_windows(self, self._notice, _LOOK, embedded=embedded)
        self._draw()

    @property
    def rows(self) -> VirtualList:
        return self.query_one(VirtualList)

    @property
    def _filter(self) -> Input:
        return self.query_one("#assistant-filter", Input)

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & (Changed.ASSISTANTS | Changed.CONNECTION):
            self._draw(follow=True)

    async def _notice(self) -> None:
        await self._workspace.assistants.notice()

    # the list

    def _draw(self, *, follow: bool = False) -> None:
        """Show the assistants that match. `follow`: the cursor goes to the one that answers."""
        words = self._filter.value.casefold().split()
        shown = self._shown = [one for one in self._workspace.assistants.all if _matches(one, words)]
        self.rows.empty = self._reason(filtered=bool(words))
        self.rows.set_rows(
            len(shown),
            self._row,
            key=lambda index: shown[index]["id"],
            selected_key=self._workspace.assistants.chosen_id if follow and not self.rows.has_focus else None,
        )

    def _reason(self, *, filtered: bool) -> str:
        """Why there are no rows."""
        if filtered:
            return "No assistant matches."
        if self._workspace.session.connected:
            return "No assistant yet. Press n to create one."
        return "No connection." if self._workspace.session.error else "Connecting…"

    def _row(self, index: int) -> Content:
        assistant = self._shown[index]
        mark = "●" if assistant["id"] == self._workspace.assistants.chosen_id else " "
        kinds = dict.fromkeys(str(tool.get("type")) for tool in assistant.get("tools") or ())
        badges = Content.styled("".join(f"  {_BADGES.get(kind, kind)}" for kind in kinds), "$muted")
        room = self.rows.size.width - 4 - badges.cell_length
        name = Content(clean(assistant.get("name") or assistant["id"])).truncate(max(8, room), ellipsis=True)
        return Content.assemble((f"{mark} ", "$text-accent"), name, badges)

    @property
    def _highlighted(self) -> Assistant | None:
        index = self.rows.cursor
        return self._shown[index] if index is not None and index < len(self._shown) else None

    @on(VirtualList.Selected)
    def _chosen(self, event: VirtualList.Selected) -> None:
        event.stop()
        if event.index is not None:
            self._workspace.assistants.choose(event.key)
            self.post_message(ComposerWanted())

    # the filter

    @on(Input.Changed, "#assistant-filter")
    def _filter_changed(self) -> None:
        self._draw()

    @on(Input.Submitted, "#assistant-filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.rows.focus()

    def action_filter(self) -> None:
        self.add_class("-filtered")
        self.screen.set_focus(self._filter)  # at once: the next keys are for it

    def action_close_filter(self) -> None:
        self._filter.value = ""
        self.remove_class("-filtered")
        self.rows.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "close_filter":
            return self.has_class("-filtered")
        if action == "undo":
            return self._workspace.assistant_store.can_restore
        if action in {"edit", "duplicate", "delete", "copy_id", "export"}:
            return self._highlighted is not None
        return True

    # changes

    def action_create(self) -> None:
        self.post_message(self.EditorWanted(None))

    @work
    async def action_edit(self) -> None:
        if (known := self._highlighted) is not None:
            with told_failures(self, "Not read"):
                assistant = await self._workspace.assistant_store.retrieve(known["id"])
                self.post_message(self.EditorWanted(assistant))

    async def show_assistant(self, assistant: Assistant, *, choose: bool) -> None:
        """Read the list again and go to an assistant in it, which answers from now on if `choose`."""
        with told_failures(self, "The list is not up to date"):
            await self._workspace.assistants.refresh()
        if choose:
            self._workspace.assistants.choose(assistant["id"])
        ids = [one["id"] for one in self._shown]
        if assistant["id"] in ids:
            self.rows.cursor = ids.index(assistant["id"])

    @work
    async def action_duplicate(self) -> None:
        if (assistant := self._highlighted) is not None:
            with told_failures(self, "Not duplicated"):
                made = await self._workspace.assistant_store.duplicate(assistant)
                await self.show_assistant(made, choose=False)

    @work
    async def action_delete(self) -> None:
        if (assistant := self._highlighted) is None:
            return
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"Delete “{assistant.get('name') or assistant['id']}”?",
                "Its threads stay, and other assistants can go on with them. So do its files and stores.",
                choices=[("keep", "Keep it"), ("delete", "Delete it")],
                danger="delete",
            )
        )
        if choice != "delete":
            return
        with told_failures(self, "Not deleted"):
            await self._workspace.assistant_store.delete(assistant)
            await self._workspace.assistants.refresh()
            self.refresh_bindings()
            self.notify("u brings it back, under a new ID.", title="Deleted", markup=False)

    @work
    async def action_undo(self) -> None:
        if self._workspace.assistant_store.can_restore:
            with told_failures(self, "Not brought back"):
                made = await self._workspace.assistant_store.restore()
                self.refresh_bindings()
                await self.show_assistant(made, choose=False)

    def action_copy_id(self) -> None:
        if (assistant := self._highlighted) is not None:
            self.app.copy_to_clipboard(clean(assistant["id"]))
            self.notify(assistant["id"], title="Copied", markup=False)

    # files

    @work
    async def action_import(self) -> None:
        from assistants_tui.tui.dialogs.assistant_transfer import import_assistants

        for made in await import_assistants(self, self._workspace):
            await self.show_assistant(made, choose=False)

    @work
    async def action_export(self) -> None:
        if (assistant := self._highlighted) is not None:
            await self._export([assistant], assistant.get("name") or "assistant")

    @work
    async def action_export_all(self) -> None:
        await self._export(self._workspace.assistants.all, "assistants")

    async def _export(self, assistants: Sequence[Assistant], name: str) -> None:
        from assistants_tui.tui.dialogs.assistant_transfer import export_assistants

        await export_assistants(self, assistants, name)


def _matches(assistant: Assistant, words: Sequence[str]) -> bool:
    pairs = (assistant.get("metadata") or {}).items()
    text = " ".join(
        [
            *(str(assistant.get(key) or "") for key in ("name", "id", "model", "description")),
            *(f"{key}={value}" for key, value in pairs),
        ]
    ).casefold()
    return all(word in text for word in words)
