"""One end of a ZeroMQ connection over a Unix socket, whose other end is not trusted.

The protocol is ZMTP 3.0, https://rfc.zeromq.org/spec/23, without security. libzmq cannot be used: it takes in
all frames of a message, however many, before anybody can look at the first. So a single message can fill
the memory of this process. Here nothing is read ahead but one small buffer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

_MORE, _LONG, _COMMAND = 1, 2, 4  # flags of a frame
_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_READY = b"\x05READY"
_BUFFER = 64 * 1024
_MOST_FRAMES = 64  # of one message, commands before it included
_SEND_SECONDS = 2.0


class ConnectionLostError(Exception):
    """The other end has gone, does not read, or speaks another protocol."""


class TooLargeError(Exception):
    """The other end sends a message with more bytes or frames than are taken. The connection is of no use."""


class Connection:
    """Opened by `open` only. `send` and `receive` are each for one task at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most_bytes: int) -> None:
        self._reader = reader
        self._writer = writer
        self._most_bytes = most_bytes

    @classmethod
    async def open(
        cls, path: str, kind: Literal["DEALER", "SUB"], *, most_bytes: int, identity: bytes = b""
    ) -> Connection:
        """Connect to the socket at a path; with `SUB`, to get all that is published there.

        `most_bytes` is the most that one message may have. Raises ConnectionLostError.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=_BUFFER)
        except OSError as error:
            raise ConnectionLostError(str(error)) from error
        connection = cls(reader, writer, most_bytes)
        try:
            await connection._greet(kind, identity)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _greet(self, kind: str, identity: bytes) -> None:
        properties = _property(b"Socket-Type", kind.encode()) + _property(b"Identity", identity)
        await self._write(_GREETING + _frame(_READY + properties, _COMMAND))
        greeting = await self._read(len(_GREETING))
        if greeting[0] != _GREETING[0] or greeting[9] != _GREETING[9] or greeting[10] < _GREETING[10]:
            raise ConnectionLostError("the other end does not speak ZMTP 3")
        flags, body = await self._next(self._most_bytes)
        if not flags & _COMMAND or not body.startswith(_READY):
            raise ConnectionLostError("the other end is not ready")
        if kind == "SUB":
            await self.send([b"\x01"])  # a subscription to everything

    async def send(self, frames: Sequence[bytes]) -> None:
        """Send a message. Raises ConnectionLostError, also when the other end does not take it for long."""
        more = [_MORE] * (len(frames) - 1)
        await self._write(b"".join(map(_frame, frames, [*more, 0])))

    async def receive(self) -> list[bytes]:
        """The frames of the next message. Raises ConnectionLostError and TooLargeError.

        Not to be cancelled, if more is to be received.
        """
        frames: list[bytes] = []
        left = self._most_bytes
        for _ in range(_MOST_FRAMES):
            flags, body = await self._next(left)
            left -= len(body)
            if flags & _COMMAND:  # such as PING, which nobody has been promised an answer to
                continue
            frames.append(body)
            if not flags & _MORE:
                return frames
        raise TooLargeError(f"a message of more than {_MOST_FRAMES} frames")

    def close(self) -> None:
        self._writer.transport.abort()

    async def _next(self, most: int) -> tuple[int, bytes]:
        """Flags and body of the next frame."""
        flags = (await self._read(1))[0]
        size = int.from_bytes(await self._read(8 if flags & _LONG else 1), "big")
        if size > most:
            raise TooLargeError(f"a message of more than {self._most_bytes} bytes")
        return flags, await self._read(size)

    async def _read(self, size: int) -> bytes:
        try:
            return await self._reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise ConnectionLostError(str(error)) from error

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            async with asyncio.timeout(_SEND_SECONDS):
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise ConnectionLostError(str(error)) from error


def _frame(body: bytes, flags: int = 0) -> bytes:
    if len(body) > 255:
        return bytes([flags | _LONG]) + len(body).to_bytes(8, "big") + body
    return bytes([flags, len(body)]) + body


def _property(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value
