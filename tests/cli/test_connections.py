"""Clients that take their time to say what they want are sent away; all others are not."""

import asyncio
import select
import socket
from pathlib import Path

import httpx2
import pytest

from assistants_tui.cli import connections
from assistants_tui.cli.connections import TimedConnection
from assistants_tui.engine.app import EngineSettings, ModelProvider, create_app
from support.engines import BETA
from support.model_endpoint import DONE, ModelEndpoint, Reply, chunk
from support.served import served

LIMIT = 0.3


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", LIMIT)
    monkeypatch.setattr(connections, "STALLED_SECONDS", LIMIT)


async def drip(url: str, *pieces: bytes) -> bytes:
    """Send these pieces, slowly, and then nothing. Returns what came until the server closed."""
    address = httpx2.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        for piece in pieces:
            if writer.is_closing():
                break
            writer.write(piece)
            await asyncio.sleep(LIMIT / 4)
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:  # closed while we were writing
        return b""
    finally:
        writer.close()


async def test_a_client_that_does_not_say_what_it_wants_is_sent_away(tmp_path: Path) -> None:
    on = asyncio.Event()
    late = Reply([chunk({"content": "Well"}), on, chunk({}, "stop"), DONE])
    async with ModelEndpoint(late) as endpoint:
        app = create_app(EngineSettings(tmp_path, providers=[ModelProvider(endpoint.url)]))
        async with (
            served(app, http=TimedConnection) as url,
            httpx2.AsyncClient(base_url=f"{url}/v1", headers=BETA, timeout=60) as http,
        ):
            assistant = (await http.post("/assistants", json={"model": "served"})).json()["id"]
            thread = {"messages": [{"role": "user", "content": "Hello?"}]}
            body = {"assistant_id": assistant, "thread": thread, "stream": True}
            async with http.stream("POST", "/threads/runs", json=body) as stream:
                lines = stream.aiter_lines()
                async for line in lines:
                    if line == "event: thread.message.delta":
                        break
                request = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n"
                silent, slow, second = await asyncio.gather(
                    drip(url),
                    drip(url, *(request[at : at + 8] for at in range(0, len(request), 8))),
                    drip(url, request + b"\r\n", b"G", b"E", b"T"),
                )
                assert silent == slow == b""
                assert second.startswith(b"HTTP/1.1 200") and second.count(b"HTTP/1.1") == 1
                assert (await http.get("/models")).status_code == 200
                on.set()  # the stream has lasted longer than the limit
                assert [line async for line in lines][-2] == "data: [DONE]"


async def test_a_client_that_reads_nothing_is_sent_away(tmp_path: Path) -> None:
    """Else it could have the engine hold any number of large answers for ever."""
    app = create_app(EngineSettings(tmp_path))
    async with (
        served(app, http=TimedConnection) as url,
        httpx2.AsyncClient(base_url=f"{url}/v1", headers=BETA, timeout=60) as http,
    ):
        text = {"type": "text", "text": "x" * 250_000}
        thread = (
            await http.post("/threads", json={"messages": [{"role": "user", "content": [text] * 60}]})
        ).json()
        path = f"/v1/threads/{thread['id']}/messages"
        with socket.socket() as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            stalled.connect(("127.0.0.1", httpx2.URL(url).port))
            stalled.sendall(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nOpenAI-Beta: assistants=v2\r\n\r\n".encode()
            )
            hung_up = select.poll()
            hung_up.register(stalled, 0)
            assert await asyncio.to_thread(hung_up.poll, 20_000)
        async with http.stream("GET", path.removeprefix("/v1")) as slow:
            started = asyncio.get_running_loop().time()
            size = 0
            async for piece in slow.aiter_raw(512 * 1024):
                size += len(piece)
                if asyncio.get_running_loop().time() - started < 3 * LIMIT:
                    await asyncio.sleep(LIMIT / 4)
        assert size == int(slow.headers["content-length"]) > 15_000_000


async def test_others_have_their_turn_between_two_pieces_of_a_request(tmp_path: Path) -> None:
    """Chunks of one byte take long, so that not many may be read at once."""
    pieces: list[int] = []

    class Counted(TimedConnection):
        def data_received(self, data: bytes) -> None:
            pieces.append(len(data))
            super().data_received(data)

    chunked = b"POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nOpenAI-Beta: assistants=v2\r\n"
    chunked += b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"1\r\n \r\n" * 50_000 + b"2\r\n{}\r\n0\r\n\r\n"
    async with served(create_app(EngineSettings(tmp_path)), http=Counted) as url:
        assert (await drip(url, chunked)).startswith(b"HTTP/1.1 200")
    assert sum(pieces) == len(chunked) and max(pieces) <= 16 * 1024
