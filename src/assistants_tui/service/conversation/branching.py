"""Branches: new threads that begin with the messages of another one."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from assistants_tui.protocol.objects import Json, Message, Thread
from assistants_tui.service.conversation.posting import without_mark
from assistants_tui.service.errors import ServiceError

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend

MESSAGES_PER_CALL = 32
"""Messages that OpenAI's API took when a thread is created; ours and others take at least as many."""


def copied(message: Message) -> Json | None:
    """The body that adds a copy of a message to a thread; None for a message without anything to copy.

    Annotations cannot be created: their marks stay in the text.
    """
    parts: list[Json] = []
    for part in message["content"]:
        match part["type"]:
            case "text":
                text = (part.get("text") or {"value": ""})["value"]
                if text:
                    parts.append({"type": "text", "text": text})
            case "refusal":
                parts.append({"type": "text", "text": part.get("refusal") or "(refused)"})
            case "image_file" | "image_url" as kind:
                parts.append({"type": kind, kind: part.get(kind)})
    if not parts:
        return None
    body: Json = {"role": message["role"], "content": parts}
    attachments = [one for one in message.get("attachments") or () if one.get("tools")]
    if attachments:
        body["attachments"] = attachments
    if metadata := without_mark(message.get("metadata")):
        body["metadata"] = metadata
    return body


async def branch(backend: "Backend", messages: Sequence[Message], origin: dict[str, str]) -> Thread:
    """A new thread with copies of these messages, oldest first, and `origin` as its metadata.

    A branch that fails half-way is deleted again, if the server lets it. Raises `ServiceError`.
    """
    bodies = [body for body in map(copied, messages) if body is not None]
    fields: dict[str, Any] = {"metadata": origin}
    if bodies:
        fields["messages"] = bodies[:MESSAGES_PER_CALL]
    thread = await backend.threads.create(fields)
    try:
        for body in bodies[MESSAGES_PER_CALL:]:
            await backend.threads.add_copy(thread["id"], body)
    except BaseException:
        with suppress(ServiceError):  # what was wrong before is said
            await backend.threads.delete(thread["id"])
        raise
    return thread


def up_to(messages: Iterable[Message], message_id: str, *, including: bool) -> list[Message]:
    """The messages before one, oldest first, and that one too if wanted."""
    chosen: list[Message] = []
    for message in messages:
        if message["id"] == message_id:
            return [*chosen, message] if including else chosen
        chosen.append(message)
    return chosen
