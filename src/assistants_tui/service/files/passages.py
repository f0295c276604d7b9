"""Where the passages that an answer cites come from: the stores that were searched, and the text around."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import Json, Message
from assistants_tui.service.assistants.assistant_list import AssistantList
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.citations import Passage, Surroundings, surroundings

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class Passages:
    """Raises nothing: what cannot be read is not shown around a passage."""

    def __init__(self, backend: "Callable[[], Awaitable[Backend]]", assistants: AssistantList) -> None:
        self._backend = backend
        self._assistants = assistants

    async def stores_of(self, message: Message, thread_id: str | None) -> Sequence[str]:
        """The vector stores that an answer was found in: of its thread, and of its assistant."""
        holders: list[Json] = []
        if thread_id is not None:
            try:
                backend = await self._backend()
                holders.append(dict(await backend.threads.retrieve(thread_id)))
            except ServiceError:
                pass  # then the stores of the assistant are tried
        assistant = self._assistants.get(message.get("assistant_id"))
        if assistant is not None:
            holders.append(dict(assistant))
        found: list[str] = []
        for holder in holders:
            search = (holder.get("tool_resources") or {}).get("file_search") or {}
            found += search.get("vector_store_ids") or []
        return found

    async def around(self, store_ids: Sequence[str], passage: Passage) -> Surroundings:
        """What stands around a passage in its file."""
        try:
            backend = await self._backend()
        except ServiceError:
            return Surroundings()
        return await surroundings(backend, store_ids, passage)
