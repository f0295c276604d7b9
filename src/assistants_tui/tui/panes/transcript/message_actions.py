"""What the user does with messages of the thread: answer again, branch, edit, delete, annotate."""

from collections.abc import Callable
from itertools import takewhile

from textual.widget import Widget

from assistants_tui.protocol.objects import Message
from assistants_tui.service import metadata
from assistants_tui.service.conversation.outbox import Outgoing
from assistants_tui.service.conversation.posting import without_mark
from assistants_tui.service.drafts import Draft
from assistants_tui.service.files.attachments import attached_again
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.questions import ChoiceDialog, LinesDialog
from assistants_tui.tui.failures import told_failures

from .shown_messages import Shown, file_ids, text_of


class MessageActions:
    """Asks, has the workspace do it, and tells what failed. To be called in a worker of the widget."""

    def __init__(
        self, workspace: Workspace, widget: Widget, write: Callable[[Draft, str | None], None]
    ) -> None:
        """`write` lets the user write a draft, which replaces the message with the given ID, if any."""
        self._workspace = workspace
        self._widget = widget
        self._write = write

    def _say(self, text: str) -> None:
        self._widget.notify(text, timeout=4, markup=False)

    async def answer_again(self) -> None:
        """Replace the last answer, after asking; where there is none, let one be given."""
        workspace = self._workspace
        conversation = workspace.conversations.shown
        last = next(reversed(conversation.messages.values()), None)
        if last is None:
            self._say("There is nothing to answer yet.")
            return
        with told_failures(self._widget, "Not answered"):
            if last["role"] == "user":
                workspace.messages.run()
                return
            choice = await self._widget.app.push_screen_wait(
                ChoiceDialog(
                    "Answer again?",
                    "Replace: the last answer is deleted. On a branch: this thread stays as it is.",
                    choices=[("no", "Keep it"), ("branch", "On a branch"), ("replace", "Replace")],
                )
            )
            if choice == "replace":
                await workspace.messages.answer_again()
            elif choice == "branch":
                asked = [message for message in conversation.messages.values() if message["role"] == "user"]
                if asked:
                    await workspace.branches.answer(asked[-1]["id"])

    async def branch(self, message: Message) -> None:
        """Go on in a new thread with copies of the messages up to this one."""
        with told_failures(self._widget, "No branch"):
            await self._workspace.branches.branch(message["id"], including=True)
            self._say("This is a branch: a new thread with copies of the messages.")
            self._write(Draft(""), None)

    async def branch_last(self) -> None:
        """Go on in a new thread with copies of all messages."""
        last = next(reversed(self._workspace.conversations.shown.messages.values()), None)
        if last is None:
            self._say("There is nothing to branch from yet.")
        else:
            await self.branch(last)

    async def edit(self, thing: Shown | None) -> None:
        """Take a waiting message back, or write one of the user's messages anew, to be sent on a branch.

        With an answer, the question that it answers is meant.
        """
        if thing is not None and not isinstance(thing, Outgoing) and thing["role"] != "user":
            thing = self._question_of(thing)
        if isinstance(thing, Outgoing):
            draft = self._workspace.conversations.shown.sender.take_back(thing.id)
            if draft is not None:
                self._write(draft, None)
        elif thing is None:
            self._say("There is no message of yours above it to be changed.")
        else:
            with told_failures(self._widget, "Not opened"):
                names = await self._workspace.file_names.names(file_ids(thing))
                files = attached_again(thing.get("attachments"), names)
                self._write(Draft(text_of(thing), tuple(files)), thing["id"])

    def _question_of(self, answer: Message) -> Message | None:
        """The last message of the user before an answer."""
        messages = self._workspace.conversations.shown.messages.values()
        above = takewhile(lambda one: one["id"] != answer["id"], messages)
        return next((one for one in reversed(list(above)) if one["role"] == "user"), None)

    async def delete(self, message: Message) -> None:
        """Delete a message on the server, after asking."""
        choice = await self._widget.app.push_screen_wait(
            ChoiceDialog(
                "Delete this message?",
                "The server deletes it for good, and assistants do not read it any more.",
                choices=[("keep", "Keep it"), ("delete", "Delete it")],
                danger="delete",
            )
        )
        if choice == "delete":
            with told_failures(self._widget, "Not deleted"):
                await self._workspace.messages.delete_message(message["id"])

    async def edit_metadata(self, message: Message) -> None:
        """Let the metadata of a message be changed."""
        lines = await self._widget.app.push_screen_wait(
            LinesDialog(
                "Metadata of the message",
                metadata.as_lines(without_mark(message.get("metadata"))),
                hint="key = value, one per line",
                check=metadata.from_lines,
            )
        )
        if lines is not None:
            with told_failures(self._widget, "Not saved"):
                pages = self._workspace.conversations.shown.pages
                await pages.update_metadata(message["id"], metadata.from_lines(lines))
