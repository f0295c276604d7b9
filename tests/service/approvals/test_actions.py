"""One action that the user decides on: what each decision makes of it, and what is sent in the end."""

from dataclasses import replace

import pytest

from assistants_tui.service.approvals.actions import CodeBlock, FunctionCall
from assistants_tui.service.functions.registry import MAX_OUTPUT, Function

TIDE = Function({"name": "tide"}, "tides.py", "1")
CALL = FunctionCall(id="call_1", name="tide", arguments='{"port": "Oulu"}')
ASKED = CALL.asked(TIDE, {"port": "Oulu"}, "", "")
SEEN = replace(ASKED, seen=True)
CODE = CodeBlock(id="call_1", code="print(1)", original="print(1)", text="print(1)")


def test_a_call_that_is_looked_up_cannot_be_decided_on() -> None:
    for decided in (CALL.allowed(), CALL.declined(), CALL.written("0.4 m"), CALL.drafted("0.4")):
        assert decided is CALL


@pytest.mark.parametrize("always", [False, True])
def test_a_call_runs_once_it_was_seen(always: bool) -> None:
    assert ASKED.can_run
    assert ASKED.allowed(always=always) is ASKED
    running = SEEN.allowed(always=always)
    assert running.runs
    assert running.decision == ("always" if always else "once")
    assert not running.remembered
    assert running.allowed() is running, "it runs once"


def test_a_call_without_a_function_or_with_arguments_that_do_not_fit_is_not_run() -> None:
    for asked in (CALL.asked(None, {}, "", ""), CALL.asked(TIDE, None, "They do not fit.", "")):
        seen = replace(asked, seen=True)
        assert not seen.can_run
        assert seen.allowed() is seen
        assert seen.written("0.4 m").answered().output == "0.4 m"


def test_what_was_seen_has_to_be_seen_again_once_it_has_changed() -> None:
    other = replace(TIDE, fingerprint="2")
    assert SEEN.asked(TIDE, SEEN.values, "", "").seen
    assert not SEEN.asked(other, SEEN.values, "", "It has changed.").seen
    asked_again = replace(SEEN, remembered=True).allowed().asked(other, SEEN.values, "", "")
    assert (asked_again.state, asked_again.decision, asked_again.remembered) == ("waiting", None, False)


def test_a_declined_call_tells_the_model() -> None:
    once, never = SEEN.declined("Not now."), SEEN.declined(never=True)
    assert (once.output, once.decision) == ("The user declined this call. Not now.", "refused")
    assert (never.output, never.decision) == ("The user declined this call.", "never")
    assert not once.runs and not never.runs
    assert ASKED.declined().state == "running", "what is not run may be declined without having been seen"


def test_what_was_decided_before_is_done_without_asking() -> None:
    assert ASKED.decided_before("always").runs
    never = ASKED.decided_before("never")
    assert (never.output, never.runs, never.remembered) == ("The user declined this call.", False, True)


def test_a_written_output_replaces_what_was_there() -> None:
    failed = SEEN.allowed().returned("It failed.", 0.1, failed=True).answered()
    written = failed.written("0.4 m").answered()
    assert (written.output, written.failed, written.decision) == ("0.4 m", False, "typed")


def test_an_output_is_cut_to_what_can_be_sent() -> None:
    answered = SEEN.written("x" * (MAX_OUTPUT + 1)).answered()
    assert len(answered.output) == MAX_OUTPUT
    assert answered.output.endswith(f"had {MAX_OUTPUT + 1:,} characters.]")


def test_code_runs_once_it_was_seen() -> None:
    assert CODE.allowed() is CODE
    allowed = replace(CODE, seen=True).allowed()
    assert allowed.answer == {"tool_call_id": "call_1", "decision": "run"}
    assert (allowed.state, allowed.decision) == ("answered", "once")
    assert allowed.declined() is allowed


def test_edited_code_runs_as_it_is_in_the_field() -> None:
    editing = replace(CODE, seen=True).began_edit("print(2)")
    assert editing.can_run, "what the user has read and changed was seen"
    allowed = editing.allowed()
    assert allowed.answer == {"tool_call_id": "call_1", "decision": "run", "code": "print(2)"}
    assert allowed.decision == "edited"
    assert not CODE.began_edit("print(2)").can_run
    blank = editing.began_edit(" \n")
    assert blank.allowed() is blank


def test_a_kept_edit_has_to_be_seen_and_a_discarded_one_is_gone() -> None:
    editing = replace(CODE, seen=True).began_edit("print(2)")
    kept = editing.kept_edit()
    assert (kept.text, kept.edited, kept.edit, kept.can_run) == ("print(2)", True, None, False)
    assert editing.discarded_edit() == replace(CODE, seen=True)
    assert editing.began_edit("").kept_edit().text == CODE.text, "nothing is nothing to run"
    assert kept.kept_edit() is kept


def test_rejected_code_tells_the_model_why() -> None:
    assert CODE.declined().answer == {"tool_call_id": "call_1", "decision": "reject"}
    rejected = CODE.began_reason("Not", rejecting=True).declined(" Not now. ")
    assert rejected.answer == {"tool_call_id": "call_1", "decision": "reject", "reason": "Not now."}
