"""Assistants: listed, made, changed and deleted; and the list of last time, for an instant start."""

from collections.abc import Callable, Mapping
from typing import Any

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.client.http_client import Client, segment
from assistants_tui.service.client.model_servers import explained
from assistants_tui.service.client.pages import read_all
from assistants_tui.service.errors import ServiceError


class Assistants:
    """The assistants of a server. Everything raises `ServiceError` when it fails."""

    def __init__(
        self,
        client: Client,
        fetch_count: int,
        remember: Callable[[list[Assistant]], None] = lambda assistants: None,
    ) -> None:
        """`remember` gets every complete list."""
        self._client = client
        self._fetch_count = fetch_count
        self._remember = remember

    async def list(self) -> "list[Assistant]":
        """The newest first, at most as many as `runs.assistant_fetch_count` says."""
        try:
            found = await read_all(
                self._client, Assistant, "assistants", count=self._fetch_count, order="desc", lenient=True
            )
        except ServiceError as error:
            raise await explained(self._client, error) from None
        self._remember(found)
        return found

    async def retrieve(self, assistant_id: str) -> Assistant:
        return await self._client.fetch(Assistant, _path(assistant_id))

    async def create(self, fields: Mapping[str, Any]) -> Assistant:
        """Make an assistant. `fields` are those of the API; `model` is required."""
        return await self._client.send(Assistant, "assistants", fields)

    async def update(self, before: Assistant, fields: Mapping[str, Any]) -> Assistant:
        """Change an assistant: of `fields`, only those that differ from `before` are sent.

        What another client changed meanwhile in other fields stays. Nothing is sent if nothing differs.
        """
        changes = {name: value for name, value in fields.items() if before.get(name) != value}
        if not changes:
            return before
        return await self._client.send(Assistant, _path(before["id"]), changes, again=True)

    async def delete(self, assistant_id: str) -> None:
        await self._client.delete(_path(assistant_id))


def _path(assistant_id: str) -> str:
    return f"assistants/{segment(assistant_id)}"
