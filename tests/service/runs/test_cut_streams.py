"""Connections that are cut after each event and each answer in turn: the end state is that of a whole run.

Real runs of every kind are recorded once. Their streams are then played again and again, cut at another place
each time, while all that is read besides comes from the engine that made them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from assistants_tui.engine.app import EngineSettings, ModelProvider, create_app
from assistants_tui.service.client.asgi_transport import AsgiTransport
from assistants_tui.service.client.http_client import Client
from assistants_tui.service.client.profile_client import embedded_client, remote_client
from assistants_tui.service.client.runs import Runs
from assistants_tui.service.runs.budget import TokenBudget
from assistants_tui.service.runs.state import RunState
from assistants_tui.settings.config import Profile, RunSettings
from support.engine import upload
from support.engines import BETA, ServedEngine
from support.model_endpoint import ModelEndpoint, calls, says
from support.proxy import Asked, Fault, Proxy, proxy
from support.served import served

PICTURE = """
import base64
from IPython.display import Image, display
dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
display(Image(data=base64.b64decode(dot)))
"""
TIDE: dict[str, Any] = {"type": "function", "function": {"name": "tide"}}


@dataclass
class Recording:
    """A request that makes a run go on, and the events of its answer."""

    kind: str
    thread_id: str
    assistant_id: str
    run_id: str
    frames: list[bytes]
    outputs: list[Any] = field(default_factory=list)
    """The outputs that were submitted; none: the request made the run."""
    before: dict[str, bytes] = field(default_factory=dict)
    """What GETs gave before it, by path; without it, there was no run yet."""

    @property
    def path(self) -> str:
        runs = f"/v1/threads/{self.thread_id}/runs"
        return f"{runs}/{self.run_id}/submit_tool_outputs" if self.outputs else runs

    @property
    def run(self) -> Any:
        """The run as its first event shows it, which is what a request without `stream` is answered."""
        pictures = [json.loads(frame.partition(b"data: ")[2]) for frame in self.frames[:-1]]
        return next(picture for picture in pictures if picture["object"] == "thread.run")


class Replay:
    """The engine, except that the answer of one request comes from a recording.

    `cut`: the events of it that come.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self.recording: Recording | None = None
        self.cut: int | None = None
        self.lost: int | None = None
        """The number of the answer that does not come at all."""
        self.asked = 0
        self._posted = False

    def rewind(self, recording: Recording, *, cut: int | None = None, lost: int | None = None) -> None:
        self.recording, self.cut, self.lost = recording, cut, lost
        self.asked, self._posted = 0, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        recording = self.recording
        if scope["type"] != "http" or recording is None:
            await self._application(scope, receive, send)
            return
        number, self.asked = self.asked, self.asked + 1
        posted = scope["method"] == "POST" and scope["path"] == recording.path
        self._posted = self._posted or posted
        if number == self.lost:
            raise ConnectionResetError
        if posted:
            await self._replay(recording, await _body(receive), send)
        elif not self._posted and scope["path"] in recording.before:
            await _answer(send, b"application/json", [recording.before[scope["path"]]])
        else:
            await self._application(scope, receive, send)

    async def _replay(self, recording: Recording, body: Any, send: Send) -> None:
        if body.get("stream"):
            await _answer(send, b"text/event-stream", recording.frames, self.cut)
        else:
            await _answer(send, b"application/json", [json.dumps(recording.run).encode()])


async def _body(receive: Receive) -> Any:
    data, more = b"", True
    while more:
        message = await receive()
        data, more = data + message.get("body", b""), message.get("more_body", False)
    return json.loads(data)


async def _answer(send: Send, kind: bytes, pieces: Iterable[bytes], cut: int | None = None) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    for number, piece in enumerate(pieces):
        if number == cut:
            raise ConnectionResetError
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


async def frames(engine: ServedEngine, path: str, body: Any) -> list[bytes]:
    response = await engine.http.post(path, json={**body, "stream": True})
    assert response.status_code == 200, response.text
    return [event + b"\n\n" for event in response.content.split(b"\n\n") if event]


async def recorded(
    engine: ServedEngine, kind: str, thread_id: str, tools: list[Any]
) -> AsyncIterator[Recording]:
    """The requests of one run, each given while the engine is in the state that it left."""
    assistant_id = await engine.assistant(tools=tools)
    query = "?include[]=step_details.tool_calls[*].file_search.results[*].content"
    made = await frames(engine, f"/threads/{thread_id}/runs{query}", {"assistant_id": assistant_id})
    recording = Recording(kind, thread_id, assistant_id, "", made)
    recording.run_id = recording.run["id"]
    yield recording
    path = f"/threads/{thread_id}/runs/{recording.run_id}"
    run = await engine.get(path)
    if run["status"] == "requires_action":
        asked = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": call["id"], "output": "0.4 m"} for call in asked]
        paths = (path, f"{path}/steps", f"/threads/{thread_id}/messages")
        before = {f"/v1{one}": (await engine.http.get(one)).content for one in paths}
        more = await frames(engine, f"{path}/submit_tool_outputs", {"tool_outputs": outputs})
        yield Recording(kind, thread_id, assistant_id, recording.run_id, more, outputs, before)


async def all_recordings(engine: ServedEngine) -> AsyncIterator[Recording]:
    async def code(kind: str, source: str) -> AsyncIterator[Recording]:
        engine.replies(calls(("code_interpreter", json.dumps({"code": source})), piece=40), says("Do", "ne."))
        tools = [{"type": "code_interpreter"}]
        async for recording in recorded(engine, kind, await engine.thread("Go"), tools):
            yield recording

    engine.replies(says("Hel", "lo, ", "world ☀"))
    async for recording in recorded(engine, "message", await engine.thread("Hi"), []):
        yield recording
    async for recording in code("code", "print(6 * 7)\nprint('x')"):
        yield recording
    async for recording in code("image", PICTURE):
        yield recording
    file = await upload(engine.http, "ledger.md", b"The rent is due in May.")
    attachment = {"file_id": file["id"], "tools": [{"type": "file_search"}]}
    message = {"role": "user", "content": "Rent?", "attachments": [attachment]}
    thread = (await engine.post("/threads", {"messages": [message]}))["id"]
    engine.replies(calls(("file_search", '{"query": "rent"}')), says("May", "【0:0†ledger.md】."))
    async for recording in recorded(engine, "search", thread, [{"type": "file_search"}]):
        yield recording
    engine.replies(calls(("tide", '{"port": "Oulu"}'), ("tide", "{}")), says("0.4", " m"))
    async for recording in recorded(engine, "functions", await engine.thread("Tide?"), [TIDE]):
        yield recording


@dataclass
class Bench:
    """The engine behind a recording, and the two ways to it."""

    engine: ServedEngine
    replay: Replay
    network: Proxy
    in_process: Client
    over_tcp: Client
    state_file: Path

    def runs(self, client: Client, *, stream: bool) -> Runs:
        settings = RunSettings(stream=stream, poll_initial_delay=0.0, poll_interval=0.001)
        return Runs(client, settings, TokenBudget(settings, self.state_file, "any"))


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(openai.AsyncOpenAI, "_calculate_retry_timeout", lambda *_, **__: 0.0)
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(ModelEndpoint())
        replay = Replay(
            create_app(EngineSettings(tmp_path / "data", providers=[ModelProvider(endpoint.url)]))
        )
        url = await stack.enter_async_context(served(replay))
        network = await stack.enter_async_context(proxy(url))
        http = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=f"{url}/v1", headers=BETA, timeout=60)
        )
        remote = Profile(name="any", kind="openai", base_url=f"{network.url}/v1")
        over_tcp, in_process = remote_client(remote, None), embedded_client(AsgiTransport(replay))
        stack.push_async_callback(over_tcp.close)
        stack.push_async_callback(in_process.close)
        sdk = openai.AsyncOpenAI(api_key="test", base_url=f"{url}/v1")
        stack.push_async_callback(sdk.close)
        engine = ServedEngine(url, sdk, http, endpoint)
        yield Bench(engine, replay, network, in_process, over_tcp, tmp_path / "state.toml")


async def follow(runs: Runs, recording: Recording) -> list[RunState]:
    if recording.outputs:
        states = runs.submit_outputs(recording.thread_id, recording.run_id, recording.outputs)
    else:
        states = runs.start(recording.thread_id, recording.assistant_id)
    return [state async for state in states]


def order(state: RunState) -> tuple[list[str], list[str]]:
    return [*state.messages], [*state.steps]


def text(state: RunState) -> str:
    return "\n".join(
        (part.get("text") or {"value": ""})["value"]
        for message in state.messages.values()
        for part in message["content"]
    )


def check(states: list[RunState], end: RunState, where: object) -> None:
    """The end is that of the uncut run, and on the way there nothing was there twice or taken back."""
    assert states[-1] == end, where
    assert order(states[-1]) == order(end), where
    assert states[-1].stream_error is None and states[-1].trouble is None and not states[-1].unknown, where
    shown = [text(state) for state in states]
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown)), where


async def test_a_connection_cut_anywhere_ends_as_one_that_was_not(bench: Bench) -> None:
    replay, network = bench.replay, bench.network
    cuts: dict[str, int] = {}
    async for recording in all_recordings(bench.engine):
        replay.rewind(recording)
        end = (await follow(bench.runs(bench.in_process, stream=True), recording))[-1]
        assert end.finished or end.pending_calls
        assert replay.asked == (3 if recording.outputs else 0) + 1, "a whole stream needs no other request"
        for client in (bench.in_process, bench.over_tcp):
            local = client is bench.in_process
            for cut in range(len(recording.frames)):
                replay.rewind(recording, cut=cut if local else None)
                network.plan = _cut_stream(recording, cut) if not local else lambda _: None
                states = await follow(bench.runs(client, stream=True), recording)
                check(states, end, (recording.kind, "stream", local, cut))
                cuts[recording.kind] = cuts.get(recording.kind, 0) + 1
            network.plan = lambda _: None
            for lost in count():
                replay.rewind(recording, lost=lost if local else None)
                network.plan = _lose(lost) if not local else lambda _: None
                states = await follow(bench.runs(client, stream=False), recording)
                check(states, end, (recording.kind, "polling", local, lost))
                if replay.asked <= lost:
                    break
            network.plan = lambda _: None
        replay.recording = None
    assert cuts.keys() == {"message", "code", "image", "search", "functions"}
    assert min(cuts.values()) > 20


def _cut_stream(recording: Recording, at: int) -> Callable[[Asked], Fault | None]:
    def plan(asked: Asked) -> Fault | None:
        path = asked.path.partition("?")[0]
        return Fault("cut", at) if asked.method == "POST" and path == recording.path else None

    return plan


def _lose(number: int) -> Callable[[Asked], Fault | None]:
    numbers = count()

    def plan(_: Asked) -> Fault | None:
        return Fault("cut", 0, "byte") if next(numbers) == number else None

    return plan


def _harm(fault: Fault) -> Callable[[Asked], Fault | None]:
    return lambda asked: fault if asked.method == "POST" else None


HARMS = [
    Fault("duplicate", 6),
    Fault("duplicate", 9),
    Fault("reorder", 3),
    Fault("corrupt", 8),
    Fault("corrupt", 12),
    Fault("cut", 300, "byte"),
    Fault("corrupt", 400, "byte"),
    Fault("corrupt", 3, "byte"),
]


async def test_other_harm_on_the_way_ends_the_same(bench: Bench) -> None:
    """Repeated, exchanged and damaged events and bytes, late ones, and a network that is down.

    What is repeated are whole objects: a repeated delta cannot be told from new text before the end is read.
    """
    bench.engine.replies(says("Hel", "lo"))
    async for recording in recorded(bench.engine, "message", await bench.engine.thread("Hi"), []):
        bench.replay.rewind(recording)
        end = (await follow(bench.runs(bench.in_process, stream=True), recording))[-1]
        for fault in HARMS:
            bench.replay.rewind(recording)
            bench.network.plan = _harm(fault)
            states = await follow(bench.runs(bench.over_tcp, stream=True), recording)
            assert states[-1] == end, fault
            assert order(states[-1]) == order(end), fault
    late = asyncio.Event()
    bench.replay.rewind(recording)
    bench.network.plan = _harm(Fault("delay", 7, until=late))
    following = bench.runs(bench.over_tcp, stream=True).start(recording.thread_id, recording.assistant_id)
    seen: list[RunState] = []
    async for state in following:
        seen.append(state)
        late.set()
    assert seen[-1] == end and not seen[0].finished
    bench.network.refusing = True
    with pytest.raises(Exception, match="broke"):
        await follow(bench.runs(bench.over_tcp, stream=True), recording)
