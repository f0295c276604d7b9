"""Many streams at once, and clients that do not read: the engine goes on, within bounds."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from assistants_tui.engine.runs import events
from support.engine_process import nursery
from support.engines import BETA, engine
from support.model_endpoint import DONE, ModelEndpoint, Reply, chunk, says

STREAMS = 100  # 500 have been tried; they take half a minute to open on a busy machine
BYTES_PER_STREAM = 300_000  # three times what was measured


class Stream:
    """A streamed run over a socket of its own, read only as far as the test says."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def until(self, words: str) -> str:
        """Read up to these words. Raises `asyncio.IncompleteReadError` if they do not come."""
        return (await self._reader.readuntil(words.encode())).decode()

    async def rest(self) -> bytes:
        """All that comes until the server closes the connection."""
        return await self._reader.read()


@asynccontextmanager
async def streamed(url: str, path: str, body: object, *, window: int | None = None) -> AsyncIterator[Stream]:
    """The answer to a request with `stream`. `window`: bytes that the client's socket takes unread."""
    address = httpx2.URL(url)
    link = socket.socket()
    if window is not None:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    link.setblocking(False)
    await asyncio.get_running_loop().sock_connect(link, (address.host, address.port))
    reader, writer = await asyncio.open_connection(sock=link)
    data = json.dumps(body).encode()
    head = [
        f"POST /v1{path} HTTP/1.1",
        f"host: {address.host}",
        "openai-beta: assistants=v2",
        "connection: close",
        f"content-length: {len(data)}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + data)
    try:
        yield Stream(reader)
    finally:
        writer.transport.abort()


async def test_idle_streams_cost_little_and_hold_nothing_up(tmp_path: Path) -> None:
    on = asyncio.Event()
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(ModelEndpoint(says("Good morning.")))
        engines = await stack.enter_async_context(nursery())
        process = await engines.start(tmp_path, endpoint.url)
        http = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=f"{process.url}/v1", headers=BETA, timeout=60)
        )
        assistant = (await http.post("/assistants", json={"model": "served"})).json()["id"]
        body = {
            "assistant_id": assistant,
            "stream": True,
            "thread": {"messages": [{"role": "user", "content": "Hi"}]},
        }
        # What the first run alone takes is not what we ask about.
        assert (await http.post("/threads/runs", json=body)).text.endswith("data: [DONE]\n\n")
        usage = psutil.Process(process.pid)
        before = usage.memory_info().rss

        endpoint.otherwise = lambda _: Reply([chunk({"content": "Well"}), on, chunk({}, "stop"), DONE])
        streams = await asyncio.gather(
            *(stack.enter_async_context(streamed(process.url, "/threads/runs", body)) for _ in range(STREAMS))
        )
        await asyncio.gather(*(stream.until("event: thread.message.delta") for stream in streams))
        assert usage.memory_info().rss - before < STREAMS * BYTES_PER_STREAM

        endpoint.replies.append(says("Still here."))
        assert "Still here." in (await http.post("/threads/runs", json=body)).text
        assert len((await http.get("/threads?limit=100")).json()["data"]) == 100

        on.set()
        await asyncio.gather(*(stream.until("event: thread.run.completed") for stream in streams))
        await asyncio.gather(*(stream.until("data: [DONE]") for stream in streams))


async def test_a_client_that_does_not_read_is_cut_off_and_its_run_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_MAX_WAITING", 1_000_000)
    on, piece, pieces = asyncio.Event(), "x" * 50_000, 200  # more than the buffers of two sockets take
    flood = [chunk({"content": piece})] * pieces
    written = Reply([chunk({"content": "Well"}), on, *flood, chunk({}, "stop"), DONE])
    async with engine(tmp_path, written, says("Quick.")) as served_engine:
        assistant = await served_engine.assistant()
        thread, other = await served_engine.thread("Write!"), await served_engine.thread("Hi")
        body = {"assistant_id": assistant, "stream": True}
        async with streamed(served_engine.url, f"/threads/{thread}/runs", body, window=4096) as slow:
            begun = await slow.until("event: thread.message.delta")
            run_id = json.loads(begun.partition("data: ")[2].partition("\n")[0])["id"]
            on.set()
            quick = await served_engine.run(other, assistant)
            assert quick[-2][1]["status"] == "completed"
            assert (await served_engine.settled(thread, run_id))["status"] == "completed"
            received = await slow.rest()
        assert b"[DONE]" not in received and len(received) < len(piece) * pieces
        message = (await served_engine.get(f"/threads/{thread}/messages?limit=1"))["data"][0]
        assert len(message["content"][0]["text"]["value"]) == len("Well") + len(piece) * pieces
