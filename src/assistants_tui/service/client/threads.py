"""Threads and their messages on the server."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Attachment, Json, Message, Metadata, Page, Thread
from assistants_tui.service.client.http_client import Client, segment
from assistants_tui.service.client.pages import read_page
from assistants_tui.service.errors import ServiceError

_WITHOUT_LIST = frozenset({400, 401, 403, 404, 405, 501})
"""How servers answer that they cannot list threads; OpenAI's own wanted a browser session (401)."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A message that may have arrived although its answer was lost."""

    body: Json
    after: str | None
    """The newest message that was there when it was sent."""


@dataclass(slots=True)
class _Doubts:
    """The doubts of one thread, in the order in which they came up."""

    waiting: list[_Doubt] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    """Messages that belong to other calls, so that one that says the same is not taken for two."""


class Threads:
    """The threads of a server. Everything raises `ServiceError` when it fails."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._doubts: defaultdict[str, _Doubts] = defaultdict(_Doubts)

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
        after: str | None = None,
        others: Collection[str | None] = (),
    ) -> Message:
        """Add a message of the user: a text, or parts (`text`, `image_file`, `image_url`).

        After a failure that leaves open whether the message arrived, the same call first looks for it, among
        what is newer than `after`: the newest message that the caller knows. `others` are the IDs of messages
        that are not meant even if they say the same.
        """
        body: Json = {"role": "user", "content": content if isinstance(content, str) else [*content]}
        if attachments:
            body["attachments"] = [*attachments]
        if metadata:
            body["metadata"] = metadata
        path = f"{_path(thread_id)}/messages"
        doubts = self._doubts[thread_id]
        doubt = next((one for one in doubts.waiting if one.body == body), None)
        message = await self._arrived(path, doubt, doubts.known.union(others)) if doubt else None
        try:
            message = message or await self._post(path, body)
        except (ServiceError, asyncio.CancelledError) as error:
            certain = isinstance(error, ServiceError) and error.no_effect
            if doubt is None and not certain:
                doubts.waiting.append(_Doubt(body, after))
            raise
        if doubt is not None:
            doubts.waiting.remove(doubt)
        doubts.known.add(message["id"])
        return message

    async def _post(self, path: str, body: Json) -> Message:
        return await self._client.send(Message, path, body)

    async def add_copy(self, thread_id: str, body: Json) -> Message:
        """Add a message as it stands in `body`, of either role."""
        return await self._post(f"{_path(thread_id)}/messages", body)

    async def update_message(self, thread_id: str, message_id: str, metadata: Metadata) -> Message:
        """Replace the metadata of a message, which is all that can be changed of it."""
        path = f"{_path(thread_id)}/messages/{segment(message_id)}"
        return await self._client.send(Message, path, {"metadata": metadata}, again=True)

    async def delete_message(self, thread_id: str, message_id: str) -> None:
        await self._client.delete(f"{_path(thread_id)}/messages/{segment(message_id)}")

    async def _arrived(self, path: str, doubt: _Doubt, known: Collection[str | None]) -> Message | None:
        """The message that was in doubt, if the thread has it."""
        try:
            page = await read_page(self._client, Message, path, limit=limits.MAX_PAGE)
        except ServiceError as error:
            error.no_effect = False  # reading did nothing, but the message may have arrived before
            raise
        said = _plain(doubt.body["content"])
        newer = takewhile(lambda message: message["id"] != doubt.after, page.items)
        found = [
            message
            for message in newer
            if message["id"] not in known
            and message.get("role") == "user"
            and _plain(message.get("content")) == said
        ]
        return found[-1] if found else None


def _plain(content: object) -> list[object]:
    """Content as it was sent or as it came back, in one form: texts, and the names of other parts."""
    if isinstance(content, str):
        return [content]
    plain: list[object] = []
    for part in content if isinstance(content, list) else []:
        text = part.get("text")
        if part.get("type") == "text":
            plain.append(text.get("value") if isinstance(text, dict) else text)
        else:
            plain.append(part.get("type"))
    return plain


def _path(thread_id: str) -> str:
    return f"threads/{segment(thread_id)}"
