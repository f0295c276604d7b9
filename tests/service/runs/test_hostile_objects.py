"""Objects of a server that are not what the API promises: following a run survives each of them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol.events import Event
from assistants_tui.service.runs.state import RunState, reduce
from support.hostile import damaged

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "object": "thread.message",
    "created_at": 1,
    "status": "in_progress",
    "role": "assistant",
    "run_id": "run_1",
    "content": [{"type": "text", "text": {"value": "Hi", "annotations": []}}],
}
RUN: dict[str, Any] = {
    "id": "run_1",
    "thread_id": "thread_1",
    "status": "failed",
    "started_at": 1,
    "last_error": {"code": "server_error", "message": "It broke."},
    "incomplete_details": {"reason": "max_tokens"},
    "required_action": {"submit_tool_outputs": {"tool_calls": []}},
}
STEP: dict[str, Any] = {
    "id": "step_1",
    "created_at": 1,
    "status": "in_progress",
    "type": "tool_calls",
    "step_details": {"type": "tool_calls", "tool_calls": [{"id": "c", "type": "function", "function": {}}]},
}
DELTA: dict[str, Any] = {
    "id": "msg_1",
    "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "Hi"}}]},
}
STEP_DELTA: dict[str, Any] = {
    "id": "step_1",
    "delta": {"step_details": {"type": "tool_calls", "tool_calls": [{"index": 0, "type": "function"}]}},
}
EVENTS = st.one_of(
    *(
        st.builds(Event, st.sampled_from([f"thread.{name}" for name in names]), damaged(sound))
        for names, sound in (
            (("message.created", "message.in_progress", "message.completed"), MESSAGE),
            (("run.created", "run.in_progress", "run.requires_action", "run.failed", "run.incomplete"), RUN),
            (("run.step.created", "run.step.completed"), STEP),
            (("message.delta",), DELTA),
            (("run.step.delta",), STEP_DELTA),
        )
    )
)


@given(st.lists(EVENTS, max_size=8))
def test_no_object_stops_a_run_from_being_followed(events: list[Event]) -> None:
    state = RunState("thread_1")
    for event in events:
        state = reduce(state, event)
    assert isinstance(state.finished, bool) and isinstance(state.active, bool)
    assert state.error is None or isinstance(state.error, str)
    assert isinstance(state.pending_calls, list | tuple)
