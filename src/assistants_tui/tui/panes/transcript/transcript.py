"""The messages of the shown conversation, and the keys for what the user does with them."""

from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage

from assistants_tui.protocol.objects import Message
from assistants_tui.service.changes import Changed
from assistants_tui.service.conversation.outbox import Outgoing
from assistants_tui.service.drafts import Draft
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.footnotes import open_note
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.text.safety import clean

from .empty_text import empty_text
from .message_actions import MessageActions
from .opening import choose_code, choose_target, open_link, view_in_pager
from .shown_messages import Shown, ShownMessages, text_of


class Transcript(MessageView):
    """Shows the messages and the outbox of the workspace's conversation."""

    HELP: ClassVar[str] = (
        "j and k choose a message, and the other keys do something with it. Enter or o opens its footnotes, "
        "files and links, v the whole message in your pager, V its code. r has the thread answered again; e "
        "changes one of your messages and sends it on a branch, so that this thread stays as it is."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "answer_again", "Regenerate", id="messages.regenerate", tooltip="Answer again"),
        Binding("e", "edit", "Edit", id="messages.edit", tooltip="Change a message of yours on a branch"),
        Binding("b", "branch", "Branch", id="messages.branch", tooltip="Go on from here in a new thread"),
        Binding("space", "fold", "Fold", show=False, id="messages.fold", tooltip="Fold a long message"),
        Binding("z", "fold_code", show=False, id="messages.fold_code", tooltip="Fold the code of a message"),
        Binding("v", "view", show=False, id="messages.view", tooltip="Open the message in your pager"),
        Binding("V", "view_code", show=False, id="messages.view_code", tooltip="Open code in your pager"),
        Binding("m", "metadata", show=False, id="messages.metadata", tooltip="Metadata of the message"),
        Binding("d,delete", "delete", show=False, id="messages.delete", tooltip="Delete the message"),
        Binding("i", "copy_id", show=False, id="messages.copy_id", tooltip="Copy the ID of the message"),
    ]

    class DraftWanted(TextualMessage):
        """Something is to be written again."""

        def __init__(self, draft: Draft, instead_of: str | None = None) -> None:
            """`instead_of` is the ID of a message that the draft is to replace, on a branch."""
            super().__init__()
            self.draft = draft
            self.instead_of = instead_of

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._messages = ShownMessages(workspace, self)
        self._actions = MessageActions(workspace, self, self._write)

    def on_mount(self) -> None:
        self._workspace.feed.subscribe(self._workspace_changed)
        self._show_all()

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & Changed.PLACE:
            self._messages.clear_sources()
        if changed & (Changed.PLACE | Changed.ASSISTANTS):
            self._show_all()
        elif changed & Changed.CONNECTION:
            self.empty_text = empty_text(self._workspace)
        if changed & Changed.FILES:
            self._messages.show_file_names()
        if changed & Changed.CONVERSATION:
            self._frames.request()

    def _show_all(self) -> None:
        self._messages.show_all()
        self.empty_text = empty_text(self._workspace)

    def _collect(self) -> None:
        self.look()

    def look(self) -> None:
        """Take over what has changed in the conversation."""
        if self._messages.last_id:
            self._messages.show_changes()
        else:
            self._show_all()  # the thread has been read: only this also says whether there is more above

    # the chosen message

    @property
    def _chosen(self) -> Shown | None:
        """What the cursor is on; the last message if it is nowhere."""
        item = self.selected_item
        return self._messages.get(item.id if item is not None else self._messages.last_id)

    @property
    def _chosen_message(self) -> Message | None:
        thing = self._chosen
        return None if isinstance(thing, Outgoing) else thing

    def action_copy(self) -> None:
        if (thing := self._chosen) is not None:
            self.post_message(self.CopyWanted(text_of(thing)))

    def action_copy_id(self) -> None:
        if (message := self._chosen_message) is not None:
            self.post_message(self.CopyWanted(clean(message["id"])))

    def copy_last(self) -> None:
        """Copy the newest answer."""
        for message in reversed(self._workspace.conversations.shown.messages.values()):
            if message["role"] == "assistant":
                self.post_message(self.CopyWanted(text_of(message)))
                return
        self.notify("There is no answer yet.", timeout=4, markup=False)

    def action_fold(self) -> None:
        message, item = self._chosen_message, self.selected_item
        if message is not None and item is not None:
            self._messages.fold(message, item)

    def action_fold_code(self) -> None:
        message = self._chosen_message
        if message is not None and not self._messages.fold_code(message):
            self.notify("The message is too long to have its code folded.", timeout=4, markup=False)

    @work
    async def action_answer_again(self) -> None:
        await self.answer_again()

    async def answer_again(self) -> None:
        """Replace the last answer, after asking; where there is none, let one be given."""
        await self._actions.answer_again()

    @work
    async def action_branch(self) -> None:
        if (message := self._chosen_message) is not None:
            await self._actions.branch(message)

    async def branch_last(self) -> None:
        """Go on in a new thread with copies of all messages."""
        await self._actions.branch_last()

    @work
    async def action_edit(self) -> None:
        """Take a waiting message back, or write one of the user's messages anew, to be sent on a branch."""
        await self._actions.edit(self._chosen)

    def _write(self, draft: Draft, instead_of: str | None) -> None:
        self.post_message(self.DraftWanted(draft, instead_of))

    @work
    async def action_delete(self) -> None:
        if (message := self._chosen_message) is not None:
            await self._actions.delete(message)

    @work
    async def action_metadata(self) -> None:
        if (message := self._chosen_message) is not None:
            await self._actions.edit_metadata(message)

    @work(exclusive=True, group="editor")
    async def action_view(self) -> None:
        if (thing := self._chosen) is not None:
            await view_in_pager(self, text_of(thing), "message.md")

    @work(exclusive=True, group="editor")
    async def action_view_code(self) -> None:
        item = self.selected_item
        blocks = self.code_blocks(item.id) if item is not None else []
        one = len(blocks) == 1
        block = blocks[0] if one else await choose_code(self, "Open which code block?", blocks)
        if block is not None:
            await view_in_pager(self, block.source, "code.txt")

    # finding

    def matches(self, words: str) -> list[str]:
        """The IDs of the messages that contain `words`, oldest first, of those that are read."""
        wanted = words.casefold()
        if not wanted:
            return []
        messages = self._workspace.conversations.shown.messages
        return [key for key, message in messages.items() if wanted in text_of(message).casefold()]

    def show_match(self, message_id: str, words: str) -> None:
        """Show a message where it contains `words`; a folded one is opened."""
        message = self._workspace.conversations.shown.messages.get(message_id)
        if message is None:
            return
        self.look()
        self._messages.unfold(message)
        self.mark(words)
        self.reveal(message_id, words)

    # what the view asks for

    @on(MessageView.OlderWanted)
    @work
    async def _read_older(self) -> None:
        await self._workspace.conversations.shown.pages.read_older()

    @on(MessageView.CopyWanted)
    def _copy(self, event: MessageView.CopyWanted) -> None:
        self.app.copy_to_clipboard(event.text)
        lines = event.text.count("\n") + 1
        self.notify(f"Copied {lines} line{'s' if lines > 1 else ''}.", timeout=2, markup=False)

    @on(MessageView.CodeWanted)
    @work
    async def _copy_code(self, event: MessageView.CodeWanted) -> None:
        if (block := await choose_code(self, "Copy which code block?", event.blocks)) is not None:
            self.post_message(MessageView.CopyWanted(block.source))

    @on(MessageView.OpenWanted)
    @work
    async def _open(self, event: MessageView.OpenWanted) -> None:
        if (chosen := await choose_target(self, event)) is not None:
            self.post_message(chosen)

    @on(MessageView.LinkOpened)
    @work
    async def _open_link(self, event: MessageView.LinkOpened) -> None:
        await open_link(self, event.url)

    @on(MessageView.NoteOpened)
    @work
    async def _open_note(self, event: MessageView.NoteOpened) -> None:
        await open_note(self, self._workspace, event.item_id, event.note)
