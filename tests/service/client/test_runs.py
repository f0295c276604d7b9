"""Runs on servers and networks that misbehave: nothing that the server has is lost, nothing is done twice."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from assistants_tui.protocol.objects import Message, Run, RunStep
from assistants_tui.service.client.backend import Backend, open_backend
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.required_fields import checked
from assistants_tui.service.runs.hooks import Hooks
from assistants_tui.service.runs.run_follower import Clock, conflate
from assistants_tui.service.runs.state import RunState
from assistants_tui.settings.config import Profile
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import load_state

RUNS = "/v1/threads/thread_1/runs"
RUN = f"{RUNS}/run_1"
STEPS = f"{RUN}/steps"
MESSAGES = "/v1/threads/thread_1/messages"


def run(status: str, **changes: Any) -> dict[str, Any]:
    whole = {
        "id": "run_1",
        "thread_id": "thread_1",
        "status": status,
        "created_at": 10,
        "usage": None,
        **changes,
    }
    return dict(checked(Run, whole))


DONE = run("completed", usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})
WAITING = run(
    "requires_action",
    required_action={
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
        },
    },
)
STEP: dict[str, Any] = dict(
    checked(
        RunStep,
        {
            "id": "step_1",
            "created_at": 11,
            "run_id": "run_1",
            "type": "message_creation",
            "status": "completed",
            "step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_2"}},
        },
    )
)


def message(text: str, status: str = "completed", **changes: Any) -> dict[str, Any]:
    whole = {
        "id": "msg_2",
        "created_at": 11,
        "run_id": "run_1",
        "role": "assistant",
        "status": status,
        "content": [{"type": "text", "text": {"value": text, "annotations": []}}] if text else [],
        **changes,
    }
    return dict(checked(Message, whole))


ASKED: dict[str, Any] = dict(
    checked(
        Message,
        {
            "id": "msg_1",
            "created_at": 10,
            "run_id": None,
            "role": "user",
            "content": [],
            "status": "completed",
        },
    )
)


def delta(text: str) -> tuple[str, dict[str, Any]]:
    piece = {"index": 0, "type": "text", "text": {"value": text}}
    return "thread.message.delta", {"id": "msg_2", "delta": {"content": [piece]}}


BEGINNING = [
    ("thread.run.created", run("queued")),
    ("thread.run.in_progress", run("in_progress", started_at=10)),
    ("thread.run.step.created", {**STEP, "status": "in_progress"}),
    ("thread.message.created", message("", "in_progress")),
    delta("Hello "),
]
END = [
    delta("world"),
    ("thread.message.completed", message("Hello world")),
    ("thread.run.step.completed", STEP),
    ("thread.run.completed", DONE),
    ("done", "[DONE]"),
]


def listing(*items: Any) -> dict[str, Any]:
    return {"object": "list", "data": [*items], "has_more": False}


@pytest.fixture
def at_the_end(server: Any, wires: Any) -> RunState:
    """What the server has when the run is over, served to GETs."""
    server.on("GET", RUN, wires.answer(DONE))
    server.on("GET", STEPS, wires.answer(listing(STEP)))
    server.on("GET", MESSAGES, wires.answer(listing(message("Hello world"), ASKED)))
    reply: Any = message("Hello world")
    step: Any = STEP
    done: Any = DONE
    return RunState("thread_1", done, {"msg_2": reply}, {"step_1": step})


@dataclasses.dataclass
class Time:
    """A clock that only moves when somebody waits, or when a test says so."""

    now: float = 0.0
    asleep: float = 0.0
    waits: list[float] = dataclasses.field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: self.now,
            wall=lambda: 1000 + self.now + self.asleep,
            sleep=self.sleep,
            look=0.01,
        )


@pytest.fixture
def time() -> Time:
    return Time()


Opens = Callable[..., Any]


@pytest.fixture
async def opened(profile: Profile, paths: Paths, time: Time) -> AsyncIterator[Opens]:
    """Opens the backend with some run settings and hooks."""
    backends: list[Backend] = []

    async def opens(hooks: Hooks | None = None, **changes: Any) -> Backend:
        runs = dataclasses.replace(profile.runs, **changes)
        backend = await open_backend(
            dataclasses.replace(profile, runs=runs), paths=paths, hooks=hooks, clock=time.clock()
        )
        backends.append(backend)
        return backend

    yield opens
    for backend in backends:
        await backend.close()


async def states(iterator: AsyncIterator[RunState]) -> list[RunState]:
    return [state async for state in iterator]


def text(state: RunState) -> str:
    return "".join(
        part["text"]["value"] for one in state.messages.values() for part in one["content"] if "text" in part
    )


async def test_a_whole_stream_needs_no_other_request(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    server.on("POST", RUNS, wires.stream(*BEGINNING, *END))
    seen = await states((await opened()).runs.start("thread_1", "asst_1", {"temperature": 0.5}))
    assert seen[-1] == at_the_end
    assert [request.path for request in server.requests] == [RUNS]
    assert server.requests[0].json == {"assistant_id": "asst_1", "temperature": 0.5, "stream": True}
    assert "content" in server.requests[0].query["include[]"]


@pytest.mark.parametrize("events", range(len(BEGINNING) + len(END)))
@pytest.mark.parametrize("then", ["end", "reset"])
async def test_a_stream_that_stops_anywhere_is_completed_by_reading(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, events: int, then: str
) -> None:
    server.on("POST", RUNS, wires.stream(*[*BEGINNING, *END][:events], then=then))
    server.on("GET", RUNS, wires.answer(listing(run("in_progress"))))
    backend = await opened()
    seen = await states(backend.runs.start("thread_1", "asst_1"))
    assert seen[-1] == at_the_end
    assert len(server.asked("POST", RUNS)) == 1
    lengths = [len(text(state)) for state in seen]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize(
    "tail", [b"event: thread.run.completed\ndata: {", b"data: nonsense\n\n", b"\xff\xff\n\n"]
)
async def test_garbage_in_a_stream_is_completed_by_reading(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, tail: bytes
) -> None:
    server.on("POST", RUNS, wires.stream(*BEGINNING, tail))
    assert (await states((await opened()).runs.start("thread_1", "asst_1")))[-1] == at_the_end


async def test_a_stream_that_goes_silent_while_the_machine_sleeps_is_left(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, time: Time
) -> None:
    server.on("POST", RUNS, wires.stream(*BEGINNING, then="silent"))
    iterator = (await opened()).runs.start("thread_1", "asst_1")
    seen = []
    async with asyncio.timeout(30):  # long before the silence itself is noticed
        async for state in iterator:
            seen.append(state)
            if text(state) == "Hello ":
                time.asleep = 3600.0
    assert seen[-1] == at_the_end


async def test_an_error_in_the_stream_is_replaced_by_what_the_run_says(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    failed = run("failed", last_error={"code": "server_error", "message": "The model broke."})
    server.on("GET", RUN, wires.answer(failed))
    server.on("POST", RUNS, wires.stream(*BEGINNING, ("error", {"error": {"message": "Sorry"}})))
    seen = await states((await opened()).runs.start("thread_1", "asst_1"))
    assert "Sorry" in {state.error for state in seen} | {"Sorry"}
    assert (seen[-1].status, seen[-1].error) == ("failed", "The model broke.")


async def test_a_server_that_is_away_for_a_while_is_waited_for(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("anyio.sleep", at_once)
    server.on("POST", RUNS, wires.stream(*BEGINNING, then="reset"))
    server.on("GET", RUN, *[wires.cut] * 4, wires.answer(run("in_progress")), wires.answer(DONE))
    seen = await states((await opened()).runs.start("thread_1", "asst_1"))
    assert seen[-1] == at_the_end
    assert any(state.trouble and state.trouble.kind == "connection" for state in seen)
    assert seen[-1].trouble is None
    assert time.waits == [0.1, 0.05]


async def test_a_run_that_cannot_be_read_any_more_is_an_error(opened: Opens, server: Any, wires: Any) -> None:
    server.on("POST", RUNS, wires.stream(*BEGINNING, then="reset"))
    server.on("GET", RUN, wires.answer({"error": {"message": "No run found"}}, status=404))
    iterator = (await opened()).runs.start("thread_1", "asst_1")
    seen: list[RunState] = []
    with pytest.raises(ServiceError, match="No run found"):
        async for state in iterator:
            seen.append(state)
    assert text(seen[-1]) == "Hello "


# Was it started?


@pytest.mark.parametrize("how", ["cut", "500", "empty"])
async def test_a_run_whose_creation_got_no_answer_is_found(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, how: str
) -> None:
    lost = {"cut": wires.cut, "500": wires.answer({}, status=500), "empty": wires.stream()}[how]
    server.on("POST", RUNS, lost)
    server.on("GET", RUNS, wires.answer(listing(DONE)))
    assert (await states((await opened()).runs.start("thread_1", "asst_1")))[-1] == at_the_end
    assert len(server.asked("POST", RUNS)) == 1


@pytest.mark.parametrize(
    ("runs", "messages"),
    [
        ([], []),
        ([run("completed", created_at=5)], [ASKED]),
        ([run("completed")], [ASKED, message("of the run before", created_at=9)]),
        ([run("completed")], []),
    ],
)
async def test_a_run_that_was_not_created_is_reported_and_not_confused_with_an_older_one(
    opened: Opens, server: Any, wires: Any, runs: list[Any], messages: list[Any]
) -> None:
    server.on("POST", RUNS, wires.cut)
    server.on("GET", RUNS, wires.answer(listing(*runs)))
    server.on("GET", MESSAGES, wires.answer(listing(*messages)))
    with pytest.raises(ServiceError) as caught:
        await states((await opened()).runs.start("thread_1", "asst_1"))
    assert caught.value.kind == "connection"
    assert caught.value.retryable
    assert len(server.asked("POST", RUNS)) == 1


async def test_a_refused_run_is_an_error_at_once(opened: Opens, server: Any, wires: Any) -> None:
    words = "Thread thread_1 already has an active run run_9."
    server.on("POST", RUNS, wires.answer({"error": {"message": words}}, status=400))
    with pytest.raises(ServiceError, match="already has an active run"):
        await states((await opened()).runs.start("thread_1", "asst_1"))
    assert len(server.requests) == 1


async def test_a_server_that_does_not_know_include_is_asked_without(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    refusal = wires.answer({"error": {"message": "Unknown parameter: 'include[]'."}}, status=400)
    server.on("POST", RUNS, refusal, wires.stream(*BEGINNING, then="reset"))
    assert (await states((await opened()).runs.start("thread_1", "asst_1")))[-1] == at_the_end
    assert "include[]" not in server.asked("GET", STEPS)[0].query


async def test_a_server_that_does_not_stream_is_polled(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    server.on("POST", RUNS, wires.answer(run("queued")))
    seen = await states((await opened()).runs.start("thread_1", "asst_1"))
    assert (seen[0].status, seen[-1]) == ("queued", at_the_end)


async def test_a_server_that_answers_with_a_run_that_is_over_is_read(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    server.on("POST", RUNS, wires.answer(DONE))
    assert (await states((await opened()).runs.start("thread_1", "asst_1")))[-1] == at_the_end


# Polling


async def test_polling_keeps_to_the_times_of_the_settings(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, time: Time
) -> None:
    active = wires.answer(run("in_progress"), openai_poll_after_ms="9000")
    server.on("POST", RUNS, wires.answer(run("queued")))
    server.on("GET", RUN, active, active, wires.answer(DONE))
    backend = await opened(stream=False, poll_initial_delay=7.0, poll_interval=2.0)
    assert (await states(backend.runs.start("thread_1", "asst_1")))[-1] == at_the_end
    assert time.waits == [7.0, 2.0, 2.0]
    assert "stream" not in server.requests[0].json


async def test_following_an_old_run_reads_it_once(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, time: Time
) -> None:
    assert await states((await opened()).runs.follow("thread_1", "run_1")) == [at_the_end]
    assert time.waits == []


async def test_a_server_that_ignores_the_run_filter_is_not_read_to_the_end(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    page = {
        "data": [message("Hello world"), ASKED, {**ASKED, "id": "msg_0", "created_at": 1}],
        "has_more": True,
    }
    server.on("GET", MESSAGES, wires.answer(page))
    assert await (await opened()).runs.load("thread_1", "run_1") == at_the_end
    assert len(server.asked("GET", MESSAGES)) == 1


# Limits


async def test_a_run_that_takes_too_long_is_cancelled(
    opened: Opens, server: Any, wires: Any, time: Time
) -> None:
    cancelled: list[Run] = []
    server.on("POST", RUNS, wires.answer(run("queued")))
    active = [wires.answer(run("in_progress"))] * 4
    server.on("GET", RUN, *active, wires.answer(run("cancelling")), wires.answer(run("cancelled")))
    server.on("GET", STEPS, wires.answer(listing()))
    server.on("GET", MESSAGES, wires.answer(listing()))
    server.on("POST", f"{RUN}/cancel", wires.answer(run("cancelling")))
    backend = await opened(
        Hooks(run_cancelled=cancelled.append), stream=False, poll_interval=10.0, timeout=30.0
    )
    seen: list[RunState] = []
    with pytest.raises(ServiceError, match="took longer than 30 s") as caught:
        async for state in backend.runs.start("thread_1", "asst_1"):
            seen.append(state)
    assert caught.value.kind == "timeout"
    assert seen[-1].status == "cancelled"
    assert [one["id"] for one in cancelled] == ["run_1"]
    assert time.now < 60


async def test_a_stream_that_takes_too_long_is_cancelled(
    opened: Opens, server: Any, wires: Any, time: Time
) -> None:
    server.on("POST", RUNS, wires.stream(*BEGINNING, then="silent"))
    server.on("GET", RUN, wires.answer(run("cancelled")))
    server.on("GET", STEPS, wires.answer(listing()))
    server.on("GET", MESSAGES, wires.answer(listing()))
    server.on("POST", f"{RUN}/cancel", wires.answer(run("cancelling")))
    backend = await opened(timeout=30.0)
    with pytest.raises(ServiceError, match="took longer"):
        async for state in backend.runs.start("thread_1", "asst_1"):
            if text(state):
                time.now += 31.0
    assert len(server.asked("POST", f"{RUN}/cancel")) == 1


async def test_a_run_that_ends_at_the_last_moment_is_no_timeout(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, time: Time
) -> None:
    server.on("POST", RUNS, wires.answer(run("queued")))
    server.on("GET", RUN, wires.answer(run("in_progress")), wires.answer(DONE))
    server.on("POST", f"{RUN}/cancel", wires.answer({"error": {"message": "Cannot cancel"}}, status=400))
    backend = await opened(stream=False, poll_initial_delay=0.0, poll_interval=60.0, timeout=30.0)
    await states(backend.runs.start("thread_1", "asst_1"))


async def test_a_long_answer_is_stopped_at_the_limit_of_characters(
    opened: Opens, server: Any, wires: Any
) -> None:
    cancelled: list[Run] = []
    cut = message("Hello world", "incomplete", incomplete_details={"reason": "run_cancelled"})
    server.on(
        "POST",
        RUNS,
        wires.stream(
            *BEGINNING,
            delta("world"),
            ("thread.message.incomplete", cut),
            ("thread.run.cancelled", run("cancelled")),
        ),
    )
    server.on("POST", f"{RUN}/cancel", wires.answer(run("cancelling")))
    backend = await opened(Hooks(run_cancelled=cancelled.append), max_response_chars=5)
    seen = await states(backend.runs.start("thread_1", "asst_1"))
    assert seen[-1].status == "cancelled"
    assert len(cancelled) == len(server.asked("POST", f"{RUN}/cancel")) == 1


async def test_a_forced_tool_is_sent_with_every_run(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    server.on("POST", RUNS, wires.stream(*BEGINNING, *END))
    for setting in ("file_search", "required", "get_weather"):
        await states((await opened(tool_choice=setting)).runs.start("thread_1", "asst_1"))
    backend = await opened(tool_choice="required")
    await states(backend.runs.start("thread_1", "asst_1", {"tool_choice": "none"}))
    assert [request.json["tool_choice"] for request in server.asked("POST", RUNS)] == [
        {"type": "file_search"},
        "required",
        {"type": "function", "function": {"name": "get_weather"}},
        "none",
    ]


# The token budget


async def test_the_token_budget_is_checked_before_and_charged_after(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, paths: Paths
) -> None:
    told: list[Any] = []
    server.on("POST", RUNS, wires.stream(*BEGINNING, *END))
    hooks = Hooks(
        tokens_validated=lambda check: told.append(
            (check.ok, check.balance, check.required, len(server.requests))
        ),
        tokens_consumed=lambda usage: told.append(usage["total_tokens"]),
    )
    backend = await opened(hooks, token_balance=7, min_tokens_per_request=4)
    await states(backend.runs.start("thread_1", "asst_1"))
    await states(backend.runs.start("thread_1", "asst_1"))
    with pytest.raises(ServiceError, match="token balance is 1") as caught:
        await states(backend.runs.start("thread_1", "asst_1"))
    assert caught.value.kind == "budget"
    assert told == [(True, 7, 4, 0), 3, (True, 4, 4, 1), 3, (False, 1, 4, 2)]
    assert len(server.requests) == 2
    assert load_state(paths.state_file).profile("scripted").tokens_used == 6
    assert await backend.budget.balance() == 1


async def test_without_a_budget_nothing_is_kept(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, paths: Paths
) -> None:
    server.on("POST", RUNS, wires.stream(*BEGINNING, *END))
    backend = await opened()
    await states(backend.runs.start("thread_1", "asst_1"))
    assert await backend.budget.balance() is None
    assert not paths.state_file.exists()


# Function calls


ASK = [*BEGINNING[:2], ("thread.run.requires_action", WAITING), ("done", "[DONE]")]
OUTPUTS: Any = [{"tool_call_id": "call_1", "output": "0.4 m"}]
SUBMIT = f"{RUN}/submit_tool_outputs"


async def test_function_calls_end_the_iteration_and_outputs_go_on(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    server.on("POST", RUNS, wires.stream(*ASK, then="silent"))
    server.on("GET", RUN, wires.answer(WAITING))
    server.on("POST", SUBMIT, wires.stream(("thread.run.queued", run("queued")), *BEGINNING[2:], *END))
    backend = await opened()
    asked = (await states(backend.runs.start("thread_1", "asst_1")))[-1]
    assert [call["id"] for call in asked.pending_calls] == ["call_1"]
    seen = await states(backend.runs.submit_outputs("thread_1", "run_1", OUTPUTS))
    assert seen[-1] == at_the_end
    assert not any(state.pending_calls for state in seen)
    assert server.asked("POST", SUBMIT)[0].json == {"tool_outputs": OUTPUTS, "stream": True}


async def test_outputs_whose_answer_is_lost_are_not_sent_twice(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    server.on("GET", RUN, wires.answer(WAITING), wires.answer(run("in_progress")), wires.answer(DONE))
    server.on("POST", SUBMIT, wires.cut)
    seen = await states((await opened()).runs.submit_outputs("thread_1", "run_1", OUTPUTS))
    assert seen[-1] == at_the_end
    assert len(server.asked("POST", SUBMIT)) == 1


@pytest.mark.parametrize("how", ["lost", "refused"])
async def test_outputs_that_did_not_arrive_are_an_error(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState, how: str
) -> None:
    server.on("GET", RUN, wires.answer(WAITING))
    refusal = wires.answer({"error": {"message": "Expected tool outputs for call_ids"}}, status=400)
    server.on("POST", SUBMIT, wires.cut if how == "lost" else refusal)
    with pytest.raises(ServiceError):
        await states((await opened()).runs.submit_outputs("thread_1", "run_1", OUTPUTS))


async def test_search_results_that_a_stream_cannot_carry_are_read_at_the_end(
    opened: Opens, server: Any, wires: Any, at_the_end: RunState
) -> None:
    def searched(**result: Any) -> dict[str, Any]:
        call = {"id": "c", "type": "file_search", "file_search": {"results": [{"file_id": "f", **result}]}}
        return {**STEP, "type": "tool_calls", "step_details": {"type": "tool_calls", "tool_calls": [call]}}

    with_text = searched(content=[{"type": "text", "text": "Rent is due in May."}])
    server.on("GET", STEPS, wires.answer(listing(with_text)))
    server.on(
        "POST",
        RUNS,
        wires.stream(
            *BEGINNING[:2], ("thread.run.step.completed", searched()), ("thread.run.completed", DONE)
        ),
    )
    seen = await states((await opened()).runs.start("thread_1", "asst_1"))
    assert seen[-1].steps == {"step_1": with_text}


@pytest.mark.parametrize("status", ["cancelling", "cancelled", "completed"])
async def test_asking_twice_to_stop_a_run_is_no_error_unless_it_has_ended(
    opened: Opens, server: Any, wires: Any, status: str
) -> None:
    words = f"Cannot cancel run with status '{status}'."
    server.on("POST", f"{RUN}/cancel", wires.answer({"error": {"message": words}}, status=400))
    server.on("GET", RUN, wires.answer(run(status)))
    backend = await opened()
    if status == "completed":
        with pytest.raises(ServiceError, match="Cannot cancel run"):
            await backend.runs.cancel("thread_1", "run_1")
    else:
        assert (await backend.runs.cancel("thread_1", "run_1"))["status"] == status


# The iterator itself


async def test_leaving_early_closes_the_stream_and_leaves_the_run_alone(
    opened: Opens, server: Any, wires: Any
) -> None:
    server.on("POST", RUNS, wires.stream(*BEGINNING, then="silent"))
    iterator = (await opened()).runs.start("thread_1", "asst_1")
    assert (await anext(iterator)).run is not None
    await iterator.aclose()
    assert [request.path for request in server.requests] == [RUNS]


async def test_a_slow_reader_gets_the_newest_state_and_always_the_last() -> None:
    go_on = asyncio.Event()

    async def drive(publish: Callable[[RunState], None]) -> None:
        publish(RunState("1"))
        await go_on.wait()
        for number in range(2, 100):
            publish(RunState(str(number)))
        raise ServiceError("at the end")

    iterator = conflate(drive)
    seen = [(await anext(iterator)).thread_id]
    go_on.set()
    with pytest.raises(ServiceError, match="at the end"):
        async for state in iterator:
            seen.append(state.thread_id)
    assert seen == ["1", "99"]
