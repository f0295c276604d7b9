"""The open store: its files, its transactions, its versions."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import assistants, messages, migrations, runs, threads
from assistants_tui.engine.store.crud import PageRequest
from assistants_tui.engine.store.database import FILE_NAME, Database

THREAD: dict[str, Any] = {"tool_resources": {}, "metadata": {}}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_store_is_closed_to_other_users(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "new" / "data")
    async with database.write() as connection:
        await threads.create(connection, "local", 1, THREAD)
    assert mode(tmp_path / "new" / "data") == 0o700
    files = list((tmp_path / "new" / "data").iterdir())
    assert len(files) == 3  # the database and the two files beside it
    assert {mode(path) for path in files} == {0o600}
    await database.close()


async def test_readers_see_what_is_committed_while_a_writer_is_at_work(database: Database) -> None:
    async with database.write() as writer:
        await threads.create(writer, "local", 1, THREAD)
        async with database.read() as reader:
            assert (await threads.page(reader, "local", PageRequest())).data == []
    async with database.read() as reader:
        assert len((await threads.page(reader, "local", PageRequest())).data) == 1


async def test_exception_undoes_the_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as connection:
            await threads.create(connection, "local", 1, THREAD)
            raise ZeroDivisionError
    async with database.read() as connection:
        assert (await threads.page(connection, "local", PageRequest())).data == []


async def test_cancelled_transaction_is_undone_and_the_store_usable(database: Database) -> None:
    began = asyncio.Event()

    async def write() -> None:
        async with database.write() as connection:
            await threads.create(connection, "local", 1, THREAD)
            began.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.write() as connection:
        assert (await threads.page(connection, "local", PageRequest())).data == []
        await threads.create(connection, "local", 1, THREAD)


async def test_a_transaction_in_which_nothing_is_asked_leaves_the_next_one_whole(database: Database) -> None:
    for _ in range(20):  # more than there are connections
        with pytest.raises(ZeroDivisionError):
            async with database.write():
                raise ZeroDivisionError
        async with database.read():
            pass
    with pytest.raises(ZeroDivisionError):
        async with database.write() as connection:
            await threads.create(connection, "local", 1, THREAD)
            raise ZeroDivisionError
    async with database.write() as connection:
        assert (await threads.page(connection, "local", PageRequest())).data == []
        await threads.create(connection, "local", 1, THREAD)
    async with database.read() as connection:
        assert len((await threads.page(connection, "local", PageRequest())).data) == 1


async def test_two_engines_on_one_directory_take_turns(tmp_path: Path) -> None:
    first, second = await Database.open(tmp_path), await Database.open(tmp_path)
    async with first.write() as connection:
        thread = await threads.create(connection, "local", 1, THREAD)

    async def add(database: Database) -> None:
        for _ in range(20):
            async with database.write() as connection:
                found = await threads.lock(connection, "local", thread["id"])
                assert found is not None
                counted = {"metadata": {"count": int((found["metadata"] or {}).get("count", 0)) + 1}}
                await threads.change(connection, "local", thread["id"], counted)

    await asyncio.gather(add(first), add(second), add(first), add(second))
    async with first.read() as connection:
        assert await threads.get(connection, "local", thread["id"]) == thread | {"metadata": {"count": 80}}
    await first.close()
    await second.close()


async def test_children_go_with_their_thread_and_cannot_be_without_one(database: Database) -> None:
    async with database.write() as connection:
        thread = await threads.create(connection, "local", 1, THREAD)
        said = {"role": "user", "content": []}
        message = await messages.create(connection, "local", thread["id"], 1, said)
        await threads.remove(connection, "local", thread["id"])
        assert await messages.get(connection, "local", thread["id"], message["id"]) is None
        with pytest.raises(messages.ThreadGoneError):
            await messages.create(connection, "local", thread["id"], 1, said)


async def test_seed_fills_a_new_store_only(tmp_path: Path) -> None:
    async def seed(connection: AsyncConnection) -> None:
        values = {"model": "m", "tools": [], "tool_resources": {}, "metadata": {}}
        await assistants.create(connection, "local", 1, values)

    for _ in range(2):
        database = await Database.open(tmp_path, seed=seed)
        async with database.read() as connection:
            assert len((await assistants.page(connection, "local", PageRequest())).data) == 1
        await database.close()


async def test_failed_seed_leaves_no_half_made_store(tmp_path: Path) -> None:
    async def seed(connection: AsyncConnection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Database.open(tmp_path, seed=seed)
    with sqlite3.connect(tmp_path / FILE_NAME) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == []
    raw.close()


async def test_store_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    await (await Database.open(tmp_path)).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as raw:
        raw.execute("UPDATE schema_version SET version = version + 1")
    raw.close()
    with pytest.raises(migrations.StoreTooNewError, match="Update the program"):
        await Database.open(tmp_path)


async def test_old_store_takes_the_steps_it_has_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await Database.open(tmp_path)).close()
    taken: list[str] = []

    def first(connection: Connection) -> None:
        taken.append("first")
        connection.exec_driver_sql("ALTER TABLE threads ADD COLUMN colour TEXT")

    def second(connection: Connection) -> None:
        taken.append("second")

    def failing(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE threads ADD COLUMN size TEXT")
        raise ZeroDivisionError

    steps = (*migrations.MIGRATIONS, first)
    for count in range(2):
        monkeypatch.setattr(migrations.migrate, "__defaults__", (steps,))
        await (await Database.open(tmp_path)).close()
        assert taken == ["first", "second"][: count + 1]
        steps = (*steps, second)
    monkeypatch.setattr(migrations.migrate, "__defaults__", ((*steps[:-1], failing),))
    with pytest.raises(ZeroDivisionError):
        await Database.open(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as raw:
        columns = [row[1] for row in raw.execute("PRAGMA table_info(threads)")]
    raw.close()
    assert "colour" in columns
    assert "size" not in columns


def tables(path: Path) -> dict[str, set[tuple[Any, ...]]]:
    """Name, type, whether it must be there, and default of each table's columns; and its indexes."""
    with closing(sqlite3.connect(path / FILE_NAME)) as raw:
        names = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: {row[1:5] for row in raw.execute(f"PRAGMA table_info({name})")}
            | {(row[1], *index_columns(raw, row[1])) for row in raw.execute(f"PRAGMA index_list({name})")}
            for name in names
        }


def index_columns(raw: sqlite3.Connection, index: str) -> list[str]:
    return [row[2] for row in raw.execute(f"PRAGMA index_info({index})")]


async def test_an_old_store_ends_at_the_tables_of_a_new_one_and_keeps_its_runs(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for path in (old, new):
        await (await Database.open(path)).close()
    with closing(sqlite3.connect(old / FILE_NAME)) as raw:
        raw.execute("ALTER TABLE runs DROP COLUMN tool_resources")
        raw.execute("ALTER TABLE run_steps DROP COLUMN expires_at")
        for column in ("refused_chunks", "refusal", "note"):
            raw.execute(f"ALTER TABLE documents DROP COLUMN {column}")
        lists = raw.execute("SELECT name, tbl_name FROM sqlite_master WHERE name LIKE 'ix_%_seq'").fetchall()
        for index, table in lists:
            parent, _ = index_columns(raw, index)
            raw.execute(f"DROP INDEX {index}")
            raw.execute(
                f"CREATE INDEX ix_{table}_{parent}_created_at_seq ON {table} ({parent}, created_at, seq)"
            )
        assert len(lists) == 8
        raw.execute("UPDATE schema_version SET version = 1")
        raw.execute(
            "INSERT INTO threads (id, owner, created_at, message_count, tool_resources, metadata) "
            "VALUES ('thread_1', 'local', 1, 0, '{}', '{}')"
        )
        raw.execute(
            "INSERT INTO runs (id, owner, created_at, thread_id, assistant_id, status, model, instructions, "
            "tools, metadata, truncation_strategy, parallel_tool_calls) VALUES ('run_1', 'local', 1, "
            "'thread_1', 'asst_1', 'completed', 'm', '', '[]', '{}', '{\"type\": \"auto\"}', 1)"
        )
        raw.commit()
    database = await Database.open(old)
    assert tables(old) == tables(new)
    async with database.read() as connection:
        run = await runs.get(connection, "local", "thread_1", "run_1")
    assert run is not None and (run["status"], run["tool_resources"]) == ("completed", {})
    await database.close()


async def test_errors_do_not_show_what_was_written(database: Database) -> None:
    async with database.write() as connection:
        with pytest.raises(IntegrityError) as caught:
            await threads.create(connection, "local", 1, {"metadata": None, "tool_resources": "s3cret"})
        assert "s3cret" not in str(caught.value)
