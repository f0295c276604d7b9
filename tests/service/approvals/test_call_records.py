"""What stays on disk of a call: the decision that holds for later ones, and a line of the log."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assistants_tui.service.approvals.actions import FunctionCall
from assistants_tui.service.approvals.call_records import CallRecords
from assistants_tui.service.approvals.context import CallContext
from assistants_tui.service.functions.registry import Function, Functions, definition_text
from assistants_tui.settings.approvals import Approvals

TIDE = Function({"name": "tide"}, "tides.py", "1")
ASKED = replace(FunctionCall(id="call_1", name="tide", arguments="{}").asked(TIDE, {}, "", ""), seen=True)


@pytest.fixture
def context(tmp_path: Path) -> CallContext:
    return CallContext("local", Functions([]), Approvals(tmp_path / "approvals.toml"), tmp_path / "calls.log")


@pytest.fixture
def records(context: CallContext) -> CallRecords:
    return records_of(context)


def records_of(context: CallContext) -> CallRecords:
    return CallRecords(context, "thread_1", "run_1")


def logged(context: CallContext) -> list[list[object]]:
    lines = map(json.loads, context.log.read_text().splitlines())
    return [[line[key] for key in ("function", "from", "decision", "outcome")] for line in lines]


async def test_each_decision_is_logged_in_its_words(records: CallRecords, context: CallContext) -> None:
    for call in (
        ASKED.allowed().returned("0.4 m", 0.1),
        ASKED.allowed().returned("It failed.", 0.1, failed=True),
        ASKED.declined(),
        ASKED.written("0.4 m"),
    ):
        assert await records.write(call) == call
    await records.write_stopped(ASKED.allowed(), 3)
    assert logged(context) == [
        ["tide", "tides.py", "once", "ok"],
        ["tide", "tides.py", "once", "failed"],
        ["tide", "tides.py", "refused", "declined"],
        ["tide", "", "typed", "ok"],
        ["tide", "tides.py", "once", "stopped"],
    ]


async def test_the_log_has_the_arguments_or_what_the_model_wrote_in_their_place(
    records: CallRecords, context: CallContext
) -> None:
    for call in (
        replace(ASKED, arguments='{"port":"Oulu"}', values={"port": "Oulu"}),
        replace(ASKED, arguments='{"port":', values=None),
    ):
        await records.write(call.written("0.4 m"))
    lines = map(json.loads, context.log.read_text().splitlines())
    assert [line["arguments"] for line in lines] == [{"port": "Oulu"}, '{"port":']


async def test_only_what_holds_for_later_calls_is_remembered(
    records: CallRecords, context: CallContext
) -> None:
    approvals = context.approvals
    await records.write(ASKED.declined())
    assert approvals.seen("tide", "2") is None
    await records.write(ASKED.allowed().returned("", 0))
    assert (approvals.decision("tide", "1"), approvals.seen("tide", "2")) == (None, definition_text(TIDE))
    await records.write(ASKED.allowed(always=True).returned("", 0))
    assert approvals.decision("tide", "1") == "always"
    await records.write(ASKED.decided_before("never"))
    assert approvals.decision("tide", "1") == "always", "that was decided before, and not now"
    await records.write(ASKED.declined(never=True))
    assert approvals.decision("tide", "1") == "never"


async def test_a_disk_that_takes_nothing_does_not_keep_the_call_from_its_answer(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    approvals = Approvals(blocked / "approvals.toml")
    records = CallRecords(
        CallContext("local", Functions([]), approvals, tmp_path / "log"), "thread_1", "run_1"
    )
    always = await records.write(ASKED.allowed(always=True).returned("0.4 m", 0))
    assert (always.output, bool(always.problem)) == ("0.4 m", True)
    once = await records.write(ASKED.allowed().returned("0.4 m", 0))
    assert once.problem == "", "it is asked about again in any case"
    unlogged = CallRecords(
        CallContext("local", Functions([]), approvals, blocked / "log"), "thread_1", "run_1"
    )
    assert "cannot be written" in (await unlogged.write(ASKED.written("0.4 m"))).problem
