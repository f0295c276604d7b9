"""What the next run of a conversation is made with: who answers, and with which options."""

from dataclasses import replace

from assistants_tui.service.assistants.assistant_list import AssistantList
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.runs.options import RunOptions, merged
from assistants_tui.service.session import Session


class NextRun:
    """Decides from the chosen assistant, the options of the thread and those of one message."""

    def __init__(self, session: Session, assistants: AssistantList) -> None:
        self._session = session
        self._assistants = assistants

    def decide(self, conversation: Conversation, once: RunOptions | None = None) -> tuple[str, RunOptions]:
        """Who answers, and the other options of the thread and of this one run.

        Raises `ServiceError` if there is no assistant to answer.
        """
        options = merged(conversation.options, once or RunOptions())
        assistant_id = options.pop("assistant_id", self._assistants.chosen_id)
        if assistant_id is None:
            raise ServiceError(
                "There is no assistant to answer yet.",
                "Wait until the assistants are listed, or create one.",
                kind="refused",
                no_effect=True,
            )
        return assistant_id, options

    def complete(self, draft: Draft, conversation: Conversation) -> tuple[str, Draft]:
        """Who answers, and the draft with everything decided. Raises `ServiceError` if it cannot be sent."""
        assistant_id, options = self.decide(conversation, draft.options)
        completed = replace(draft, options=options).settled(self._assistants.get(assistant_id))
        completed.check()
        return assistant_id, completed

    def complete_if_known(self, draft: Draft, conversation: Conversation) -> tuple[str | None, Draft]:
        """As `complete`, but None and the draft as it is while the assistants are not listed yet."""
        if self._assistants.chosen_id is None and not self._session.answered:
            return None, draft
        return self.complete(draft, conversation)

    async def complete_when_listed(self, draft: Draft, conversation: Conversation) -> tuple[str, Draft]:
        """As `complete`, once the server has listed its assistants. Raises `ServiceError`."""
        await self._session.wait_connected()
        return self.complete(draft, conversation)
