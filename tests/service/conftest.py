"""Servers for tests of the service layer: a scripted one on a real socket, and the real engine."""

import asyncio
import contextlib
import dataclasses
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import Profile, RunSettings
from assistants_tui.settings.paths import Paths
from support.workspaces import connected, paths_below


@dataclasses.dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Wire = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes an answer, or does to the connection whatever a broken server or network does."""


class ScriptedServer:
    """An HTTP server on a real socket that answers what the test says and notes what it was asked.

    A script for `(method, path)` is a list of answers; the last one is given again and again.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.port = 0
        self._scripts: dict[tuple[str, str], list[Wire]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, method: str, path: str, *answers: Wire) -> None:
        self._scripts[method, path] = list(answers)

    def asked(self, method: str, path: str) -> list[Request]:
        return [one for one in self.requests if (one.method, one.path) == (method, path)]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {
                    name.lower(): value
                    for name, _, value in (line.partition(": ") for line in head[1:] if line)
                }
                body = await self._body(reader, headers)
                address = urlsplit(target)
                request = Request(method, address.path, dict(parse_qsl(address.query)), headers, body)
                self.requests.append(request)
                script = self._scripts.get((method, address.path))
                if not script:
                    await answer({"error": {"message": f"no script for {method} {target}"}}, status=501)(
                        writer
                    )
                    continue
                await (script.pop(0) if len(script) > 1 else script[0])(writer)
                if writer.is_closing():
                    return
        writer.close()

    @staticmethod
    async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await reader.readexactly(int(headers.get("content-length", "0")))
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body


def answer(content: Any, *, status: int = 200, media_type: str = "application/json", **headers: str) -> Wire:
    """A whole answer; a `content` that is no bytes is sent as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    head = [f"HTTP/1.1 {status} X", f"content-type: {media_type}", f"content-length: {len(body)}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        await writer.drain()

    return write


def event_bytes(name: str, data: Any) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return f"event: {name}\ndata: {text}\n\n".encode()


def stream(*pieces: bytes | tuple[str, Any], then: str = "end") -> Wire:
    """An event stream of events and raw bytes. `then`: `end` it, `reset` the connection, or stay `silent`."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        for piece in pieces:
            data = piece if isinstance(piece, bytes) else event_bytes(*piece)
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        if then == "end":
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        elif then == "reset":
            await asyncio.sleep(0)
            reset(writer)
        else:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    return write


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection as a crash does."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()


async def cut(writer: asyncio.StreamWriter) -> None:
    """No answer at all: the connection breaks."""
    reset(writer)


async def garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01this is not HTTP\r\n\r\n")
    await writer.drain()
    writer.close()


class Wires:
    """The answers that a scripted server can give."""

    answer = staticmethod(answer)
    stream = staticmethod(stream)
    cut = staticmethod(cut)
    garbage = staticmethod(garbage)


@pytest.fixture
def wires() -> Wires:
    return Wires()


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await scripted.handle(reader, writer)
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    scripted.port = listening.sockets[0].getsockname()[1]
    yield scripted
    listening.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """The user's paths, all below a directory of the test."""
    return paths_below(tmp_path)


@pytest.fixture
def quick() -> RunSettings:
    """Run settings for tests that poll."""
    return RunSettings(poll_initial_delay=0.0, poll_interval=0.05)


@pytest.fixture
def profile(server: ScriptedServer, quick: RunSettings) -> Profile:
    """A profile for the scripted server."""
    return Profile(name="scripted", kind="openai", base_url=f"{server.url}/v1", runs=quick)


@pytest.fixture
async def workspace(paths: Paths) -> AsyncIterator[Workspace]:
    """Connected, with nothing in it but the starter assistants."""
    opened = await connected(paths)
    yield opened
    await opened.close()
