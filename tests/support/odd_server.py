"""A server of the Assistants API whose answers a test chooses: real HTTP on a real loopback socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from assistants_tui.protocol.objects import Json
from assistants_tui.settings.config import Profile
from assistants_tui.settings.config_editor import append_profile
from assistants_tui.settings.paths import user_paths

Answer = Callable[[str, str, Json], Awaitable[tuple[int, Json]]]
"""Gives status and body of the answer to a method, a path below the base URL, and a body."""
PROFILE = "odd"


def listed(*items: Json) -> Json:
    return {"object": "list", "data": list(items), "has_more": False}


def assistant(**fields: object) -> Json:
    return {
        "id": "asst_1",
        "object": "assistant",
        "created_at": 1_700_000_000,
        "name": "Odd",
        "description": None,
        "model": "m",
        "instructions": None,
        "tools": [],
        "metadata": {},
        **fields,
    }


def message(text: str, *, number: int = 1, role: str = "user") -> Json:
    return {
        "id": f"msg_{number}",
        "object": "thread.message",
        "created_at": 1_700_000_000 + number,
        "thread_id": "thread_1",
        "role": role,
        "content": [{"type": "text", "text": {"value": text, "annotations": []}}],
        "attachments": [],
        "metadata": {},
        "assistant_id": None,
        "run_id": None,
        "status": "completed",
    }


@asynccontextmanager
async def odd_server(answer: Answer) -> AsyncIterator[None]:
    """Serve these answers, with a profile `PROFILE` in config.toml that leads there."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, target, _ = head.decode().split(" ", 2)
                headers = dict(
                    line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line
                )
                sent = await reader.readexactly(int(headers.get("content-length", 0)))
                path = target.split("?")[0].removeprefix("/v1")
                status, body = await answer(method, path, json.loads(sent or b"{}"))
                data = json.dumps(body).encode()
                writer.write(
                    b"HTTP/1.1 %d Odd\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                    % (status, len(data), data)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    append_profile(user_paths().config_file, Profile(PROFILE, "openai", base_url=url))
    try:
        yield
    finally:
        server.close()
