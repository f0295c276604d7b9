"""Requests that would cost the engine much time or memory are refused before they do, or wait their turn."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel, ValidationError

from assistants_tui.engine.http import large_bodies
from assistants_tui.engine.http.errors import ApiError
from assistants_tui.engine.http.large_bodies import MAX_BODY, LargeBodies
from assistants_tui.engine.http.requests import assistants, files, messages, runs, vector_stores
from assistants_tui.protocol.objects import Json
from support.engine import error_of, make
from support.engines import engine
from support.model_endpoint import Reply, chunk

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANY = 100_000
MESSAGE: Json = {"role": "user", "content": "Hi"}
ATTACHED: Json = {"file_id": "file-x", "tools": [{"type": "file_search"}]}
OUTPUT: Json = {"tool_call_id": "call_x", "output": "x"}


@pytest.mark.parametrize("piece", ["[]", "{}", "0", '""', '{"role":"user","content":"x"}'])
@pytest.mark.parametrize("path", ["/threads", "/assistants", "/threads/runs", "/vector_stores"])
async def test_a_body_of_very_many_values(shared: httpx2.AsyncClient, path: str, piece: str) -> None:
    body = '{"messages":[' + ",".join([piece] * (MANY + 1)) + "]}"
    refused = await shared.post(path, content=body)
    assert refused.status_code == 413
    assert error_of(refused)["message"] == (
        "The request body has too many values. The limit is 100,000 in one request; send several requests."
    )


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/threads", {"messages": [MESSAGE] * 1_001}, "messages"),
        (
            "/threads/runs",
            {"assistant_id": "asst_x", "thread": {"messages": [MESSAGE] * 1_001}},
            "thread.messages",
        ),
        (
            "/threads/thread_x/runs",
            {"assistant_id": "asst_x", "additional_messages": [MESSAGE] * 1_001},
            "additional_messages",
        ),
        (
            "/threads/thread_x/messages",
            {"role": "user", "content": [{"type": "text", "text": "x"}] * 1_001},
            "content",
        ),
        ("/threads/thread_x/messages", MESSAGE | {"attachments": [ATTACHED] * 501}, "attachments"),
        (
            "/threads/thread_x/messages",
            MESSAGE | {"attachments": [{"file_id": "file-x", "tools": [{"type": "file_search"}] * 17}]},
            "attachments[0].tools",
        ),
        (
            "/threads/thread_x/runs/run_x/submit_tool_outputs",
            {"tool_outputs": [OUTPUT] * 1_001},
            "tool_outputs",
        ),
        ("/vector_stores/vs_x/search", {"query": ["x"] * 33}, "query"),
        ("/uploads/upload_x/complete", {"part_ids": ["part_x"] * 10_001}, "part_ids"),
    ],
)
async def test_lists_that_the_contract_leaves_open(
    shared: httpx2.AsyncClient, path: str, body: Json, param: str
) -> None:
    error = error_of(await shared.post(path, json=body))
    assert (error["code"], error["param"]) == ("array_above_max_length", param)


async def test_a_thread_begins_with_a_thousand_messages(shared: httpx2.AsyncClient) -> None:
    thread = await make(shared, "/threads", messages=[MESSAGE] * 1_000)
    page = (await shared.get(f"/threads/{thread['id']}/messages?limit=100")).json()
    assert len(page["data"]) == 100 and page["has_more"]


async def test_a_filter_of_very_many_conditions(shared: httpx2.AsyncClient) -> None:
    condition: Json = {"type": "eq", "key": "k", "value": 1}
    many: Json = {"type": "or", "filters": [{"type": "and", "filters": [condition] * 99}] * 11}
    error = error_of(await shared.post("/vector_stores/vs_x/search", json={"query": "x", "filters": many}))
    assert error["param"] == "filters" and "at most 1000" in error["message"]


FIELDS: Json = {f"field{number}": number for number in range(MANY // 2)}


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (messages.NewThread, {"messages": [[]] * 1_000}),
        (messages.NewThread, {"messages": [{"role": 1, "content": 2, "metadata": 3}] * 1_000}),
        (messages.NewThread, {"metadata": FIELDS}),
        (messages.NewThread, FIELDS),
        (messages.NewThread, {"messages": [MESSAGE | {"metadata": FIELDS}] * 1_000}),
        (messages.NewMessage, MESSAGE | {"content": [{"type": 1}] * 1_000}),
        (messages.NewMessage, MESSAGE | {"attachments": [{}] * 500}),
        (assistants.NewAssistant, {"model": "m", "tools": [{"type": "x"} | dict.fromkeys("abcdefgh")] * 128}),
        (assistants.NewAssistant, {"model": "m", "tools": [FIELDS] * 128}),
        (runs.ToolOutputs, {"tool_outputs": [[]] * 1_000}),
        (files.UploadCompletion, {"part_ids": [1] * 10_000}),
        (vector_stores.NewVectorStore, {"file_ids": ["x"] * 500}),
        (vector_stores.NewFileBatch, {"files": [dict.fromkeys(map(str, range(90)))] * 2_000}),
        (vector_stores.NewFileBatch, {"file_ids": ["file-x"], "attributes": FIELDS}),
        (vector_stores.Search, {"query": [0] * 32, "filters": {"type": "and", "filters": [[]] * 100}}),
    ],
)
async def test_not_every_fault_is_written_down(model: type[BaseModel], value: Any) -> None:
    """One is reported, so that a fault costs nothing for each of thousands of others."""
    with pytest.raises(ValidationError) as refused:
        model.model_validate(value)
    assert refused.value.error_count() <= 150


LONG = "x" * 200_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/threads", {"messages": [{"role": LONG, "content": "x"}]}),
        ("/threads", {LONG: 1}),
        ("/threads", {"metadata": {LONG: "x"}}),
        ("/threads/thread_x/messages", MESSAGE | {"attachments": [{"file_id": LONG, "tools": []}]}),
        ("/threads/thread_x/runs", {"assistant_id": "asst_" + LONG}),
        ("/threads/thread_x/runs", {"assistant_id": "asst_x", "tool_choice": LONG}),
        ("/vector_stores", {"file_ids": [f"file-{number}" + LONG[:1_000] for number in range(500)]}),
        (
            "/assistants",
            {
                "model": "m",
                "tools": [
                    {"type": "function", "function": {"name": "f", "parameters": {"type": [LONG]}}},
                ],
            },
        ),
    ],
)
async def test_an_error_does_not_repeat_what_was_sent(
    shared: httpx2.AsyncClient, path: str, body: Json
) -> None:
    refused = await shared.post(path, json=body)
    assert refused.status_code in {400, 404} and len(refused.content) < 5_000


@pytest.mark.parametrize("strict", [True, False])
async def test_large_schemas_are_checked_whole(shared: httpx2.AsyncClient, strict: bool) -> None:
    properties: Json = {f"p{number}": {"type": "string"} for number in range(5_000)}
    parameters: Json = {"type": "object", "properties": properties | {"last": {"type": "text"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters, "strict": strict}}
    response = await shared.post("/assistants", json={"model": "m", "tools": [tool]})
    assert response.status_code == (400 if strict else 200)
    if strict:
        assert "At $.properties.last.type: " in error_of(response)["message"]


async def test_pages_of_very_long_texts_end_early(shared: httpx2.AsyncClient) -> None:
    thread = await make(shared, "/threads")
    path = f"/threads/{thread['id']}/messages"
    sizes = (6, 1, 1, 9, 9, 17, 1)  # in parts of 250,000 characters; 4,000,000 fit into a page
    text = {"type": "text", "text": "x" * 250_000}
    made = [(await make(shared, path, role="user", content=[text] * size))["id"] for size in sizes]
    pages: list[list[str]] = []
    query: dict[str, str | int] = {"order": "asc", "limit": 100}
    while True:
        page = (await shared.get(path, params=query)).json()
        pages.append([message["id"] for message in page["data"]])
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    assert [len(page) for page in pages] == [3, 1, 1, 1, 1]
    assert [id for page in pages for id in page] == made
    before = (await shared.get(path, params={"order": "asc", "before": made[-1]})).json()
    assert ([message["id"] for message in before["data"]], before["has_more"]) == (made[-2:-1], True)
    for run_id in ("", "run_none"):
        few = (await shared.get(path, params={"limit": 1, "run_id": run_id})).json()
        assert (len(few["data"]), few["has_more"]) == ((0, False) if run_id else (1, True))


async def test_large_bodies_are_read_one_after_another() -> None:
    """And between two of them there is time for others: the work is followed by a rest as long."""
    bodies, at_work, most = LargeBodies(), 0, 0
    lap = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        asyncio.run_coroutine_threadsafe(lap.wait(), loop).result()
        at_work -= 1
        return 1

    several = [asyncio.create_task(bodies.in_turn(work)) for _ in range(5)]
    await asyncio.sleep(0)
    lap.set()
    assert await asyncio.gather(*several) == [1] * 5
    assert most == 1


async def test_room_for_large_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it is the most for one owner; who finds none waits until somebody else has been answered."""
    bodies = LargeBodies()
    async with bodies.room("a") as first:
        await first.take(8 * MAX_BODY)
        async with bodies.room("b") as other:
            await other.take(MAX_BODY)
        async with bodies.room("a") as second:
            waiting = asyncio.create_task(second.take(MAX_BODY))
            await asyncio.sleep(0)
            assert not waiting.done()
            await first.keep(1_000)
            await waiting
        monkeypatch.setattr(large_bodies, "_PATIENCE", 0.0)
        await first.take(1)  # has room already
        async with bodies.room("a") as third, bodies.room("a") as fourth:
            await third.take(7 * MAX_BODY)
            with pytest.raises(ApiError) as refused:
                await fourth.take(MAX_BODY)
            assert refused.value.status == 503 and refused.value.headers is not None
            assert refused.value.headers["retry-after"] == "1"


async def test_streams_hold_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may go on for minutes after its request was read."""
    monkeypatch.setattr(large_bodies, "_HELD_BY_OWNER", MAX_BODY)
    monkeypatch.setattr(large_bodies, "_PATIENCE", 0.0)
    goes_on = asyncio.Event()
    async with engine(tmp_path / "data", Reply([chunk({"content": "x"}), goes_on])) as served:
        body = {
            "assistant_id": await served.assistant(),
            "thread": {"messages": [MESSAGE | {"content": "x" * 200_000}]},
        }
        async with served.streaming("/threads/runs", body) as events:
            await anext(events)
            await served.thread("x" * 200_000)
            goes_on.set()
            async for _ in events:
                pass


async def test_room_is_given_back(shared: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by requests that are refused, and by those that do not say how long they are."""
    monkeypatch.setattr(large_bodies, "_HELD_BY_OWNER", MAX_BODY)
    monkeypatch.setattr(large_bodies, "_PATIENCE", 0.0)
    good = json.dumps({"messages": [{"role": "user", "content": "x" * 200_000}]}).encode()

    async def in_pieces(raw: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(raw), 50_000):
            yield raw[start : start + 50_000]

    for content, status in ((good, 200), (good[:-1], 400), (b"x" * (MAX_BODY + 1), 413)):
        for _ in range(2):
            assert (await shared.post("/threads", content=content)).status_code == status
            assert (await shared.post("/threads", content=in_pieces(content))).status_code == status


async def test_large_answers_take_room(shared: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for many of them at once holds no more of the engine's memory than by sending them."""
    thread = await make(shared, "/threads", messages=[MESSAGE | {"content": "x" * 200_000}])
    path = f"/threads/{thread['id']}/messages"
    [message] = (await shared.get(path)).json()["data"]
    for _ in range(3):
        assert (await shared.get(f"{path}/{message['id']}")).json() == message
    monkeypatch.setattr(large_bodies, "_HELD_BY_OWNER", 300_000)
    for _ in range(3):  # what was sent takes no room any more
        assert (await shared.get(f"{path}/{message['id']}")).json() == message
    monkeypatch.setattr(large_bodies, "_HELD_BY_OWNER", 100_000)
    for large in (path, f"{path}/{message['id']}"):
        refused = await shared.get(large)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "as many large requests as it has room for" in error_of(refused)["message"]
    assert (await shared.get(f"/threads/{thread['id']}")).status_code == 200
    changed = await shared.post(f"{path}/{message['id']}", json={"metadata": {"changed": "yes"}})
    assert changed.json()["content"] == message["content"]
