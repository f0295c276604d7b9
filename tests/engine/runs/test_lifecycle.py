"""What may happen to a run: the thread's lock, cancelling, outputs, expiry, changes, errors."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from assistants_tui.protocol.objects import Json
from support.engines import ServedEngine, data_of, engine, names, text_of, tokens
from support.model_endpoint import DONE, Reply, calls, chunk, says
from support.patience import until

TIDE = {"type": "function", "function": {"name": "tide"}}


class MovableClock:
    """Real waiting, but a time that the test sets."""

    def __init__(self) -> None:
        self.now = 1_763_600_000.0

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


@pytest.fixture
def manual_clock(clock: "Watchful") -> "Watchful":
    """Time that stands still, for waiting as well, until the test moves it."""
    return clock


@pytest.fixture
def moved_clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def timed_engine(tmp_path: Path, moved_clock: MovableClock) -> AsyncIterator[ServedEngine]:
    """An engine whose time the test moves."""
    async with engine(tmp_path / "data", clock=moved_clock) as opened:
        yield opened


async def refused(served_engine: ServedEngine, path: str, body: Json | None = None) -> Json:
    response = await served_engine.http.post(path, json=body or {})
    assert response.status_code == 400, response.text
    error: Json = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    return error


async def begun(served_engine: ServedEngine, **fields: object) -> tuple[str, str, asyncio.Event]:
    """A run whose model has said one word and is silent until the event is set: thread, run, event."""
    on = asyncio.Event()
    served_engine.replies(Reply([chunk({"content": "Well"}), on, chunk({}, "stop"), DONE]))
    assistant, thread = await served_engine.assistant(**fields), await served_engine.thread("Hello?")
    async with served_engine.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as events:
        async for name, data in events:
            if name == "thread.run.created":
                run_id: str = data["id"]
            if name == "thread.message.delta":
                break
    return thread, run_id, on


async def waiting(served_engine: ServedEngine) -> tuple[str, str, str]:
    """A run that waits for the output of one call, after 27 tokens: thread, run, call."""
    served_engine.replies(calls(("tide", "{}"), prompt=20, completion=7))
    assistant, thread = await served_engine.assistant(tools=[TIDE]), await served_engine.thread("Tide?")
    run = await served_engine.post(f"/threads/{thread}/runs", {"assistant_id": assistant})
    run = await served_engine.settled(thread, run["id"])
    return thread, run["id"], run["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"]


class Watchful(Protocol):
    """The clock of `tests/engine/conftest.py`."""

    def time(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    def advance(self, seconds: float) -> None: ...


async def test_text_is_stored_within_half_a_second(tmp_path: Path, manual_clock: Watchful) -> None:
    async with engine(tmp_path / "data", clock=manual_clock) as opened:
        on = asyncio.Event()
        opened.replies(Reply([chunk({"content": "Well"}), on, chunk({"content": ", yes"}), asyncio.Event()]))
        assistant, thread = await opened.assistant(), await opened.thread("Hello?")

        async def stored() -> str:
            return text_of((await opened.listed(f"/threads/{thread}/messages"))[-1])

        async def all_stored() -> bool:
            return await stored() == arrived

        manual_clock.advance(60)  # an engine that has been idle
        arrived = ""
        async with opened.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as events:
            async for name, data in events:
                if name == "thread.message.delta":
                    assert await stored() == arrived
                    arrived += data["delta"]["content"][0]["text"]["value"]
                    manual_clock.advance(0.5)
                    await until("it is stored", all_stored, pause=0)
                    if on.is_set():
                        break
                    on.set()


async def test_a_reader_that_leaves_does_not_stop_the_run(served_engine: ServedEngine) -> None:
    thread, run_id, on = await begun(served_engine)  # which leaves after the first word
    on.set()
    assert (await served_engine.settled(thread, run_id))["status"] == "completed"
    assert text_of((await served_engine.listed(f"/threads/{thread}/messages"))[-1]) == "Well"


async def test_an_active_run_locks_its_thread(served_engine: ServedEngine) -> None:
    thread, run_id, on = await begun(served_engine)
    assistant = await served_engine.assistant()
    message = {"role": "user", "content": "And?"}
    error = await refused(served_engine, f"/threads/{thread}/messages", message)
    assert error["message"] == f"Can't add messages to {thread} while a run {run_id} is active."
    for body in ({}, {"additional_messages": [message]}):
        error = await refused(served_engine, f"/threads/{thread}/runs", {"assistant_id": assistant, **body})
        assert error["message"] == f"Thread {thread} already has an active run {run_id}."
    error = await refused(served_engine, f"/threads/{thread}/runs/{run_id}", {"metadata": {"a": "b"}})
    assert error["message"] == "Cannot update run with status 'in_progress'."
    # Reading goes on, and so does changing the thread.
    assert (await served_engine.post(f"/threads/{thread}", {"metadata": {"c": "d"}}))["metadata"] == {
        "c": "d"
    }
    assert len(await served_engine.listed(f"/threads/{thread}/messages")) == 2
    on.set()
    await served_engine.settled(thread, run_id)
    changed = await served_engine.post(f"/threads/{thread}/runs/{run_id}", {"metadata": {"a": "b"}})
    assert (changed["metadata"], changed["status"]) == ({"a": "b"}, "completed")
    await served_engine.post(f"/threads/{thread}/messages", message)


async def test_polling_is_told_when_to_ask_again(served_engine: ServedEngine) -> None:
    thread, run_id, on = await begun(served_engine)
    path = f"/threads/{thread}/runs/{run_id}"
    values = {(await served_engine.http.get(path)).headers["openai-poll-after-ms"] for _ in range(3)}
    assert len(values) == 1 and int(values.pop()) <= 1000
    on.set()
    await served_engine.settled(thread, run_id)
    assert "openai-poll-after-ms" not in (await served_engine.http.get(path)).headers


async def test_streamed_and_polled_runs_store_the_same(served_engine: ServedEngine) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: plain(item)
                for key, item in value.items()
                if not key.endswith(("_at", "id")) and key != "tool_calls"
            }
        return [plain(item) for item in value] if isinstance(value, list) else value

    assistant = await served_engine.assistant(tools=[{"type": "code_interpreter"}])
    stored = []
    for stream in (True, False):
        served_engine.replies(
            calls(("code_interpreter", '{"code": "print(1)"}'), text="Wait."), says("It ", "is.")
        )
        thread = await served_engine.thread("Go")
        if stream:
            run_id = (await served_engine.run(thread, assistant))[0][1]["id"]
        else:
            run = await served_engine.post(f"/threads/{thread}/runs", {"assistant_id": assistant})
            assert run["status"] == "queued"
            run_id = run["id"]
        run = await served_engine.settled(thread, run_id)
        messages = await served_engine.listed(f"/threads/{thread}/messages")
        steps = await served_engine.listed(f"/threads/{thread}/runs/{run_id}/steps")
        stored.append(plain([run, messages, steps]))
    assert stored[0] == stored[1]


@pytest.mark.parametrize("status", ["completed", "cancelled", "failed"])
async def test_an_ended_run_cannot_be_cancelled(served_engine: ServedEngine, status: str) -> None:
    thread, run_id, on = await begun(served_engine)
    path = f"/threads/{thread}/runs/{run_id}/cancel"
    if status == "cancelled":
        await served_engine.post(path)
    elif status == "failed":
        await served_engine.sdk.beta.threads.delete(thread)
        served_engine.replies(Reply([b"data: {\n\n"]))
        thread = await served_engine.thread("Go")
        assistant = await served_engine.assistant()
        run_id = (await served_engine.post(f"/threads/{thread}/runs", {"assistant_id": assistant}))["id"]
        path = f"/threads/{thread}/runs/{run_id}/cancel"
    on.set()
    assert (await served_engine.settled(thread, run_id))["status"] == status
    assert (await refused(served_engine, path))["message"] == f"Cannot cancel run with status '{status}'."


async def test_a_waiting_run_can_be_cancelled(served_engine: ServedEngine) -> None:
    thread, run_id, _ = await waiting(served_engine)
    cancelling = await served_engine.post(f"/threads/{thread}/runs/{run_id}/cancel")
    assert cancelling["status"] == "cancelling" and cancelling["required_action"] is None
    run = await served_engine.settled(thread, run_id)
    assert run["status"] == "cancelled" and run["expires_at"] is None
    [step] = await served_engine.listed(f"/threads/{thread}/runs/{run_id}/steps")
    assert step["status"] == "cancelled"
    assert run["usage"] == step["usage"] == tokens(20, 7)
    await served_engine.post(f"/threads/{thread}/messages", {"role": "user", "content": "free"})


async def test_all_rounds_of_a_run_that_is_cancelled_while_it_waits_are_counted(
    served_engine: ServedEngine,
) -> None:
    thread, run_id, call_id = await waiting(served_engine)
    path = f"/threads/{thread}/runs/{run_id}"
    served_engine.replies(calls(("tide", "{}"), prompt=40, completion=3))
    outputs = [{"tool_call_id": call_id, "output": "low"}]
    await served_engine.events(f"{path}/submit_tool_outputs", {"tool_outputs": outputs})
    await served_engine.post(f"{path}/cancel")
    assert (await served_engine.settled(thread, run_id))["usage"] == tokens(60, 10)
    steps = await served_engine.listed(f"{path}/steps")
    assert [(step["status"], step["usage"]) for step in steps] == [
        ("completed", tokens(20, 7)),
        ("cancelled", tokens(40, 3)),
    ]


async def test_code_can_be_cancelled(served_engine: ServedEngine) -> None:
    served_engine.replies(
        calls(("code_interpreter", '{"code": "print(\\"go\\", flush=True)\\nwhile True: pass"}'))
    )
    assistant = await served_engine.assistant(tools=[{"type": "code_interpreter"}])
    thread = await served_engine.thread("Go")
    seen = []
    async with served_engine.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as events:
        async for name, data in events:
            seen.append((name, data))
            if name == "thread.run.step.delta" and "go" in str(
                data["delta"]["step_details"]["tool_calls"][0]
            ):
                outputs = data["delta"]["step_details"]["tool_calls"][0]["code_interpreter"].get("outputs")
                if outputs:
                    await served_engine.post(f"/threads/{thread}/runs/{seen[0][1]['id']}/cancel")
    assert names(seen)[-4:] == ["run.cancelling", "run.step.cancelled", "run.cancelled", "done"]
    [call] = data_of(seen, "thread.run.step.cancelled")[0]["step_details"]["tool_calls"]
    assert call["code_interpreter"]["outputs"] == [{"type": "logs", "logs": "go\n"}]


@pytest.mark.parametrize("held", [True, False])
async def test_cancelling_at_any_moment_ends_the_run(served_engine: ServedEngine, held: bool) -> None:
    """Cancelled or completed, whichever was first, but never stuck; the events say the same as the store.

    `held`: the model does not finish before the cancelling is answered.
    """
    assistant = await served_engine.assistant()

    async def race(events_before: int) -> str:
        on = asyncio.Event()
        words = [chunk({"content": "word "}) for _ in range(6)]
        assert served_engine.endpoint is not None
        served_engine.endpoint.replies.clear()  # what a run cancelled early did not take
        served_engine.replies(Reply([*words, on, *words, chunk({}, "stop"), DONE]))
        thread = await served_engine.thread("Go")
        seen: list[tuple[str, Any]] = []
        cancelling: asyncio.Task[Any] | None = None
        async with served_engine.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as events:
            async for event in events:
                seen.append(event)
                if len(seen) == events_before:
                    path = f"/threads/{thread}/runs/{seen[0][1]['id']}/cancel"
                    cancelling = asyncio.create_task(served_engine.http.post(path))
                    if held:
                        cancelling.add_done_callback(lambda _: on.set())
                    else:
                        on.set()
        on.set()
        assert cancelling is not None
        answer = await cancelling
        run = await served_engine.settled(thread, seen[0][1]["id"])
        assert seen[-1][0] == "done" and seen[-2][1] == run
        assert (answer.status_code, run["status"]) in ((200, "cancelled"), (400, "completed"))
        assert ("thread.run.cancelling" in dict(seen)) == (run["status"] == "cancelled")
        for message in data_of(seen, "thread.message.completed") + data_of(seen, "thread.message.incomplete"):
            assert await served_engine.get(f"/threads/{thread}/messages/{message['id']}") == message
        await served_engine.post(f"/threads/{thread}/messages", {"role": "user", "content": "free"})
        return str(run["status"])

    outcomes = {await race(moment) for moment in range(1, 13)}
    assert outcomes == {"cancelled"} or not held


async def test_outputs_have_to_be_those_that_are_wanted(served_engine: ServedEngine) -> None:
    thread, run_id, call_id = await waiting(served_engine)
    path = f"/threads/{thread}/runs/{run_id}/submit_tool_outputs"
    for given in ([], ["call_other"], [call_id, "call_other"]):
        outputs = [{"tool_call_id": call, "output": "x"} for call in given]
        error = await refused(served_engine, path, {"tool_outputs": outputs})
        assert error["message"] == f"Expected tool outputs for call_ids ['{call_id}'], got {given}"
    error = await refused(served_engine, path, {"tool_outputs": [{"tool_call_id": call_id, "output": 3}]})
    assert error["code"] == "invalid_type"
    served_engine.replies(says("Low."))
    body = {"tool_outputs": [{"tool_call_id": call_id, "output": "low"}]}
    assert (await served_engine.post(path, body))["status"] == "queued"
    await served_engine.settled(thread, run_id)
    error = await refused(served_engine, path, body)
    assert error["message"] == 'Runs in status "completed" do not accept tool outputs.'


async def test_two_answers_at_once_are_one_too_many(served_engine: ServedEngine) -> None:
    thread, run_id, call_id = await waiting(served_engine)
    served_engine.replies(says("Low."))
    path = f"/threads/{thread}/runs/{run_id}/submit_tool_outputs"
    body = {"tool_outputs": [{"tool_call_id": call_id, "output": "low"}]}
    answers = await asyncio.gather(*(served_engine.http.post(path, json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
    assert (await served_engine.settled(thread, run_id))["status"] == "completed"


async def test_a_run_that_waits_too_long_expires(
    timed_engine: ServedEngine, moved_clock: MovableClock
) -> None:
    thread, run_id, call_id = await waiting(timed_engine)
    path = f"/threads/{thread}/runs/{run_id}"
    moved_clock.now += 599
    assert (await timed_engine.get(path))["status"] == "requires_action"
    moved_clock.now += 1
    run = await timed_engine.get(path)
    assert run["status"] == "expired" and run["expires_at"] == run["created_at"] + 600
    assert run["required_action"] is None
    [step] = await timed_engine.listed(f"{path}/steps")
    assert step["status"] == "expired" and step["expired_at"] == int(moved_clock.now)
    assert run["usage"] == step["usage"] == tokens(20, 7)
    body = {"tool_outputs": [{"tool_call_id": call_id, "output": "late"}]}
    error = await refused(timed_engine, f"{path}/submit_tool_outputs", body)
    assert error["message"] == 'Runs in status "expired" do not accept tool outputs.'
    await timed_engine.post(f"/threads/{thread}/messages", {"role": "user", "content": "free"})


async def test_outputs_that_come_too_late_are_refused(
    timed_engine: ServedEngine, moved_clock: MovableClock
) -> None:
    thread, run_id, call_id = await waiting(timed_engine)
    moved_clock.now += 600
    path = f"/threads/{thread}/runs/{run_id}"
    body = {"tool_outputs": [{"tool_call_id": call_id, "output": "late"}]}
    error = await refused(timed_engine, f"{path}/submit_tool_outputs", body)
    assert error["message"] == 'Runs in status "expired" do not accept tool outputs.'
    assert (await timed_engine.get(path))["status"] == "expired"


async def test_a_run_that_works_too_long_expires(
    timed_engine: ServedEngine, moved_clock: MovableClock
) -> None:
    never = asyncio.Event()
    timed_engine.replies(Reply([chunk({"content": "Well"}), never]))
    assistant, thread = await timed_engine.assistant(), await timed_engine.thread("Hello?")
    seen = []
    async with timed_engine.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as events:
        async for event in events:
            seen.append(event)
            if event[0] == "thread.message.delta":
                moved_clock.now += 601
    tail = ["message.incomplete", "run.step.expired", "run.expired", "done"]
    assert names(seen)[-4:] == tail
    assert data_of(seen, "thread.message.incomplete")[0]["incomplete_details"] == {"reason": "run_expired"}
    assert text_of(data_of(seen, "thread.message.incomplete")[0]) == "Well"


async def test_deleting_a_thread_ends_its_run(served_engine: ServedEngine) -> None:
    thread, run_id, _ = await begun(served_engine)
    await served_engine.sdk.beta.threads.delete(thread)
    for path in (f"/threads/{thread}", f"/threads/{thread}/runs/{run_id}"):
        assert (await served_engine.http.get(path)).status_code == 404
    served_engine.replies(says("Still here."))
    events = await served_engine.run(await served_engine.thread("Hi"), await served_engine.assistant())
    assert events[-2][1]["status"] == "completed"


async def test_readers_of_a_deleted_run_are_told(served_engine: ServedEngine) -> None:
    served_engine.replies(Reply([chunk({"content": "Well"}), asyncio.Event()]))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("Hello?")
    seen = []
    async with served_engine.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as events:
        async for event in events:
            seen.append(event)
            if event[0] == "thread.message.delta":
                assert (await served_engine.http.delete(f"/threads/{thread}")).status_code == 200
    assert names(seen)[-2:] == ["error", "done"]
    error = seen[-2][1]
    assert error["message"] == error["error"]["message"] == "The run was deleted."


async def test_what_does_not_exist_is_not_found(served_engine: ServedEngine) -> None:
    thread = await served_engine.thread("Hi")
    nobody = {"assistant_id": "asst_nobody"}
    cases: list[tuple[str, str, Json | None, str]] = [
        ("POST", "/threads/thread_no/runs", nobody, "No thread found with id 'thread_no'."),
        ("POST", f"/threads/{thread}/runs", nobody, "No assistant found with id 'asst_nobody'."),
        ("GET", "/threads/thread_no/runs/run_no", None, "No thread found with id 'thread_no'."),
        ("GET", f"/threads/{thread}/runs/run_no", None, "No run found with id 'run_no'."),
        ("POST", f"/threads/{thread}/runs/run_no", {}, "No run found with id 'run_no'."),
        ("POST", f"/threads/{thread}/runs/run_no/cancel", None, "No run found with id 'run_no'."),
        (
            "POST",
            f"/threads/{thread}/runs/run_no/submit_tool_outputs",
            {"tool_outputs": []},
            "No run found with id 'run_no'.",
        ),
        ("GET", f"/threads/{thread}/runs/run_no/steps", None, "No run found with id 'run_no'."),
        ("GET", f"/threads/{thread}/runs/run_no/steps/step_no", None, "No run found with id 'run_no'."),
    ]
    for method, path, body, message in cases:
        response = await served_engine.http.request(method, path, json=body)
        assert (response.status_code, response.json()["error"]["message"]) == (404, message)
    served_engine.replies(says("Hi"))
    run_id = (await served_engine.run(thread, await served_engine.assistant()))[0][1]["id"]
    response = await served_engine.http.get(f"/threads/{thread}/runs/{run_id}/steps/step_123")
    assert response.json()["error"]["message"] == "No run step found with id 'step_123'."


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"tool_choice": "required"}, "tool_choice", "no tools"),
        ({"tool_choice": {"type": "code_interpreter"}}, "tool_choice", "no tool 'code_interpreter'"),
        (
            {"tools": [TIDE], "tool_choice": {"type": "function", "function": {"name": "wind"}}},
            "tool_choice",
            "no tool 'wind'",
        ),
        (
            {"tools": [{"type": "code_interpreter"}], "response_format": {"type": "json_object"}},
            "tools",
            "all tools must be of type `function` when `response_format` is of type `json_object`",
        ),
        ({"max_prompt_tokens": 255}, "max_prompt_tokens", ">= 256"),
        ({"max_completion_tokens": 0}, "max_completion_tokens", ">= 1"),
        ({"tool_resources": {}}, "tool_resources", "Unknown parameter"),
        ({"truncation_strategy": {"type": "last_messages"}}, "truncation_strategy.last_messages", "Missing"),
        ({"truncation_strategy": {"type": "last_messages", "last_messages": 0}}, None, ">= 1"),
        ({"temperature": 2.1}, "temperature", "<= 2"),
        ({"tools": [TIDE] * 129}, "tools", "129"),
    ],
)
async def test_bad_requests_leave_nothing_behind(
    served_engine: ServedEngine, fields: Json, param: str | None, words: str
) -> None:
    assistant, thread = await served_engine.assistant(), await served_engine.thread("Hi")
    body = {"assistant_id": assistant, "additional_messages": [{"role": "user", "content": "lost"}], **fields}
    error = await refused(served_engine, f"/threads/{thread}/runs", body)
    assert words in error["message"]
    assert param is None or error["param"] == param
    assert len(await served_engine.listed(f"/threads/{thread}/messages")) == 1
    assert await served_engine.listed(f"/threads/{thread}/runs") == []
