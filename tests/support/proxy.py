"""A network that misbehaves: a loopback TCP proxy that harms answers at a chosen byte or event.

It stands between a client and an HTTP server and takes one request per connection. What the client asks
arrives at the server as it was; what the server answers arrives as the test says.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["refuse", "delay", "cut", "corrupt", "duplicate", "reorder"]


@dataclass(frozen=True)
class Fault:
    """What happens to an answer at its piece number `at`, which counts from 0.

    A piece is one byte of the answer, head included, or one server-sent event of its body. `refuse`: the
    connection is reset before the server is asked. `delay`: the piece waits for `until`. `cut`: the
    connection is reset instead of the piece. `corrupt`: the piece arrives with its bits turned. `duplicate`:
    it arrives twice. `reorder`: the piece after it arrives first.
    """

    kind: Kind
    at: int = 0
    unit: Literal["byte", "event"] = "event"
    until: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Asked:
    """A request that came by."""

    method: str
    path: str
    """With its query."""


Plan = Callable[[Asked], Fault | None]


class Proxy:
    """The proxy in front of one server. `plan` decides on each request; None lets its answer through."""

    def __init__(self, server: str) -> None:
        address = urlsplit(server)
        assert address.hostname is not None and address.port is not None
        self._upstream = (address.hostname, address.port)
        self.url = ""
        self.plan: Plan = lambda _: None
        self.refusing = False
        """Whether connections are reset at once, as when the server is down."""
        self.asked: list[Asked] = []
        self._busy: set[asyncio.Task[None]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            if self.refusing:
                _reset(writer)
                return
            await self._pass(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            _reset(writer)  # either side hung up
        finally:
            self._busy.discard(task)
            writer.close()

    async def close(self) -> None:
        for task in list(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        asked = Asked(method, path)
        self.asked.append(asked)
        fault = self.plan(asked)
        if fault is not None and fault.kind == "refuse":
            _reset(writer)
            return
        server_reader, server_writer = await asyncio.open_connection(*self._upstream)
        try:
            head = re.sub(rb"(?im)^connection:.*\r\n", b"", head)
            server_writer.write(head[:-2] + b"connection: close\r\n\r\n")
            up = asyncio.create_task(_pump(reader, server_writer))
            try:
                async for piece in _harmed(_pieces(server_reader, fault), fault):
                    writer.write(piece)
                    await writer.drain()
            except _CutError:
                _reset(writer)
            finally:
                up.cancel()
        finally:
            server_writer.close()


@asynccontextmanager
async def proxy(server: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the server at an address such as `http://127.0.0.1:40001`."""
    between = Proxy(server)
    listening = await asyncio.start_server(between.accept, "127.0.0.1", 0)
    between.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield between
    finally:
        listening.close()
        await between.close()


class _CutError(Exception):
    """The connection is to be reset here."""


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _pieces(reader: asyncio.StreamReader, fault: Fault | None) -> AsyncIterator[tuple[int, bytes]]:
    """The answer in pieces, each with its number; -1 for what is not counted."""
    if fault is None:
        while data := await reader.read(65536):
            yield -1, data
        return
    if fault.unit == "byte":
        passed = 0
        while data := await reader.read(65536):
            for number in range(len(data)):
                yield passed + number, data[number : number + 1]
            passed += len(data)
        return
    yield -1, await reader.readuntil(b"\r\n\r\n")
    number, waiting = 0, b""
    while size := int(await reader.readline(), 16):
        waiting += (await reader.readexactly(size + 2))[:-2]
        *events, waiting = waiting.split(b"\n\n")
        for event in events:
            yield number, _chunk(event + b"\n\n")
            number += 1
    yield -1, b"0\r\n\r\n"


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def _harmed(pieces: AsyncIterator[tuple[int, bytes]], fault: Fault | None) -> AsyncIterator[bytes]:
    held = b""
    async for number, piece in pieces:
        if fault is None or number != fault.at:
            yield piece
            if held and number >= 0:
                yield held
                held = b""
        elif fault.kind == "cut":
            raise _CutError
        elif fault.kind == "delay":
            await fault.until.wait()
            yield piece
        elif fault.kind == "corrupt":
            yield _turned(piece, fault)
        elif fault.kind == "duplicate":
            yield piece
            yield piece
        elif fault.kind == "reorder":
            held = piece
    if held:
        yield held


def _turned(piece: bytes, fault: Fault) -> bytes:
    if fault.unit == "byte":
        return bytes(byte ^ 0xFF for byte in piece)
    event = piece.split(b"\r\n", 1)[1][:-4]
    return _chunk(bytes(byte ^ 0x80 for byte in event) + b"\n\n")


def _reset(writer: asyncio.StreamWriter) -> None:
    """End the connection as a crash does, without a farewell."""
    connection: socket.socket = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()
