"""The table of states against the diagram of the API, and what follows from it."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol.transitions import (
    ACTIVE_RUN_STATUSES,
    INGEST_TRANSITIONS,
    PARTS_AT_THE_END,
    RUN_TRANSITIONS,
    TERMINAL_RUN_STATUSES,
    UPLOAD_TRANSITIONS,
    WORKED_ON,
    Actor,
    IngestStatus,
    MessageStatus,
    RunEvent,
    RunStatus,
    StepStatus,
    UploadStatus,
    is_final,
    message_fields,
    run_fields,
    run_progress,
    sources,
    states_before,
    step_fields,
    target,
)
from support.run_diagram import AT_THE_END, DIAGRAM, ENTERED_AT


def test_the_table_is_the_diagram() -> None:
    assert {(row.before, row.after) for row in RUN_TRANSITIONS} == DIAGRAM


def test_each_event_leads_to_one_state_and_each_row_is_there_once() -> None:
    for event in get_args(RunEvent):
        assert len({row.after for row in RUN_TRANSITIONS if row.event == event}) == 1
    places = [(row.event, row.before) for row in RUN_TRANSITIONS]
    assert len(places) == len(set(places))


def test_no_run_leaves_a_final_state_and_each_active_one_can_end() -> None:
    assert {row.before for row in RUN_TRANSITIONS} == set(ACTIVE_RUN_STATUSES)
    assert set(ACTIVE_RUN_STATUSES) | TERMINAL_RUN_STATUSES == set(get_args(RunStatus))
    ours = [row for row in RUN_TRANSITIONS if row.actors - {"hosted"}]
    reached: set[str] = set(TERMINAL_RUN_STATUSES)
    for _ in ACTIVE_RUN_STATUSES:
        reached |= {row.before for row in ours if row.after in reached}
    assert reached == set(get_args(RunStatus))


@pytest.mark.parametrize("event", get_args(RunEvent))
def test_an_event_sets_the_fields_of_its_state(event: RunEvent) -> None:
    fields, status = run_fields(event, 7), target(event)
    assert fields["status"] == status
    assert {name for name in fields if name.endswith("_at") and fields[name] == 7} == ENTERED_AT.get(
        status, set()
    )
    assert ("expires_at" in fields) == (status in TERMINAL_RUN_STATUSES - {"expired"})
    assert fields.get("expires_at") is None
    assert ("required_action" in fields) == (event != "wait")


@pytest.mark.parametrize("status", sorted(TERMINAL_RUN_STATUSES))
def test_open_parts_end_with_their_run(status: RunStatus) -> None:
    parts = PARTS_AT_THE_END[status]
    assert (parts.step, parts.message, parts.reason) == AT_THE_END[status]
    assert step_fields(parts.step, 7)[f"{parts.step}_at"] == 7
    fields = message_fields(parts.message, 7, parts.reason)
    assert fields[f"{parts.message}_at"] == 7
    assert ("incomplete_details" in fields) == (parts.message == "incomplete")
    assert is_final(parts.step) and is_final(parts.message)


def test_parts_have_one_state_that_is_not_final() -> None:
    assert [status for status in get_args(StepStatus) if not is_final(status)] == ["in_progress"]
    assert [status for status in get_args(MessageStatus) if not is_final(status)] == ["in_progress"]


def test_a_run_that_waits_for_its_client_is_worked_on_by_nobody() -> None:
    assert set(WORKED_ON) == set(ACTIVE_RUN_STATUSES) - {"requires_action"}


@given(
    st.lists(st.tuples(st.sampled_from(get_args(RunEvent)), st.sampled_from(get_args(Actor))), max_size=40)
)
def test_a_walk_follows_the_diagram_and_never_goes_back(walk: list[tuple[RunEvent, Actor]]) -> None:
    status: RunStatus = "queued"
    for event, actor in walk:
        before = status
        if before in sources(event, actor):
            status = target(event)
            assert (before, status) in DIAGRAM
            assert event == "answer" or run_progress(status) > run_progress(before)
        if before in TERMINAL_RUN_STATUSES:
            assert status == before


def test_uploads_and_files_of_stores_have_one_open_state_and_may_end_in_every_other() -> None:
    for status in get_args(UploadStatus):
        assert states_before(UPLOAD_TRANSITIONS, status) == ([] if status == "pending" else ["pending"])
    for status in get_args(IngestStatus):
        assert states_before(INGEST_TRANSITIONS, status) == (
            [] if status == "in_progress" else ["in_progress"]
        )
