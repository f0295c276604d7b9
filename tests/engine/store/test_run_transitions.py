"""Random events on a run, a step and a message in a real store: each takes only the steps that it may."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants_tui.engine.store import messages, run_steps, runs, threads
from assistants_tui.engine.store.database import Database
from assistants_tui.protocol.transitions import Actor, MessageStatus, RunEvent, StepStatus, is_final
from support.engine import NEW_RUN
from support.run_diagram import DIAGRAM, ENTERED_AT

TERMINAL = {"completed", "incomplete", "cancelled", "failed", "expired"}
TIMES = ("started_at", "completed_at", "cancelled_at", "failed_at")
MOVES = st.lists(
    st.tuples(st.sampled_from(get_args(RunEvent)), st.sampled_from(get_args(Actor))), min_size=1, max_size=15
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, Database]]:
    with asyncio.Runner() as runner:
        database = runner.run(Database.open(tmp_path_factory.mktemp("store")))
        yield runner, database
        runner.run(database.close())


@settings(max_examples=30)
@given(MOVES)
def test_runs_take_the_steps_of_the_diagram(
    store: tuple[asyncio.Runner, Database], moves: list[tuple[RunEvent, Actor]]
) -> None:
    runner, database = store
    runner.run(_walk(database, moves))


async def _walk(database: Database, moves: list[tuple[RunEvent, Actor]]) -> None:
    async with database.write() as connection:
        thread = await threads.create(connection, "local", 1, {"tool_resources": {}, "metadata": {}})
        run = await runs.create(connection, "local", thread["id"], 100, NEW_RUN)
    for now, (event, actor) in enumerate(moves, start=101):
        async with database.write() as connection:
            changed = await runs.transition(connection, run["id"], event, actor, now)
            stored = await runs.get(connection, "local", thread["id"], run["id"])
        assert stored is not None and stored == (changed or run)
        if changed is not None:
            _check_step(run, changed, now)
        run = stored


def _check_step(before: Mapping[str, Any], after: Mapping[str, Any], now: int) -> None:
    assert (before["status"], after["status"]) in DIAGRAM
    entered = ENTERED_AT.get(after["status"], set())
    assert {name: after[name] for name in TIMES} == {
        name: now if name in entered else before[name] for name in TIMES
    }
    kept = after["status"] not in TERMINAL or after["status"] == "expired"
    assert after["expires_at"] == (700 if kept else None)


async def test_a_step_and_a_message_end_once(database: Database) -> None:
    async with database.write() as connection:
        thread = await threads.create(connection, "local", 1, {"tool_resources": {}, "metadata": {}})
        run = await runs.create(connection, "local", thread["id"], 100, NEW_RUN)
        common = {"run_id": run["id"], "assistant_id": run["assistant_id"]}
        for first in [status for status in get_args(StepStatus) if is_final(status)]:
            fields = common | {"thread_id": thread["id"], "type": "tool_calls", "step_details": {}}
            step = await run_steps.create(connection, "local", 100, fields)
            ended = await run_steps.end(connection, step["id"], first, 101, {"usage": {"total_tokens": 1}})
            assert ended is not None and ended["status"] == first and dict(ended)[f"{first}_at"] == 101
            for later in get_args(StepStatus):
                assert await run_steps.end(connection, step["id"], later, 102, {}) is None
            assert await run_steps.change(connection, step["id"], {}) == ended
        for closing in [status for status in get_args(MessageStatus) if is_final(status)]:
            fields = common | {"status": "in_progress", "role": "assistant", "content": []}
            message = await messages.create(connection, "local", thread["id"], 100, fields)
            done = await messages.end(connection, message["id"], closing, 101, {})
            assert done is not None and done["status"] == closing and dict(done)[f"{closing}_at"] == 101
            for other in get_args(MessageStatus):
                assert await messages.end(connection, message["id"], other, 102, {}) is None
            assert await messages.change(connection, message["id"], {}) == done
