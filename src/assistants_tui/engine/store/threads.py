"""Threads: conversations. Their messages and runs go with them."""

from typing import Any, cast

from sqlalchemy import ColumnElement, Row, update
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud, ids
from assistants_tui.engine.store.crud import Page, PageRequest
from assistants_tui.engine.store.schema import threads as table
from assistants_tui.protocol.objects import Json, Thread


def to_wire(row: Row[Any]) -> Thread:
    """The object. The service shows the files of the code interpreter also where there are none."""
    thread = crud.columns_of(row, "thread", "tool_resources", "metadata")
    thread["tool_resources"] = {"code_interpreter": {"file_ids": []}} | thread["tool_resources"]
    return cast(Thread, thread)


def _is(owner: str, thread_id: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.id == thread_id, table.c.owner == owner


async def create(connection: AsyncConnection, owner: str, created_at: int, values: Json) -> Thread:
    row = {"id": ids.new("thread"), "owner": owner, "created_at": created_at} | values
    return to_wire(await crud.add(connection, table, row))


async def get(connection: AsyncConnection, owner: str, thread_id: str) -> Thread | None:
    row = await crud.one(connection, table, *_is(owner, thread_id))
    return None if row is None else to_wire(row)


async def lock(connection: AsyncConnection, owner: str, thread_id: str) -> Thread | None:
    """Read a thread that this transaction is about to change."""
    row = await crud.one(connection, table, *_is(owner, thread_id), lock=True)
    return None if row is None else to_wire(row)


async def page(connection: AsyncConnection, owner: str, request: PageRequest) -> Page[Thread]:
    return await crud.page(connection, table, to_wire, request, table.c.owner == owner)


async def change(connection: AsyncConnection, owner: str, thread_id: str, values: Json) -> Thread | None:
    """Replace the given fields and return the thread, or None if there is none."""
    return await crud.change(connection, table, to_wire, values, *_is(owner, thread_id))


async def remove(connection: AsyncConnection, owner: str, thread_id: str) -> bool:
    """Delete it with its messages, runs and steps. Files and vector stores stay."""
    return await crud.remove(connection, table, *_is(owner, thread_id))


async def count_messages(connection: AsyncConnection, thread_id: str, change: int) -> int | None:
    """Add to the thread's number of messages and return the new number, None if the thread is gone."""
    statement = (
        update(table)
        .where(table.c.id == thread_id)
        .values(message_count=table.c.message_count + change)
        .returning(table.c.message_count)
    )
    count: int | None = (await connection.execute(statement)).scalar_one_or_none()
    return count
