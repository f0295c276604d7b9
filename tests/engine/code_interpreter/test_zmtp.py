"""Connections to the kernel: with libzmq at the other end, and with anybody."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import zmq
import zmq.asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants_tui.engine.code_interpreter.zmtp import Connection, ConnectionLostError, TooLargeError

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL" + bytes(48)
READY = b"\x04\x06\x05READY"
SUBSCRIPTION = b"\x00\x01\x01"
MOST = 1_000_000


@pytest.fixture
def path() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:  # short: names of sockets have 108 bytes at most
        yield str(Path(folder) / "s")


async def test_requests_and_answers(path: str) -> None:
    context = zmq.asyncio.Context()
    router = context.socket(zmq.ROUTER)
    try:
        router.bind(f"ipc://{path}")
        connection = await Connection.open(path, "DEALER", most_bytes=MOST, identity=b"me")
        await connection.send([b"one", b"", b"x" * 300])
        assert await router.recv_multipart() == [b"me", b"one", b"", b"x" * 300]
        await router.send_multipart([b"me", b"", b"y" * MOST])
        assert await connection.receive() == [b"", b"y" * MOST]
        connection.close()
    finally:
        context.destroy(linger=0)


async def test_what_is_published(path: str) -> None:
    context = zmq.asyncio.Context()
    publisher = context.socket(zmq.XPUB)
    try:
        publisher.bind(f"ipc://{path}")
        connection = await Connection.open(path, "SUB", most_bytes=MOST)
        assert await publisher.recv() == b"\x01"
        for number in range(3):
            await publisher.send_multipart([b"topic", str(number).encode()])
        assert [await connection.receive() for _ in range(3)] == [
            [b"topic", b"0"],
            [b"topic", b"1"],
            [b"topic", b"2"],
        ]
        connection.close()
    finally:
        context.destroy(linger=0)


@asynccontextmanager
async def connected(path: str, says: bytes, *, ends: bool = True) -> AsyncIterator[Connection]:
    """A connection to somebody who greets rightly and then says this, and hangs up if `ends`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING + READY + says)
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(SUBSCRIPTION)
            if not ends:
                await reader.read()
        writer.close()
        done.set()

    done = asyncio.Event()
    server = await asyncio.start_unix_server(answer, path)
    connection = await Connection.open(path, "SUB", most_bytes=MOST)
    try:
        yield connection
    finally:
        connection.close()
        await done.wait()
        server.close()


@pytest.mark.parametrize(
    "says",
    [
        b"\x02" + (MOST + 1).to_bytes(8, "big"),
        b"\x02" + b"\xff" * 8,
        b"\x01\x01x" * 100,
        b"\x04\x05\x04PING" * 100,
        (b"\x03" + (MOST // 2).to_bytes(8, "big") + b"x" * (MOST // 2)) * 3,
    ],
    ids=["long", "longest", "frames", "commands", "together"],
)
async def test_too_much_is_refused_before_it_is_taken(path: str, says: bytes) -> None:
    """The other end is not asked for the rest: it does not hang up, and nobody waits for it."""
    async with connected(path, says, ends=False) as connection:
        with pytest.raises(TooLargeError):
            await connection.receive()


@pytest.mark.parametrize("says", [b"", b"\x00", b"\x00\x05abc", b"\x01\x01x", b"\x02\x00\x00"])
async def test_the_other_end_goes_in_the_middle(path: str, says: bytes) -> None:
    async with connected(path, says) as connection:
        with pytest.raises(ConnectionLostError):
            await connection.receive()


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4, bytes(100), GREETING, GREETING + b"\x00\x01x"]
)
async def test_who_speaks_another_protocol(path: str, says: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        writer.close()

    server = await asyncio.start_unix_server(answer, path)
    with pytest.raises(ConnectionLostError):
        await Connection.open(path, "SUB", most_bytes=MOST)
    server.close()


async def test_nobody_listens(path: str) -> None:
    with pytest.raises(ConnectionLostError):
        await Connection.open(path, "SUB", most_bytes=MOST)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\x01\x02ab", b"\x00\x01c", b"\x04\x00"])))
def test_any_bytes_come_to_an_end(pieces: list[bytes]) -> None:
    async def read(path: str) -> None:
        async with connected(path, b"".join(pieces)) as connection:
            with pytest.raises((ConnectionLostError, TooLargeError)):
                while True:
                    assert await connection.receive()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(read(str(Path(folder) / "s")))
