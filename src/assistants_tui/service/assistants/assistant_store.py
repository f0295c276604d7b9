"""Assistants at the server: made, changed, deleted, and given what they may use."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from assistants_tui.protocol.objects import Assistant, FunctionDefinition
from assistants_tui.service.assistants.resources import (
    give_functions,
    give_store_to_assistant,
    take_function,
)

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class AssistantStore:
    """Everything raises `ServiceError` when it fails. It does not refresh the list of assistants."""

    def __init__(self, backend: "Callable[[], Awaitable[Backend]]") -> None:
        self._backend = backend
        self._deleted: list[Assistant] = []

    async def retrieve(self, assistant_id: str) -> Assistant:
        """The assistant as the server has it now."""
        return await (await self._backend()).assistants.retrieve(assistant_id)

    async def create(self, fields: Mapping[str, Any]) -> Assistant:
        return await (await self._backend()).assistants.create(fields)

    async def update(self, assistant: Assistant, fields: Mapping[str, Any]) -> Assistant:
        """Change only these fields."""
        return await (await self._backend()).assistants.update(assistant, fields)

    async def duplicate(self, assistant: Assistant) -> Assistant:
        """Make a copy under another name."""
        from assistants_tui.service.assistants.draft import copy_of, new_body  # not for the first frame

        return await self.create(new_body(copy_of(assistant)))

    async def delete(self, assistant: Assistant) -> None:
        """Delete an assistant, and remember it for `restore`."""
        await (await self._backend()).assistants.delete(assistant["id"])
        self._deleted.append(assistant)

    @property
    def can_restore(self) -> bool:
        """Whether an assistant was deleted in this window and not restored yet."""
        return bool(self._deleted)

    async def restore(self) -> Assistant:
        """Make the assistant that was deleted last again. It gets a new ID."""
        from assistants_tui.service.assistants.draft import draft_of, new_body  # not for the first frame

        made = await self.create(new_body(draft_of(self._deleted[-1])))
        self._deleted.pop()
        return made

    async def give_store(self, assistant: Assistant, store_id: str) -> None:
        """Let an assistant search a store, instead of the one that it had."""
        await give_store_to_assistant(await self._backend(), assistant, store_id)

    async def give_functions(self, assistant: Assistant, definitions: Iterable[FunctionDefinition]) -> None:
        """Let an assistant call functions; a definition of the same name is replaced."""
        await give_functions(await self._backend(), assistant, definitions)

    async def take_function(self, assistant: Assistant, name: str) -> None:
        """Let an assistant not call a function any more."""
        await take_function(await self._backend(), assistant, name)
