"""A run looks the same however it was followed: streamed, polled, cut and resumed, or read again later."""

import copy
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol.events import Event
from assistants_tui.protocol.objects import Json, Message, Run, RunStep
from assistants_tui.service.required_fields import checked
from assistants_tui.service.runs.state import (
    PendingCode,
    RunState,
    absorb,
    answered,
    from_objects,
    reduce,
)


def fresh(value: Any) -> Any:
    """A copy that shares nothing, as JSON that has travelled."""
    return json.loads(json.dumps(value))


@dataclass
class Server:
    """A server that plays a script: it writes events and keeps what a GET would give after each."""

    run: Json = field(default_factory=dict)
    steps: dict[str, Json] = field(default_factory=dict)
    messages: dict[str, Json] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    pictures: list[RunState] = field(default_factory=list)
    now: int = 1000

    def emit(self, name: str, data: Json) -> None:
        self.events.append(Event(name, fresh(data)))
        self.pictures.append(self.read())

    def read(self) -> RunState:
        """What GET run, steps and messages give now."""
        steps = [checked(RunStep, fresh(step)) for step in self.steps.values()]
        messages = [checked(Message, fresh(message)) for message in self.messages.values()]
        return from_objects(checked(Run, fresh(self.run)), steps, messages)

    def start(self) -> None:
        self.run = {
            "id": "run_1",
            "thread_id": "thread_1",
            "status": "queued",
            "started_at": None,
            "usage": None,
        }
        self.emit("thread.run.created", self.run)
        self.emit("thread.run.queued", self.run)
        self.go("in_progress", started_at=self.now)

    def go(self, status: str, **changes: Any) -> None:
        self.run.update(status=status, **changes)
        self.emit(f"thread.run.{status}", self.run)

    def step(self, kind: str, details: Json) -> Json:
        self.now += 1
        step: Json = {
            "id": f"step_{len(self.steps)}",
            "created_at": self.now,
            "type": kind,
            "status": "in_progress",
            "step_details": {"type": kind, **details},
            "usage": None,
        }
        self.steps[step["id"]] = step
        self.emit("thread.run.step.created", step)
        self.emit("thread.run.step.in_progress", step)
        return step

    def end_step(self, step: Json, status: str = "completed") -> None:
        step.update(status=status, usage={"total_tokens": 3})
        self.emit(f"thread.run.step.{status}", step)

    def call_delta(self, step: Json, piece: Json) -> None:
        delta = {"step_details": {"type": "tool_calls", "tool_calls": [piece]}}
        self.emit("thread.run.step.delta", {"id": step["id"], "delta": delta})

    def code(self, pieces: list[str], outputs: list[Json]) -> None:
        step = self.step("tool_calls", {"tool_calls": []})
        call: Json = {"input": "", "outputs": []}
        step["step_details"]["tool_calls"] = [
            {"id": "call_1", "type": "code_interpreter", "code_interpreter": call}
        ]
        self.call_delta(
            step,
            {
                "index": 0,
                "id": "call_1",
                "type": "code_interpreter",
                "code_interpreter": {"input": "", "outputs": []},
            },
        )
        for piece in pieces:
            call["input"] += piece
            self.call_delta(
                step, {"index": 0, "type": "code_interpreter", "code_interpreter": {"input": piece}}
            )
        for index, output in enumerate(outputs):
            call["outputs"].append(output)
            self.call_delta(
                step,
                {
                    "index": 0,
                    "type": "code_interpreter",
                    "code_interpreter": {"outputs": [{"index": index, **output}]},
                },
            )
        self.end_step(step)

    def search(self, found: list[str]) -> None:
        step = self.step("tool_calls", {"tool_calls": []})
        call: Json = {"id": "call_2", "type": "file_search", "file_search": {}}
        step["step_details"]["tool_calls"] = [call]
        self.call_delta(step, {"index": 0, **fresh(call)})
        call["file_search"] = {"results": [{"file_id": one, "score": 0.5} for one in found]}
        self.end_step(step)

    def functions(self, arguments: list[list[str]]) -> None:
        step = self.step("tool_calls", {"tool_calls": []})
        calls: list[Json] = step["step_details"]["tool_calls"]
        for index, pieces in enumerate(arguments):
            function: Json = {"name": "tide", "arguments": "", "output": None}
            calls.append({"id": f"call_f{index}", "type": "function", "function": function})
            self.call_delta(step, {"index": index, **fresh(calls[-1])})
            for piece in pieces:
                function["arguments"] += piece
                self.call_delta(step, {"index": index, "type": "function", "function": {"arguments": piece}})
        asked = [{**call, "function": {**call["function"]}} for call in fresh(calls)]
        self.go("requires_action", required_action={"submit_tool_outputs": {"tool_calls": asked}})
        self.now += 5
        for call in calls:
            call["function"]["output"] = "0.4 m"
        self.run.update(required_action=None)
        self.end_step(step)
        self.go("queued")
        self.go("in_progress", started_at=self.now)

    def message(self, parts: list[Any], status: str = "completed") -> None:
        step = self.step(
            "message_creation", {"message_creation": {"message_id": f"msg_{len(self.messages)}"}}
        )
        message: Json = {
            "id": f"msg_{len(self.messages)}",
            "created_at": self.now,
            "run_id": "run_1",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        self.messages[message["id"]] = message
        self.emit("thread.message.created", message)
        self.emit("thread.message.in_progress", message)
        for index, part in enumerate(parts):
            if isinstance(part, str):
                image = {"type": "image_file", "image_file": {"file_id": part, "detail": "auto"}}
                message["content"].append(image)
                self.message_delta(message, {"index": index, **image})
                continue
            text: Json = {"value": "", "annotations": []}
            message["content"].append({"type": "text", "text": text})
            for piece, cites in part:
                delta: Json = {"value": piece}
                if cites:
                    mark: Json = {"type": "file_citation", "text": piece, "start_index": len(text["value"])}
                    mark["file_citation"] = {"file_id": "file-1"}
                    delta["annotations"] = [{"index": len(text["annotations"]), **mark}]
                    text["annotations"].append(mark)
                text["value"] += piece
                self.message_delta(message, {"index": index, "type": "text", "text": delta})
        message.update(status=status)
        self.emit(f"thread.message.{status}", message)
        self.end_step(step, "completed" if status == "completed" else "cancelled")

    def message_delta(self, message: Json, piece: Json) -> None:
        self.emit("thread.message.delta", {"id": message["id"], "delta": {"content": [piece]}})


PIECES = st.lists(st.text(max_size=4), max_size=4)
TEXT_PARTS = st.lists(st.tuples(st.text(max_size=5), st.booleans()), min_size=1, max_size=5)
OUTPUTS = st.lists(
    st.one_of(
        st.builds(lambda logs: {"type": "logs", "logs": logs}, st.text(max_size=5)),
        st.builds(lambda file: {"type": "image", "image": {"file_id": file}}, st.sampled_from(["f1", "f2"])),
    ),
    max_size=3,
)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("code"), PIECES, OUTPUTS),
        st.tuples(st.just("search"), st.lists(st.sampled_from(["file-1", "file-2"]), max_size=2)),
        st.tuples(st.just("functions"), st.lists(PIECES, min_size=1, max_size=3)),
        st.tuples(
            st.just("message"), st.lists(st.one_of(st.just("file-i"), TEXT_PARTS), min_size=1, max_size=3)
        ),
    ),
    max_size=3,
)


@st.composite
def played(draw: st.DrawFn) -> Server:
    server = Server()
    server.start()
    for name, *arguments in draw(ACTS):
        getattr(server, name)(*arguments)
    end = draw(st.sampled_from(["completed", "failed", "incomplete", "expired", "cancelled"]))
    if end == "cancelled":
        server.go("cancelling")
        server.message([[("half a", False)]], status="incomplete")
    server.go(end, usage={"total_tokens": 9})
    return server


def order(state: RunState) -> tuple[list[str], list[str]]:
    return [*state.messages], [*state.steps]


def same(state: RunState, end: RunState) -> None:
    assert state == end
    assert order(state) == order(end)


def follow(events: list[Event], state: RunState) -> RunState:
    """The states of a stream; after requires_action the answer is sent."""
    for event in events:
        state = reduce(state, event)
        if event.name == "thread.run.requires_action":
            state = answered(state)
    return state


@given(played())
def test_a_whole_stream_gives_what_the_server_has(server: Server) -> None:
    same(follow(server.events, RunState("thread_1")), server.read())


@given(played(), st.data())
def test_a_stream_that_is_cut_anywhere_is_completed_by_reading(server: Server, data: st.DataObject) -> None:
    last = len(server.events) - 1
    cut = data.draw(st.integers(0, last))
    state = follow(server.events[:cut], RunState("thread_1"))
    for moment in sorted(data.draw(st.lists(st.integers(cut, last), max_size=3))):
        picture = server.pictures[moment]
        assert picture.run is not None
        state = absorb(state, picture.run, picture.steps.values(), picture.messages.values())
    end = server.read()
    assert end.run is not None
    state = absorb(state, end.run, end.steps.values(), end.messages.values())
    same(state, end)


@given(played(), st.data())
def test_polling_only_gives_the_same(server: Server, data: st.DataObject) -> None:
    moments = sorted(data.draw(st.lists(st.integers(0, len(server.events) - 1), max_size=5)))
    state = RunState("thread_1")
    for picture in [*(server.pictures[moment] for moment in moments), server.read()]:
        assert picture.run is not None
        state = absorb(state, picture.run, picture.steps.values(), picture.messages.values())
    same(state, server.read())


@given(played(), st.data())
def test_repeated_and_late_snapshots_change_nothing(server: Server, data: st.DataObject) -> None:
    events = [*server.events]
    snapshots = [index for index, event in enumerate(events) if not event.name.endswith("delta")]
    picks = data.draw(
        st.lists(st.tuples(st.sampled_from(snapshots), st.integers(0, len(events))), max_size=5)
    )
    for index, delay in sorted(picks, key=lambda pick: -pick[0] - pick[1]):
        later = min(index + 1 + delay, len(events))
        if any(
            event.name in {"thread.run.requires_action", "thread.run.queued"}
            for event in (events[index], *events[index:later])
        ):
            continue  # what comes after outputs were submitted is another stream
        events.insert(later, server.events[index])
    same(follow(events, RunState("thread_1")), server.read())


@given(played(), st.data())
def test_deltas_of_what_is_complete_are_ignored(server: Server, data: st.DataObject) -> None:
    deltas = [event for event in server.events if event.name.endswith("delta")]
    late = data.draw(st.lists(st.sampled_from(deltas), max_size=5)) if deltas else []
    same(follow([*server.events, *late], RunState("thread_1")), server.read())


@given(played())
def test_written_text_never_shrinks_and_states_never_change(server: Server) -> None:
    state, written, kept = RunState("thread_1"), 0, []
    for event, picture in zip(server.events, server.pictures, strict=True):
        kept.append((state, copy.deepcopy(state)))
        state = reduce(state, event)
        assert picture.run is not None
        stale = server.pictures[0]
        again = absorb(state, picture.run, stale.steps.values(), stale.messages.values())
        assert again.messages == state.messages
        length = sum(
            len(part.get("text", {"value": ""})["value"])
            for message in state.messages.values()
            for part in message["content"]
        )
        assert length >= written
        written = length
    assert all(state == before for state, before in kept)


@given(
    played(),
    st.lists(
        st.builds(
            Event,
            st.sampled_from(["thread.run.paused", "thread.message.delta", "thread.run.step.delta", "x", ""]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=3),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(["id", "delta", "content", "type", "index"]), inner, max_size=4
                    )
                ),
                max_leaves=6,
            ),
        ),
        max_size=5,
    ),
    st.data(),
)
def test_events_that_nobody_knows_are_kept_and_harm_nothing(
    server: Server, strange: list[Event], data: st.DataObject
) -> None:
    events = [*server.events]
    for event in strange:
        events.insert(data.draw(st.integers(0, len(events))), event)
    state = follow(events, RunState("thread_1"))
    end = server.read()
    assert state.run == end.run
    assert {key: state.messages[key] for key in end.messages} == end.messages
    assert {key: state.steps[key] for key in end.steps} == end.steps
    assert all(event in strange for event in state.unknown)


# One by one

RUN: Any = {"id": "run_1", "thread_id": "thread_1", "status": "in_progress", "started_at": 5}


def with_message(*deltas: Json) -> RunState:
    state = reduce(RunState("thread_1"), Event("thread.message.created", message()))
    for delta in deltas:
        state = reduce(state, Event("thread.message.delta", {"id": "msg_1", "delta": {"content": [delta]}}))
    return state


def message(**changes: Any) -> Any:
    whole = {"id": "msg_1", "role": "assistant", "status": "in_progress", "created_at": 1, **changes}
    return checked(Message, whole)


def test_a_delta_before_its_message_is_not_lost() -> None:
    delta = {"id": "msg_1", "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "Hi"}}]}}
    state = reduce(RunState("thread_1", RUN), Event("thread.message.delta", delta))
    state = reduce(state, Event("thread.message.created", message(assistant_id="asst_1")))
    assert state.messages["msg_1"]["content"] == [
        {"type": "text", "text": {"value": "Hi", "annotations": []}}
    ]
    assert state.messages["msg_1"]["assistant_id"] == "asst_1"


def test_refusals_and_parts_of_unknown_kinds_are_kept() -> None:
    state = with_message(
        {"index": 0, "type": "refusal", "refusal": "I can"},
        {"index": 0, "type": "refusal", "refusal": "not."},
        {"index": 1, "type": "hologram", "hologram": {"id": "h1"}},
    )
    assert state.messages["msg_1"]["content"] == [
        {"type": "refusal", "refusal": "I cannot."},
        {"type": "hologram", "hologram": {"id": "h1"}},
    ]


def test_an_absurd_index_fills_no_memory() -> None:
    state = with_message({"index": 10**9, "type": "text", "text": {"value": "x"}})
    assert state.messages["msg_1"]["content"] == []
    assert len(state.unknown) == 1


@pytest.mark.parametrize(
    "data",
    [
        {"error": {"message": "Sorry"}},
        {"message": "Sorry", "error": {"message": "Sorry"}},
        {"message": "Sorry"},
    ],
)
def test_an_error_event_is_shown_until_the_run_is_read_again(data: Json) -> None:
    state = reduce(RunState("thread_1", RUN), Event("error", data))
    assert state.error == "Sorry"
    assert absorb(state, RUN).error is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"status": "completed"}, None),
        ({"status": "cancelled"}, None),
        ({"status": "failed", "last_error": {"code": "server_error", "message": "It broke."}}, "It broke."),
        ({"status": "failed", "last_error": None}, "The run failed without a reason."),
        ({"status": "expired"}, "The run expired before it ended: the server gives a run ten minutes."),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_completion_tokens"}},
            "The answer was cut off: the run's limit of completion tokens was reached.",
        ),
        ({"status": "incomplete", "incomplete_details": None}, "The answer is incomplete: no reason given."),
    ],
)
def test_a_run_that_gave_no_full_answer_says_why(changes: Json, sentence: str | None) -> None:
    run: Any = {**RUN, **changes}
    assert RunState("thread_1", run).error == sentence


def test_a_status_that_nobody_knows_is_shown_as_it_is() -> None:
    run: Any = {**RUN, "status": "paused"}
    state = RunState("thread_1", run)
    assert (state.status, state.active, state.finished) == ("paused", True, False)


SHAPES: list[Any] = [None, "yes", [], {"tool_calls": 3}, {"tool_calls": []}]


@pytest.mark.parametrize(
    "action",
    [
        None,
        {},
        "approve_code",
        ["approve_code"],
        *({kind: asked} for kind in ("submit_tool_outputs", "approve_code") for asked in SHAPES),
        {"approve_code": {"tool_calls": ["call_1"]}},
        {"approve_code": {"tool_calls": [{"id": "call_1", "code_interpreter": None}]}},
    ],
)
def test_a_required_action_of_another_shape_asks_for_nothing(action: Any) -> None:
    run: Any = {**RUN, "status": "requires_action", "required_action": action}
    state = RunState("thread_1", run)
    assert not state.pending_calls
    assert state.pending_code is None
    assert not state.waits


def test_code_that_waits_is_told_with_why_it_does() -> None:
    call = {"id": "call_1", "type": "code_interpreter", "code_interpreter": {"input": "print(1)"}}
    action = {"type": "approve_code", "approve_code": {"tool_calls": [call], "reason": "No namespaces."}}
    run: Any = {**RUN, "status": "requires_action", "required_action": action, "expires_at": 7}
    state = RunState("thread_1", run)
    assert state.pending_code == PendingCode(RUN["id"], "call_1", "print(1)", "No namespaces.", 7)
    assert state.waits and not state.pending_calls
    over: Any = {**run, "status": "expired"}
    assert RunState("thread_1", over).pending_code is None


def test_a_run_of_another_thread_does_not_replace_this_one() -> None:
    state = reduce(RunState("thread_1", RUN), Event("thread.run.completed", {**RUN, "id": "run_2"}))
    assert state.run == RUN


def test_what_does_not_change_stays_the_same_object() -> None:
    before = with_message({"index": 0, "type": "text", "text": {"value": "a"}})
    step = {
        "id": "step_1",
        "type": "tool_calls",
        "status": "in_progress",
        "step_details": {"type": "tool_calls"},
    }
    after = reduce(before, Event("thread.run.step.created", step))
    assert after.messages["msg_1"] is before.messages["msg_1"]


@pytest.mark.parametrize(
    ("present", "late"),
    [
        ({"status": "in_progress", "started_at": 5}, {"status": "queued", "started_at": None}),
        ({"status": "requires_action", "started_at": 5}, {"status": "in_progress", "started_at": 5}),
        ({"status": "cancelling", "started_at": 5}, {"status": "in_progress", "started_at": 5}),
        ({"status": "in_progress", "started_at": 9}, {"status": "requires_action", "started_at": 5}),
        ({"status": "completed", "started_at": 5}, {"status": "in_progress", "started_at": 9}),
        ({"status": "failed", "started_at": 5}, {"status": "completed", "started_at": 5}),
    ],
)
def test_a_late_picture_of_a_run_does_not_turn_it_back(present: Json, late: Json) -> None:
    run: Any = {**RUN, **present}
    event = Event(f"thread.run.{late['status']}", {**RUN, **late})
    assert reduce(RunState("thread_1", run), event).run == run


@pytest.mark.parametrize("name", ["created", "in_progress"])
def test_a_late_picture_of_a_complete_message_does_not_reopen_it(name: str) -> None:
    done = message(status="completed", content=[{"type": "text", "text": {"value": "a", "annotations": []}}])
    state = reduce(RunState("thread_1"), Event("thread.message.completed", done))
    assert reduce(state, Event(f"thread.message.{name}", message())).messages == {"msg_1": done}


@pytest.mark.parametrize("name", ["created", "in_progress"])
def test_a_late_picture_of_a_complete_step_does_not_reopen_it(name: str) -> None:
    open_step: Any = {
        "id": "step_1",
        "type": "tool_calls",
        "status": "in_progress",
        "step_details": {"type": "tool_calls", "tool_calls": []},
    }
    done: Any = checked(RunStep, {**open_step, "status": "completed", "usage": {"total_tokens": 1}})
    state = reduce(RunState("thread_1"), Event("thread.run.step.completed", done))
    assert reduce(state, Event(f"thread.run.step.{name}", open_step)).steps == {"step_1": done}
