"""The messages of the shown conversation, and what the user opens or copies from them."""

from textual import on, work

from assistants_tui.service.conversation import Conversation, Outgoing
from assistants_tui.service.wire import Message
from assistants_tui.service.workspace import Changed, Workspace
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.message_items import message_item, outgoing_item
from assistants_tui.tui.screens.dialogs import ChoiceDialog, PickDialog
from assistants_tui.tui.widgets.message_body import MessageItem
from assistants_tui.tui.widgets.message_view import MessageView

_FRAME = 1 / 30
"""Seconds between two looks at the conversation while it changes; a token may arrive every millisecond."""
_WELCOME = """\
{name} is ready.

Type a message below and press Enter.
Tab moves between the panes, F1 explains, Ctrl+Q quits."""
_CONNECTING = "Starting… You can type already; the message goes out as soon as the server is there."


class Transcript(MessageView):
    """Draws the messages and the outbox of the workspace's conversation."""

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._shown: dict[str, Message | Outgoing] = {}
        self._scheduled = False

    def on_mount(self) -> None:
        self._workspace.subscribe(self._workspace_changed)
        self._show_all()

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & (Changed.PLACE | Changed.ASSISTANTS):
            self._show_all()
        elif changed & Changed.CONNECTION:
            self._show_empty()
        if changed & Changed.CONVERSATION and not self._scheduled:
            self._scheduled = True
            self.set_timer(_FRAME, self._look)

    def _show_all(self) -> None:
        conversation = self._workspace.conversation
        self._shown = _things(conversation)
        self.set_items([self._item(thing) for thing in self._shown.values()], older=conversation.has_older)
        self._show_empty()

    def _show_empty(self) -> None:
        workspace = self._workspace
        name = workspace.assistant_names.get(workspace.assistant_id or "")
        if workspace.conversation.thread_id is not None:
            self.empty_text = "" if workspace.conversation.opened else "Opening the thread…"
        elif workspace.error is not None:
            self.empty_text = "There is no connection. Ctrl+R tries again."
        elif not workspace.connected:
            self.empty_text = _CONNECTING
        else:
            self.empty_text = _WELCOME.format(name=name) if name else "Create an assistant to begin."

    def _look(self) -> None:
        """Bring the view up to date: older messages above, changed ones, new ones below."""
        self._scheduled = False
        conversation = self._workspace.conversation
        wanted = _things(conversation)
        for gone in [key for key in self._shown if key not in wanted]:
            self.remove_item(gone)
            del self._shown[gone]
        order = list(wanted)
        first = next(iter(self._shown), None)
        if first is not None and (above := order[: order.index(first)]):
            self.prepend([self._item(wanted[key]) for key in above], older=conversation.has_older)
            self._shown = {**{key: wanted[key] for key in above}, **self._shown}
        if order[: len(self._shown)] != list(self._shown):
            self._show_all()  # something came in between, as a queued text does not wait for its turn here
            return
        for key, thing in wanted.items():
            if self._shown.get(key) is not thing:
                self._shown[key] = thing
                self.upsert(self._item(thing))
        if not wanted:
            self._show_empty()

    def _item(self, thing: Message | Outgoing) -> MessageItem:
        if isinstance(thing, Outgoing):
            return outgoing_item(thing)
        return message_item(thing, self._workspace.assistant_names)

    @on(MessageView.OlderWanted)
    @work
    async def _read_older(self) -> None:
        await self._workspace.conversation.read_older()

    @on(MessageView.CopyWanted)
    def _copy(self, event: MessageView.CopyWanted) -> None:
        self.app.copy_to_clipboard(event.text)
        lines = event.text.count("\n") + 1
        self.notify(f"Copied {lines} line{'s' if lines > 1 else ''}.", timeout=2, markup=False)

    @on(MessageView.CodeWanted)
    @work
    async def _copy_code(self, event: MessageView.CodeWanted) -> None:
        if not event.blocks:
            self.notify("There is no code in this message.", timeout=3, markup=False)
            return
        firsts = [block.source.strip().split("\n", 1)[0] for block in event.blocks]
        number = await self.app.push_screen_wait(PickDialog("Copy which code block?", firsts))
        if number is not None:
            self.post_message(MessageView.CopyWanted(event.blocks[number].source))

    @on(MessageView.OpenWanted)
    @work
    async def _open(self, event: MessageView.OpenWanted) -> None:
        rows = [*(note.text for note in event.notes), *event.links]
        if not rows:
            self.notify("There is nothing to open in this message.", timeout=3, markup=False)
            return
        number = await self.app.push_screen_wait(PickDialog("Open what?", rows))
        if number is None:
            return
        if number < len(event.notes):
            self.post_message(MessageView.NoteOpened(event.item.id, event.notes[number]))
        else:
            self.post_message(MessageView.LinkOpened(event.links[number - len(event.notes)]))

    @on(MessageView.LinkOpened)
    @work
    async def _open_link(self, event: MessageView.LinkOpened) -> None:
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                "Open this link in the browser?",
                event.url,
                choices=[("stay", "Stay here"), ("copy", "Copy it"), ("open", "Open")],
            )
        )
        if choice == "open":
            self.app.open_url(event.url)
        elif choice == "copy":
            self.app.copy_to_clipboard(event.url)

    @on(MessageView.NoteOpened)
    @work
    async def _open_note(self, event: MessageView.NoteOpened) -> None:
        if event.note.target is None:
            return
        with told_failures(self, "Not saved"):
            backend = await self._workspace.connection.backend()
            path = await backend.files.download(event.note.target)
            self.notify(str(path), title="Saved", markup=False)


def _things(conversation: Conversation) -> dict[str, Message | Outgoing]:
    return {**conversation.messages, **{item.id: item for item in conversation.outbox}}
