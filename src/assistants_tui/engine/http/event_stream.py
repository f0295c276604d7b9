"""Events on their way to a client as server-sent events, in the form of the Assistants streaming protocol."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from starlette.responses import StreamingResponse

from assistants_tui.engine.runs.events import Subscription
from assistants_tui.protocol.events import Event

# Proxies and clients give up connections that are silent for long; a comment is no event and keeps them open.
# There is never an `id` field: clients carry the last one over to the empty event after a comment.
_PING = b": ping\n\n"
_PING_SECONDS = 15.0
_FRAME_BYTES = 64 * 1024  # what is handed to the socket at once: its buffer has to hold it until it is read


def encode(name: str, data: Any) -> bytes:
    """One event: its name, its data as JSON on one line, and the empty line that ends it."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n".encode("utf-8", "replace")


def event_stream(subscription: Subscription) -> StreamingResponse:
    """The response that sends what the reader takes. A client that leaves does not disturb the run."""
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingResponse(_frames(subscription), media_type="text/event-stream", headers=headers)


async def _frames(subscription: Subscription) -> AsyncGenerator[bytes]:
    try:
        while True:
            try:
                async with asyncio.timeout(_PING_SECONDS):
                    events: list[Event] = await subscription.take()
            except TimeoutError:
                yield _PING
                continue
            if not events:
                return
            frame = bytearray()
            for event in events:
                frame += encode(event.name, event.data)
                if len(frame) >= _FRAME_BYTES:
                    yield bytes(frame)
                    frame.clear()
            if frame:
                yield bytes(frame)
    finally:
        subscription.leave()
