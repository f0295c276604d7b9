"""Engines that are killed, and engines that share a data directory."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from assistants_tui.protocol.objects import Json
from support.engine_process import EngineProcess, Nursery, nursery
from support.engines import BETA, engine, text_of, tokens
from support.model_endpoint import DONE, ModelEndpoint, Reply, Request, calls, chunk, says
from support.patience import patience, until

ACTIVE = ("queued", "in_progress", "requires_action", "cancelling")
KILLS = int(os.environ.get("ENGINE_KILLS", "40"))
LANES = 5  # engines at once, each on a data directory of its own
# The engine stores text every quarter of a second; a busy machine may be late, which is not tested here.
MAY_BE_LOST_SECONDS = 2.0


@pytest.fixture
async def engines() -> AsyncIterator[Nursery]:
    async with nursery() as opened:
        yield opened


@pytest.fixture
async def endpoint() -> AsyncIterator[ModelEndpoint]:
    async with ModelEndpoint() as opened:
        yield opened


ASKED: Json = {"messages": [{"role": "user", "content": "Tide?"}]}


@asynccontextmanager
async def client(engine: EngineProcess) -> AsyncIterator[httpx2.AsyncClient]:
    limits = httpx2.Limits(max_keepalive_connections=0)
    async with httpx2.AsyncClient(
        base_url=f"{engine.url}/v1", headers=BETA, timeout=60, limits=limits
    ) as http:
        yield http


async def made(http: httpx2.AsyncClient, path: str, body: Json) -> Json:
    response = await http.post(path, json=body)
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


async def listed(http: httpx2.AsyncClient, path: str) -> list[Json]:
    response = await http.get(path, params={"order": "asc", "limit": 100})
    assert response.status_code == 200, response.text
    found: list[Json] = response.json()["data"]
    return found


class Watched:
    """One streaming run, and when which text of it had arrived."""

    def __init__(self, thread_id: str) -> None:
        self.thread_id = thread_id
        self.run_id: str | None = None
        self.arrived: list[tuple[float, str]] = []
        self.moved = asyncio.Event()
        """Set when text has arrived, and when nothing more will."""
        self.ended: str | None = None
        self.last = ""
        """The last line that was no empty one: what an engine said that sent no text."""

    async def follow(self, http: httpx2.AsyncClient, assistant_id: str) -> None:
        path, body = f"/threads/{self.thread_id}/runs", {"assistant_id": assistant_id, "stream": True}
        text, name = "", ""
        try:
            async with http.stream("POST", path, json=body) as response:
                async for line in response.aiter_lines():
                    self.last = line or self.last
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif name == "thread.run.created" and line:
                        self.run_id = json.loads(line[6:])["id"]
                    elif name == "thread.message.delta" and line:
                        [part] = json.loads(line[6:])["delta"]["content"]
                        text += part["text"]["value"]
                        self.arrived.append((time.monotonic(), text))
                        self.moved.set()
                    elif name == "thread.run.completed":
                        self.ended = "completed"
        except httpx2.HTTPError:
            pass  # the engine was killed
        finally:
            self.moved.set()


def endless(_: Request) -> Reply:
    """Words without end. So many that several runs keep no machine busy, or killing would take longer."""

    def body() -> Any:
        yield chunk({"role": "assistant", "content": ""})
        for number in range(10_000):
            tick = asyncio.Event()
            asyncio.get_running_loop().call_later(0.02, tick.set)
            yield tick
            yield chunk({"content": f"w{number} "})

    return Reply(body())


async def test_killed_at_any_moment_nothing_is_stuck_and_little_is_lost(
    engines: Nursery, endpoint: ModelEndpoint, tmp_path: Path
) -> None:
    """More than the suite has time for: `ENGINE_KILLS=200 pytest tests/engine/runs/test_durability.py`."""
    endpoint.otherwise = lambda request: (
        endless(request) if len(endpoint.chats) % 3 else says("Short", " answer")
    )

    early = iter(range(KILLS))
    kept: list[bool] = []
    seen: list[tuple[int, str]] = []

    async def lane(number: int) -> None:
        # Most are killed while the first text comes, some when much of it has to be there already.
        late, kills = (MAY_BE_LOST_SECONDS, iter(range(3))) if number == 0 else (0, early)
        chance = random.Random(number)
        engine = await engines.start(tmp_path / str(number), endpoint.url)
        async with client(engine) as http:
            assistant = (await made(http, "/assistants", {"model": "served"}))["id"]
            threads = [(await made(http, "/threads", ASKED))["id"] for _ in range(3)]
        for _ in kills:
            watched = [Watched(thread) for thread in threads]
            async with client(engine) as http:
                followers = [asyncio.create_task(run.follow(http, assistant)) for run in watched]
                if late:  # else a busy computer has nothing to lose yet
                    await asyncio.gather(*(run.moved.wait() for run in watched))
                await asyncio.sleep(late + chance.random() * 0.6)
                engine.kill()
                killed_at = time.monotonic()
                await asyncio.gather(*followers)
            engine = await engines.start(tmp_path / str(number), endpoint.url)
            async with client(engine) as http:
                kept.extend(await asyncio.gather(*(check(http, run, killed_at) for run in watched)))

    await asyncio.gather(*(lane(number) for number in range(LANES)))
    assert any(kept), seen


async def check(http: httpx2.AsyncClient, watched: Watched, killed_at: float) -> bool:
    """All of a thread is readable, ended and free, and has what was seen of it. True if something was."""
    path = f"/threads/{watched.thread_id}"
    runs = await listed(http, f"{path}/runs")
    messages = {message["id"]: message for message in await listed(http, f"{path}/messages?limit=100")}
    assert all(run["status"] not in ACTIVE for run in runs)
    assert all(message["status"] != "in_progress" for message in messages.values())
    await made(http, f"{path}/messages", {"role": "user", "content": "free"})
    if watched.run_id is None:
        return False
    run = next(
        run
        for run in (await http.get(f"{path}/runs", params={"limit": 100})).json()["data"]
        if run["id"] == watched.run_id
    )
    steps = await listed(http, f"{path}/runs/{run['id']}/steps")
    assert all(step["status"] != "in_progress" for step in steps)
    assert run["usage"] is not None
    if watched.ended == "completed":
        assert run["status"] == "completed"
    if run["status"] != "completed":
        assert run["status"] == "failed" and run["last_error"]["code"] == "server_error"
    if not watched.arrived:
        return False
    response = await http.get(f"{path}/messages", params={"run_id": run["id"]})
    [message] = response.json()["data"]
    if run["status"] == "failed":
        assert message["status"] == "incomplete"
        assert message["incomplete_details"] == {"reason": "run_failed"}
    stored = text_of(message)
    must_be_there = [text for at, text in watched.arrived if at < killed_at - MAY_BE_LOST_SECONDS]
    assert stored.startswith(must_be_there[-1] if must_be_there else "")
    assert stored.startswith(watched.arrived[-1][1]) or watched.arrived[-1][1].startswith(stored)
    return bool(must_be_there)


async def test_code_that_runs_when_the_engine_is_killed(
    engines: Nursery, endpoint: ModelEndpoint, tmp_path: Path
) -> None:
    code = '{"code": "print(1, flush=True)\\nimport time\\ntime.sleep(600)"}'
    endpoint.otherwise = lambda _: calls(("code_interpreter", code))
    engine = await engines.start(tmp_path, endpoint.url)
    async with client(engine) as http:
        assistant = (
            await made(http, "/assistants", {"model": "served", "tools": [{"type": "code_interpreter"}]})
        )["id"]
        thread = (await made(http, "/threads", ASKED))["id"]
        run = (await made(http, f"/threads/{thread}/runs", {"assistant_id": assistant}))["id"]

        async def put_out() -> bool:
            return "logs" in str(await listed(http, f"/threads/{thread}/runs/{run}/steps"))

        await until("the code has put out something", put_out)
        engine.kill()
    engine = await engines.start(tmp_path, endpoint.url)
    async with client(engine) as http:
        [step] = await listed(http, f"/threads/{thread}/runs/{run}/steps")
        assert step["status"] == "failed"
        [call] = step["step_details"]["tool_calls"]
        assert call["code_interpreter"]["outputs"] == [{"type": "logs", "logs": "1\n"}]


async def test_a_waiting_run_survives_its_engine(
    engines: Nursery, endpoint: ModelEndpoint, tmp_path: Path
) -> None:
    endpoint.replies = [
        calls(("tide", "{}"), prompt=20, completion=5),
        says("High.", prompt=30, completion=2),
    ]
    engine = await engines.start(tmp_path, endpoint.url)
    async with client(engine) as http:
        body = {"model": "served", "tools": [{"type": "function", "function": {"name": "tide"}}]}
        assistant = (await made(http, "/assistants", body))["id"]
        thread = (await made(http, "/threads", ASKED))["id"]
        run = await made(http, f"/threads/{thread}/runs", {"assistant_id": assistant})
        run = await status(http, run, "requires_action")
        engine.kill()
    engine = await engines.start(tmp_path, endpoint.url)
    async with client(engine) as http:
        [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        path = f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs"
        await made(http, path, {"tool_outputs": [{"tool_call_id": call["id"], "output": "2 m"}]})
        run = await status(http, run, "completed")
    assert run["usage"] == tokens(50, 7)
    assert [message["role"] for message in endpoint.chats[1]["messages"]] == ["user", "assistant", "tool"]


async def test_two_engines_on_one_directory(
    engines: Nursery, endpoint: ModelEndpoint, tmp_path: Path
) -> None:
    on = asyncio.Event()
    hangs = Reply([chunk({"content": "Well"}), on, chunk({}, "stop"), DONE])
    endpoint.replies = [hangs, says("Fine."), Reply(list(hangs.body))]
    one = await engines.start(tmp_path, endpoint.url)
    two = await engines.start(tmp_path, endpoint.url)
    async with client(one) as first, client(two) as second:
        assistant = (await made(first, "/assistants", {"model": "served"}))["id"]
        thread = (await made(second, "/threads", ASKED))["id"]
        run = await made(first, f"/threads/{thread}/runs", {"assistant_id": assistant})
        await until("the model has been asked", lambda: endpoint.chats)
        # The lock holds for both, and neither takes the other's run for abandoned.
        response = await second.post(f"/threads/{thread}/runs", json={"assistant_id": assistant})
        assert response.status_code == 400 and run["id"] in response.json()["error"]["message"]
        other = (await made(second, "/threads", ASKED))["id"]
        fine = await made(second, f"/threads/{other}/runs", {"assistant_id": assistant})
        await status(first, fine, "completed")
        # Cancelled through the one that does not work on it.
        cancelling = await made(second, f"/threads/{thread}/runs/{run['id']}/cancel", {})
        assert cancelling["status"] == "cancelling"
        await status(second, run, "cancelled")
        # The survivor ends what the dead one was working on.
        run = await made(first, f"/threads/{other}/runs", {"assistant_id": assistant})
        await until("the model has been asked for the third time", lambda: len(endpoint.chats) >= 3)
        one.kill()
        failed = await status(second, run, "failed")
        assert "stopped" in failed["last_error"]["message"]
        await made(second, f"/threads/{other}/messages", {"role": "user", "content": "free"})


async def status(http: httpx2.AsyncClient, run: Json, wanted: str) -> Json:
    """The run once it is in that state."""
    begin = time.monotonic()
    while True:
        response = await http.get(f"/threads/{run['thread_id']}/runs/{run['id']}")
        found: Json = response.json()
        if found["status"] == wanted:
            return found
        assert found["status"] in ACTIVE and time.monotonic() - begin < patience(30), found
        await asyncio.sleep(0.02)


async def test_an_engine_that_cannot_start_says_why(engines: Nursery, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(RuntimeError, match=r"ended before it answered(?s:.*)FileExistsError"):
        await engines.start(tmp_path / "file", None)
    assert (await engines.start(tmp_path / "directory", None)).url  # and the next one does


class HastyClock:
    """Real time, plus what the test adds, and short waiting."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return time.time() + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.02))


def other_program(folder: Path) -> sqlite3.Connection:
    """The store as another program has it. Ask it in a thread: a transaction of the engine is ended here."""
    return sqlite3.connect(folder / "engine.sqlite3", timeout=30, check_same_thread=False)


async def stand_still(engine: EngineProcess, folder: Path) -> None:
    """Stop a process where it is, but not within a transaction: nobody else could begin one."""
    with closing(other_program(folder)) as database:
        await asyncio.to_thread(database.execute, "BEGIN IMMEDIATE")
        os.kill(engine.pid, signal.SIGSTOP)
        process = psutil.Process(engine.pid)
        await until("the engine stands still", lambda: process.status() == psutil.STATUS_STOPPED)


async def test_an_engine_that_stands_still_keeps_its_runs(engines: Nursery, tmp_path: Path) -> None:
    """As in a container or a virtual machine that is paused: the process lives, but says nothing."""
    on, clock = asyncio.Event(), HastyClock()
    hangs = [Reply([chunk({"content": "Well"}), on, chunk({}, "stop"), DONE]) for _ in range(2)]
    async with engine(tmp_path, *hangs, clock=clock) as observer:
        assert observer.endpoint is not None
        stopped, killed = [await engines.start(tmp_path, observer.endpoint.url) for _ in range(2)]
        assistant = await observer.assistant()
        runs = []
        for process in (stopped, killed):
            async with client(process) as http:
                path = f"/threads/{await observer.thread('Hello?')}/runs"
                runs.append(await made(http, path, {"assistant_id": assistant}))
        await until("the model has been asked for both runs", lambda: len(observer.prompts) >= 2)
        try:
            await stand_still(stopped, tmp_path)
            clock.ahead += 300
            killed.kill()
            # Whoever has ended this one has looked at both.
            await status(observer.http, runs[1], "failed")
            assert (await status(observer.http, runs[0], "in_progress"))["last_error"] is None
        finally:
            os.kill(stopped.pid, signal.SIGCONT)
        on.set()
        await status(observer.http, runs[0], "completed")


async def test_a_run_whose_store_failed_does_not_stay_for_ever(tmp_path: Path) -> None:
    clock = HastyClock()
    async with engine(tmp_path, says("Hi"), clock=clock) as served:
        thread, assistant = await served.thread("Hello?"), await served.assistant()
        broken = "CREATE TRIGGER broken BEFORE UPDATE ON runs WHEN new.completed_at IS NOT NULL "
        with closing(other_program(tmp_path)) as database:
            broken += "OR new.failed_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'disk'); END"
            await asyncio.to_thread(database.execute, broken)
            events = await served.run(thread, assistant)
            assert events[-1][0] == "done"
            run = events[0][1]
            assert (await served.get(f"/threads/{thread}/runs/{run['id']}"))["status"] == "in_progress"
            await asyncio.to_thread(database.execute, "DROP TRIGGER broken")
        clock.ahead += 60
        assert (await status(served.http, run, "failed"))["last_error"]["code"] == "server_error"
        await served.post(f"/threads/{thread}/messages", {"role": "user", "content": "free"})


async def test_text_whose_checkpoint_failed_is_stored_by_the_next(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    on = asyncio.Event()
    answer = Reply([chunk({"role": "assistant", "content": "Half a word"}), on, *says(" and on.").body])
    async with engine(tmp_path, answer) as served:
        thread, assistant = await served.thread("Hello?"), await served.assistant()
        with closing(other_program(tmp_path)) as database:
            broken = "CREATE TRIGGER broken AFTER UPDATE ON messages WHEN new.content LIKE '%Half%' "
            broken += "BEGIN SELECT RAISE(ABORT, 'full'); END"
            await asyncio.to_thread(database.execute, broken)
            run = await served.post(f"/threads/{thread}/runs", {"assistant_id": assistant})
            await until("the checkpoint has failed", lambda: "checking the active runs" in caplog.text)
            await asyncio.to_thread(database.execute, "DROP TRIGGER broken")

            async def stored() -> bool:
                count = "SELECT count(*) FROM messages WHERE content LIKE '%Half%'"
                return [*await asyncio.to_thread(database.execute, count)] == [(1,)]

            await until("the next one stores the text", stored)
        on.set()
        await status(served.http, run, "completed")
