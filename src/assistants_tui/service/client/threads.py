"""Threads and their messages on the server."""

from collections.abc import Mapping, Sequence
from typing import Any

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Attachment, Json, Message, Metadata, Page, Thread
from assistants_tui.service.client.http_client import Client, segment
from assistants_tui.service.client.pages import read_page
from assistants_tui.service.errors import ServiceError

_WITHOUT_LIST = frozenset({400, 401, 403, 404, 405, 501})
"""How servers answer that they cannot list threads; OpenAI's own wanted a browser session (401)."""


class Threads:
    """The threads of a server. Everything raises `ServiceError` when it fails."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(self, fields: Mapping[str, Any] | None = None) -> Thread:
        """Make an empty thread, or one with `messages`, `tool_resources` and `metadata`."""
        return await self._client.send(Thread, "threads", fields)

    async def retrieve(self, thread_id: str) -> Thread:
        return await self._client.fetch(Thread, _path(thread_id))

    async def update(self, thread_id: str, fields: Mapping[str, Any]) -> Thread:
        """Replace `metadata` or `tool_resources`."""
        return await self._client.send(Thread, _path(thread_id), fields, again=True)

    async def delete(self, thread_id: str) -> None:
        """Delete the thread with its messages and runs. Files stay."""
        await self._client.delete(_path(thread_id))

    async def list(self, *, limit: int = limits.MAX_PAGE, after: str | None = None) -> Page[Thread] | None:
        """A page of the threads, the newest first; None from a server that cannot list them.

        OpenAI's API never could. Our engine can, and so can Azure AI Foundry.
        """
        try:
            return await read_page(self._client, Thread, "threads", limit=limit, after=after)
        except ServiceError as error:
            if error.status in _WITHOUT_LIST:
                return None
            raise

    async def messages(
        self, thread_id: str, *, limit: int = limits.MAX_PAGE, after: str | None = None
    ) -> Page[Message]:
        """A page of messages, the newest first; `after` is the cursor of the page before."""
        return await read_page(
            self._client, Message, f"{_path(thread_id)}/messages", limit=limit, after=after
        )

    async def first_message(self, thread_id: str) -> Message | None:
        """The oldest message; None in an empty thread."""
        page = await read_page(self._client, Message, f"{_path(thread_id)}/messages", limit=1, order="asc")
        return page.items[0] if page.items else None

    async def add_message(
        self,
        thread_id: str,
        content: str | Sequence[Json],
        *,
        attachments: Sequence[Attachment] = (),
        metadata: Metadata | None = None,
    ) -> Message:
        """Add a message of the user: a text, or parts (`text`, `image_file`, `image_url`)."""
        body: Json = {"role": "user", "content": content if isinstance(content, str) else [*content]}
        if attachments:
            body["attachments"] = [*attachments]
        if metadata:
            body["metadata"] = metadata
        return await self.add_copy(thread_id, body)

    async def add_copy(self, thread_id: str, body: Json) -> Message:
        """Add a message as it stands in `body`, of either role."""
        return await self._client.send(Message, f"{_path(thread_id)}/messages", body)

    async def update_message(self, thread_id: str, message_id: str, metadata: Metadata) -> Message:
        """Replace the metadata of a message, which is all that can be changed of it."""
        path = f"{_path(thread_id)}/messages/{segment(message_id)}"
        return await self._client.send(Message, path, {"metadata": metadata}, again=True)

    async def delete_message(self, thread_id: str, message_id: str) -> None:
        await self._client.delete(f"{_path(thread_id)}/messages/{segment(message_id)}")


def _path(thread_id: str) -> str:
    return f"threads/{segment(thread_id)}"
