"""The actions that a run waits for: whatever is decided in any order, only what was seen and allowed runs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol.objects import Run
from assistants_tui.service.approvals.actions import FunctionCall
from assistants_tui.service.approvals.pending_actions import PendingActions, pending_actions, pending_key
from assistants_tui.service.functions.registry import Function
from assistants_tui.service.runs.state import RunState

STEPS = {
    ("checking", "waiting"),
    ("waiting", "running"),
    ("running", "waiting"),
    ("running", "answered"),
    ("answered", "running"),
}
"""The ways of a function call; code goes from `waiting` to `answered`, and back if that was not received."""


def waiting(action: dict[str, Any], expires_at: object = None) -> RunState:
    run = {
        "id": "run_1",
        "thread_id": "thread_1",
        "status": "requires_action",
        "required_action": action,
        "expires_at": expires_at,
    }
    return RunState("thread_1", cast(Run, run))


def waiting_for_calls(*ids: str) -> RunState:
    calls = [{"id": one, "function": {"name": "tide", "arguments": "{}"}} for one in ids]
    return waiting({"submit_tool_outputs": {"tool_calls": calls}})


def waiting_for_code(code: str = "print(1)") -> RunState:
    call = {"id": "call_1", "code_interpreter": {"input": code}}
    return waiting({"approve_code": {"tool_calls": [call], "reason": "No namespaces."}})


def begun(state: RunState) -> PendingActions:
    pending = pending_actions(state)
    assert pending is not None
    return pending


def version(number: int) -> Function:
    return Function({"name": "tide"}, "tides.py", str(number))


def step(pending: PendingActions, name: str, call_id: str, number: int) -> PendingActions:
    """One thing that the user, a function or the disk does. Anything may come at any time."""
    call = pending.get(call_id)
    assert isinstance(call, FunctionCall)
    match name:
        case "find" if call.state == "checking":
            values: dict[str, Any] | None = {} if number else None  # arguments may not fit
            return pending.swap(call, call.asked(version(number), values, "", ""))
        case "function changes" if call.state == "waiting" or call.runs:
            return pending.swap(call, call.asked(version(number + 10), {}, "", "It has changed."))
        case "see":
            return pending.see(call)
        case "see what was before":
            return pending.see(call.asked(version(99), {}, "", ""))
        case "allow":
            return pending.change(call_id, lambda action: action.allowed(always=number > 1))
        case "decline":
            return pending.change(call_id, lambda action: action.declined("No.", never=number > 1))
        case "write":
            return pending.change(call_id, lambda action: cast(FunctionCall, action).written(f"{number}"))
        case "draft":
            return pending.change(call_id, lambda action: cast(FunctionCall, action).drafted(f"{number}"))
        case "end" if call.state == "running":
            done = call.returned("result", 0.1, failed=number > 1) if call.runs else call
            return pending.swap(call, done.answered())
        case "send":
            return pending.sending()
        case "lose":
            return pending.not_received()
    return pending


NAMES = [
    *("function changes", "see", "see what was before", "allow", "decline", "write", "draft", "end"),
    *("see", "allow", "end", "send", "lose"),
]
Steps = Sequence[tuple[str, str, int]]


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(["a", "b"]), st.integers(0, 2)),
        min_size=20,
        max_size=40,
    )
)
def test_any_decisions_in_any_order(steps: Steps) -> None:
    pending = begun(waiting_for_calls("a", "b"))
    for name, call_id, number in [("find", "a", 1), ("find", "b", len(steps) % 2), *steps]:
        before, pending = pending, step(pending, name, call_id, number)
        assert [call.id for call in pending.calls] == ["a", "b"]
        for old, new in zip(before.calls, pending.calls, strict=True):
            assert new is old or new.id == call_id, "the others stay as they are"
            assert new.state == old.state or (old.state, new.state) in STEPS
            if new.state == "running" != old.state and new.runs:
                assert old.seen and old.function is not None and old.values is not None
            if new.seen and not old.seen:
                assert name == "see"
            if new.function != old.function:
                assert not new.seen, "another function has not been seen"
            if new.state == "answered" and new.decision in {"refused", "never"}:
                assert new.output == "The user declined this call. No."
                assert new.seconds == 0, "it has not run"
        assert pending.complete is all(call.state == "answered" for call in pending.calls)
        if before.sent:
            assert pending is before, "what is sent changes no more"
        assert not pending.sent or pending.complete
        assert [one["output"] for one in pending.outputs] == [call.output for call in pending.calls]


CODE_NAMES = [*("see", "edit", "keep") * 3, "discard", "reason", *("allow", "lose") * 3, "decline", "send"]


@given(
    st.lists(
        st.tuples(st.sampled_from(CODE_NAMES), st.sampled_from(["print(1)", "print(2)", " ", ""])),
        max_size=40,
    )
)
def test_code_runs_as_it_was_seen_and_as_it_is_shown(steps: Sequence[tuple[str, str]]) -> None:
    pending = begun(waiting_for_code())
    seen: set[str] = set()
    """Texts that were in sight, and those that the user wrote over one that was."""
    for name, text in steps:
        code = pending.code
        assert code is not None
        subject = code.subject
        match name:
            case "see":
                pending = pending.see(code)
            case "allow":
                pending = pending.swap(code, code.allowed())
            case "decline":
                pending = pending.swap(code, code.declined(text))
            case "send":
                pending = pending.sending()
            case "lose":
                pending = pending.sending().not_received()
            case _ if code.state == "waiting":
                changed = {
                    "edit": code.began_edit(text),
                    "keep": code.kept_edit(),
                    "discard": code.discarded_edit(),
                    "reason": code.began_reason(text, rejecting=True),
                }[name]
                pending = pending.swap(code, changed)
        after = pending.code
        assert after is not None
        if name == "see" and code.state == "waiting" and not pending.sent:
            seen.add(subject)
        if name == "edit" and code.subject_seen and code.state == "waiting":
            seen.add(text)
        assert not after.subject_seen or after.subject in seen
        if after.text != code.text:
            assert not after.subject_seen, "what was kept is shown as it would run, and read as that"
        if after.state == "answered" and after.decision != "refused":
            assert after.answer.get("code", after.original) == after.subject
            assert after.subject in seen and after.subject.strip()
            assert ("code" in after.answer) is (after.subject != after.original)
        if after.state == "answered" and code.state == "waiting":
            assert after.subject == subject, "what was shown is what runs"


def test_a_change_that_came_too_late_changes_nothing() -> None:
    pending = begun(waiting_for_calls("a"))
    checking = pending.calls[0]
    asked = pending.swap(checking, checking.asked(version(1), {}, "", ""))
    assert asked.swap(checking, checking.asked(version(2), {}, "", "")) is asked
    declined = asked.change("a", lambda action: action.declined())
    assert declined.see(asked.calls[0]) is declined


def test_calls_of_one_id_get_one_answer() -> None:
    pending = begun(waiting_for_calls("a", "a"))
    call = pending.calls[0]
    pending = pending.swap(call, call.asked(None, None, "", ""))
    pending = pending.change("a", lambda action: cast(FunctionCall, action).written("0.4 m").answered())
    assert pending.complete
    assert pending.outputs == [{"tool_call_id": "a", "output": "0.4 m"}] * 2


def test_code_that_was_not_received_is_asked_about_again_and_outputs_are_kept() -> None:
    code = begun(waiting_for_code())
    assert code.code is not None
    code = code.see(code.code)
    sent = code.change("call_1", lambda action: action.allowed()).sending()
    assert sent.sent and sent.not_received().code == code.code
    assert not sent.not_received().sent

    calls = begun(waiting_for_calls("a"))
    asked = calls.swap(calls.calls[0], calls.calls[0].asked(None, None, "", ""))
    sent = asked.swap(asked.calls[0], asked.calls[0].written("0.4 m").answered()).sending()
    assert sent.sent and sent.not_received() is sent


@pytest.mark.parametrize(
    ("state", "key"),
    [
        (waiting_for_calls("a", "b"), ("run_1", "a", "b")),
        (waiting_for_code(), ("run_1", "call_1")),
        (RunState("thread_1"), ()),
        (waiting({}), ()),
        (waiting({"approve_code": {"tool_calls": []}}), ()),
        (replace(waiting_for_code(), run=None), ()),
    ],
)
def test_the_key_tells_what_is_asked(state: RunState, key: tuple[str, ...]) -> None:
    pending = pending_actions(state)
    assert pending_key(state) == key == (pending.key if pending is not None else ())
    assert pending_key(None) == ()


@pytest.mark.parametrize(("expires_at", "deadline"), [(7, 7), (None, None), ("soon", None)])
def test_the_deadline_is_the_runs_own(expires_at: object, deadline: int | None) -> None:
    action = {"submit_tool_outputs": {"tool_calls": [{"id": "a", "function": {"name": "tide"}}]}}
    pending = begun(waiting(action, expires_at))
    assert pending.expires_at == deadline
    assert (pending.calls[0].name, pending.calls[0].arguments) == ("tide", "")


def test_code_is_edited_without_what_a_terminal_would_obey() -> None:
    code = begun(waiting_for_code("print(1)\r\nprint('\u202e')\r")).code
    assert code is not None
    assert code.code == "print(1)\nprint('\u202e')\n"
    assert code.original == code.text == "print(1)\nprint('\ufffd')\n"
    assert code.why_unconfined == "No namespaces."
