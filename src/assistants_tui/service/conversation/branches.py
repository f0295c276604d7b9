"""Branches of the shown thread: what was said up to a message, in a thread of its own."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from assistants_tui.service import message_text
from assistants_tui.service.assistants.assistant_list import AssistantList
from assistants_tui.service.conversation.branching import branch, up_to
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.conversation.next_run import NextRun
from assistants_tui.service.conversation.open_conversations import OpenConversations
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.prompt_history import PromptHistory
from assistants_tui.service.threads.history import History

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class Branches:
    """Makes branches and shows them."""

    def __init__(
        self,
        backend: "Callable[[], Awaitable[Backend]]",
        conversations: OpenConversations,
        assistants: AssistantList,
        *,
        history: History,
        next_run: NextRun,
        prompts: PromptHistory,
    ) -> None:
        self._backend = backend
        self._conversations = conversations
        self._history = history
        self._assistants = assistants
        self._next_run = next_run
        self._prompts = prompts

    async def branch(self, message_id: str, *, including: bool) -> Conversation:
        """Make and show a new thread with copies of the messages up to this one. Raises `ServiceError`.

        Older messages that are not read yet are read first, so that the branch begins where the thread does.
        """
        origin, reference = self._conversations.shown, self._conversations.reference
        assistant_id = self._assistants.chosen_id
        while origin.pages.has_older:
            read = len(origin.messages)
            await origin.pages.read_older()
            if len(origin.messages) == read:
                raise origin.error or ServiceError("The older messages could not be read.", "Try again.")
        if message_id not in origin.messages:
            raise ServiceError("The message is not in the thread any more.", kind="not_found", no_effect=True)
        messages = up_to(origin.messages.values(), message_id, including=including)
        options = origin.options
        if not messages:
            empty = self._conversations.show_empty()
            self._conversations.keep_options(options)
            return empty
        marks = {"branched_from": origin.thread_id or "", "branched_at": message_id}
        thread = await branch(await self._backend(), messages, marks)
        title = reference.title if reference is not None else message_text.render_text(messages[0]).text
        await self._history.remember(thread, assistant_id, title, options)
        await self._conversations.save()  # the branch is there, whatever the list shows
        return await self._conversations.open(thread["id"])

    async def answer(self, message_id: str) -> None:
        """Let the shown thread be answered anew from this message on, on a branch. Raises `ServiceError`."""
        assistant_id, options = self._next_run.decide(self._conversations.shown)
        made = await self.branch(message_id, including=True)
        made.sender.run(assistant_id, options)

    async def send_instead(self, message_id: str, draft: Draft) -> Conversation:
        """Send a message in place of one of the shown thread: on a branch, which is shown first.

        Returns the branch. Raises `ServiceError`, and then there is none.
        """
        # nothing is made for what cannot be sent
        assistant_id, completed = self._next_run.complete(draft, self._conversations.shown)
        made = await self.branch(message_id, including=False)
        self._prompts.add(draft.text)
        made.sender.send(completed, assistant_id)  # and not to what the user may look at by now
        return made
