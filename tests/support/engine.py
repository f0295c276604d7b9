"""An engine in the test's own process, spoken to over HTTP, with a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
from filelock import FileLock, Timeout

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.protocol.objects import Json
from support.patience import until

NEW_RUN: Json = {
    "assistant_id": "asst_1",
    "model": "m",
    "instructions": "",
    "tools": [],
    "metadata": {},
    "truncation_strategy": {"type": "auto", "last_messages": None},
    "parallel_tool_calls": True,
    "expires_at": 700,
}
"""The fields that a run is stored with."""


class ManualClock:
    """Time that stands still until a test moves it."""

    def __init__(self, now: float = 1_763_600_000.0) -> None:
        self.now = now
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        sleeper = (self.now + seconds, woken)
        self._sleepers.append(sleeper)
        try:
            await woken
        finally:
            self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        """Move time on and wake whoever waited for less than that."""
        self.now += seconds
        for due, woken in self._sleepers:
            if due <= self.now and not woken.done():
                woken.set_result(None)


@asynccontextmanager
async def open_engine(settings: EngineSettings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an engine with these settings. Responses come whole: streams need a real socket."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://localhost/v1",
            headers={"OpenAI-Beta": "assistants=v2"},
        ) as client,
    ):
        yield client


async def settled(http: httpx2.AsyncClient, path: str) -> Json:
    """A vector store, a batch or a file in a store once nothing of it is in progress."""
    found: Json = {}

    async def ended() -> bool:
        nonlocal found
        response = await http.get(path)
        assert response.status_code == 200, response.text
        found = response.json()
        return str(found["status"]) != "in_progress"

    await until(f"nothing of {path} is in progress", ended, seconds=60)
    return found


@asynccontextmanager
async def turn_of_another_engine(data_dir: Path) -> AsyncIterator[None]:
    """Files that are attached meanwhile are not read: another engine on the same data would have to do it."""
    turn = FileLock(data_dir / "reading.lock")

    def ours() -> bool:
        with suppress(Timeout):
            turn.acquire(blocking=False)
        return turn.is_locked

    await until("it is the turn of another engine", ours)
    try:
        yield
    finally:
        turn.release()


def error_of(response: httpx2.Response) -> Json:
    """The error in a response's envelope."""
    error: Json = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


async def make(http: httpx2.AsyncClient, path: str, **body: Any) -> Json:
    """What a POST that has to succeed makes."""
    response = await http.post(path, json=body)
    assert response.status_code == 200, response.text
    made: Json = response.json()
    return made


async def upload(
    http: httpx2.AsyncClient, name: str = "ledger.txt", data: bytes = b"Rent is due.", **fields: str
) -> Json:
    """A file that was uploaded, for assistants unless `purpose` says otherwise."""
    form = {"purpose": "assistants"} | fields
    response = await http.post("/files", files={"file": (name, data)}, data=form)
    assert response.status_code == 200, response.text
    made: Json = response.json()
    return made
