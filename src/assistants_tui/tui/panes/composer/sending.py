"""Sends the message that is being written, and takes back what has not gone out."""

from collections.abc import Callable

from textual.widget import Widget

from assistants_tui.service.drafts import Draft
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.panes.composer.message import Edit, MessageInComposer, Written, appended
from assistants_tui.tui.panes.composer.thread_drafts import ThreadDrafts


class MessageSending:
    """Sends to the end of the thread, or on a branch in place of another message."""

    def __init__(
        self,
        pane: Widget,
        workspace: Workspace,
        message: MessageInComposer,
        drafts: ThreadDrafts,
        sent: Callable[[], object],
    ) -> None:
        """`sent` is called when a message of the shown conversation is on its way."""
        self._pane = pane
        self._workspace = workspace
        self._message = message
        self._drafts = drafts
        self._sent = sent

    def send(self, draft: Draft, rest: str = "") -> None:
        """Send a draft and go on with `rest`."""
        if (edit := self._message.edit) is not None:
            self._pane.run_worker(self._send_instead(edit, draft, rest), group="branch")
            return
        with told_failures(self._pane, "Not sent"):
            self._workspace.messages.send(draft)
            self._message.remember(draft.text)
            self._message.put(Written(Draft(rest)))
            self._drafts.keep()  # now, while it is known which thread it was for
            self._sent()

    async def _send_instead(self, edit: Edit, draft: Draft, rest: str) -> None:
        """Send a draft on a branch and go on there with `rest`; if that fails, it is all as before."""
        conversations, store = self._workspace.conversations, self._workspace.drafts
        origin, thread_id = self._message.conversation, self._message.conversation.thread_id
        branch, sent = origin, False
        unsent = appended(Written(draft, edit), rest)
        self._message.put(Written(edit.aside))
        store.put(thread_id, unsent.whole)  # should the app end before it is sent
        with told_failures(self._pane, "Not sent"):
            branch = await self._workspace.branches.send_instead(edit.message_id, draft)
            sent = True
        if store.get(thread_id) == unsent.whole:
            store.put(thread_id, edit.aside)
        if sent:
            self._message.remember(draft.text)
            if branch is conversations.shown:
                self._message.insert(rest)
                self._sent()
            elif rest:
                self._drafts.set_aside(branch, Written(Draft(rest)))
        elif self._message.conversation is origin:
            self._message.write_instead(edit.message_id, unsent.draft)
        else:
            self._drafts.set_aside(origin, unsent)

    def take_back(self) -> bool:
        """Bring the message that was queued last back into the composer."""
        outbox = self._workspace.conversations.shown.outbox
        waiting = [item for item in outbox if not item.sending and not item.posted]
        return bool(waiting) and self._bring(waiting[-1].id)

    def bring_back(self, outgoing_id: str) -> None:
        """Take a message back that has not gone out, if nothing is written."""
        if self._message.is_empty:
            self._bring(outgoing_id)

    def _bring(self, outgoing_id: str) -> bool:
        draft = self._workspace.conversations.shown.sender.take_back(outgoing_id)
        if draft is not None:
            self._message.put(Written(draft))
        return draft is not None
