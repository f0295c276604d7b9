"""The thread lock, and who wins when several change a run at once."""

import asyncio

import pytest

from assistants_tui.engine.store import runs, threads
from assistants_tui.engine.store.database import Database
from assistants_tui.protocol.transitions import ACTIVE_RUN_STATUSES, Actor, RunEvent
from support.engine import NEW_RUN


@pytest.fixture
async def thread_id(database: Database) -> str:
    async with database.write() as connection:
        thread = await threads.create(connection, "local", 1, {"tool_resources": {}, "metadata": {}})
    made: str = thread["id"]
    return made


@pytest.mark.parametrize("status", ACTIVE_RUN_STATUSES)
async def test_active_run_locks_its_thread(database: Database, thread_id: str, status: str) -> None:
    async with database.write() as connection:
        run = await runs.create(connection, "local", thread_id, 100, NEW_RUN | {"status": status})
        with pytest.raises(runs.ThreadLockedError) as caught:
            await runs.create(connection, "local", thread_id, 101, NEW_RUN)
        assert (caught.value.thread_id, caught.value.run_id) == (thread_id, run["id"])


@pytest.mark.parametrize("status", ["cancelled", "failed", "completed", "incomplete", "expired"])
async def test_ended_run_does_not(database: Database, thread_id: str, status: str) -> None:
    async with database.write() as connection:
        first = await runs.create(connection, "local", thread_id, 100, NEW_RUN)
        await runs.change(connection, first["id"], {"status": status})
        await runs.create(connection, "local", thread_id, 101, NEW_RUN)


async def runs_of_ten(database: Database, thread_id: str) -> int:
    """How many runs ten get that all want the thread at once."""

    async def create() -> bool:
        try:
            async with database.write() as connection:
                await runs.create(connection, "local", thread_id, 100, NEW_RUN)
        except runs.ThreadLockedError:
            return False
        return True

    return sum(await asyncio.gather(*(create() for _ in range(10))))


async def test_one_of_many_gets_the_thread(database: Database, thread_id: str) -> None:
    assert await runs_of_ten(database, thread_id) == 1


async def test_without_its_index_all_of_them_would(database: Database, thread_id: str) -> None:
    """The lock is the index and nothing else, so the test above fails once that is gone."""
    async with database.write() as connection:
        await connection.exec_driver_sql("DROP INDEX one_active_run_per_thread")
    assert await runs_of_ten(database, thread_id) == 10


async def test_one_of_many_changes_the_status(database: Database, thread_id: str) -> None:
    async with database.write() as connection:
        run = await runs.create(connection, "local", thread_id, 100, NEW_RUN)

    async def cause(event: RunEvent, actor: Actor) -> bool:
        async with database.write() as connection:
            return await runs.transition(connection, run["id"], event, actor, 101) is not None

    won = await asyncio.gather(
        cause("fail", "executor"), cause("fail", "manager"), cause("expire", "executor")
    )
    assert sorted(won) == [False, False, True]
