"""What the user does in the shown conversation: send a message, have it answered, delete a message."""

from assistants_tui.service.conversation.next_run import NextRun
from assistants_tui.service.conversation.open_conversations import OpenConversations
from assistants_tui.service.drafts import Draft
from assistants_tui.service.prompt_history import PromptHistory
from assistants_tui.service.runs.options import RunOptions
from assistants_tui.service.search import MessageSearch


class MessageActions:
    """Acts on the conversation that is shown at the time of the call."""

    def __init__(
        self,
        conversations: OpenConversations,
        next_run: NextRun,
        prompts: PromptHistory,
        search: MessageSearch,
    ) -> None:
        self._conversations = conversations
        self._next_run = next_run
        self._prompts = prompts
        self._search = search

    def send(self, draft: Draft) -> None:
        """Send a message, to be answered by the chosen assistant or that of its options.

        Before the server has listed its assistants for the first time the message waits for that. Raises
        `ServiceError` if there is nobody to answer, or if no server would take the message.
        """
        conversation = self._conversations.shown
        assistant_id, completed = self._next_run.complete_if_known(draft, conversation)
        self._prompts.add(draft.text)
        conversation.sender.send(completed, assistant_id)

    def run(self, options: RunOptions | None = None) -> None:
        """Let the thread be answered as it is. Raises `ServiceError` if there is nobody to answer."""
        conversation = self._conversations.shown
        conversation.sender.run(*self._next_run.decide(conversation, options))

    async def answer_again(self) -> None:
        """Replace what was written after the last message of the user by a new answer.

        Raises `ServiceError`; what was deleted until then stays deleted.
        """
        messages = list(self._conversations.shown.messages.values())
        while messages and messages[-1]["role"] == "assistant":
            await self.delete_message(messages.pop()["id"])
        self.run()

    async def delete_message(self, message_id: str) -> None:
        """Delete a message for good. Raises `ServiceError`."""
        conversation = self._conversations.shown
        await conversation.delete_message(message_id)
        await self._search.forget(conversation.thread_id or "", message_id)
