"""Messages of a thread, written by users or by runs."""

from collections.abc import AsyncGenerator
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud, ids, threads
from assistants_tui.engine.store.crud import Page, PageRequest
from assistants_tui.engine.store.schema import messages as table
from assistants_tui.protocol import limits
from assistants_tui.protocol.events import MESSAGE
from assistants_tui.protocol.objects import Json, Message
from assistants_tui.protocol.transitions import OPEN, MessageStatus, message_fields

_FIELDS = (
    "thread_id",
    "status",
    "incomplete_details",
    "completed_at",
    "incomplete_at",
    "role",
    "content",
    "assistant_id",
    "run_id",
    "attachments",
    "metadata",
)

_AT_ONCE = 100
"""Rows that are read ahead."""
_READ = (table.c.id, table.c.run_id, table.c.role, table.c.content, table.c.attachments)

_LONG = (table.c.content,)


class StoredMessage(Message):
    """A message with what the hosted service sends beyond its reference."""

    file_ids: list[str]


class ThreadFullError(Exception):
    """The thread holds as many messages as a thread may."""


class ThreadGoneError(Exception):
    """The thread was deleted."""


def to_wire(row: Row[Any]) -> StoredMessage:
    """The object. `file_ids` is what version 1 of the API called attachments; the service still sends it."""
    message = crud.columns_of(row, MESSAGE, *_FIELDS)
    message["file_ids"] = list(dict.fromkeys(attached["file_id"] for attached in message["attachments"]))
    return cast(StoredMessage, message)


def _is(owner: str, thread_id: str, message_id: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.id == message_id, table.c.thread_id == thread_id, table.c.owner == owner


async def any_of_user(connection: AsyncConnection, thread_id: str) -> bool:
    """Whether a user has said something in a thread."""
    where = table.c.thread_id == thread_id, table.c.role == "user"
    return (await connection.execute(select(table.c.seq).where(*where).limit(1))).first() is not None


async def create(
    connection: AsyncConnection, owner: str, thread_id: str, created_at: int, values: Json
) -> StoredMessage:
    """Add a message to a thread. Raises `ThreadGoneError` and `ThreadFullError`.

    `values` needs `role` and `content` in the form of the object; the rest has defaults: a completed message
    that no run wrote.
    """
    count = await threads.count_messages(connection, thread_id, +1)
    if count is None:
        raise ThreadGoneError(thread_id)
    if count > limits.MAX_MESSAGES and values.get("run_id") is None:
        raise ThreadFullError(thread_id)
    row = {
        "id": ids.new("message"),
        "owner": owner,
        "created_at": created_at,
        "thread_id": thread_id,
        "status": "completed",
        "completed_at": created_at if values.get("status", "completed") == "completed" else None,
        "attachments": [],
        "metadata": {},
    }
    return to_wire(await crud.add(connection, table, row | values))


async def get(
    connection: AsyncConnection, owner: str, thread_id: str, message_id: str
) -> StoredMessage | None:
    row = await crud.one(connection, table, *_is(owner, thread_id, message_id))
    return None if row is None else to_wire(row)


async def page(
    connection: AsyncConnection,
    owner: str,
    thread_id: str,
    request: PageRequest,
    *,
    run_id: str | None = None,
) -> Page[StoredMessage]:
    """A page of a thread's messages, or of those that one run wrote."""
    where = [table.c.thread_id == thread_id, table.c.owner == owner]
    if run_id is not None:
        where.append(table.c.run_id == run_id)
    return await crud.page(connection, table, to_wire, request, *where, long=_LONG)


async def newest_first(connection: AsyncConnection, thread_id: str) -> AsyncGenerator[StoredMessage]:
    """What models read of all messages of a thread, from the last one back, as far as the caller asks.

    Until it is closed, the connection is of no other use.

    Every run reads them, so each has nothing but `id`, `run_id`, `role`, `content` and `attachments`.
    """
    statement = select(*_READ).where(table.c.thread_id == thread_id).order_by(table.c.seq.desc())
    async with connection.stream(statement) as rows:
        async for some in rows.partitions(_AT_ONCE):  # to go for each row takes longer than to read it
            for row in some:
                yield cast(StoredMessage, row._asdict())


async def first_of_user(connection: AsyncConnection, thread_id: str) -> StoredMessage | None:
    """The message that opened the conversation."""
    statement = (
        select(table)
        .where(table.c.thread_id == thread_id, table.c.role == "user")
        .order_by(table.c.seq)
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else to_wire(row)


async def unfinished_of_run(connection: AsyncConnection, run_id: str) -> list[StoredMessage]:
    """Messages that a run began and did not end."""
    statement = select(table).where(table.c.run_id == run_id, table.c.status == OPEN)
    return [to_wire(row) for row in await connection.execute(statement)]


async def end(
    connection: AsyncConnection,
    message_id: str,
    status: MessageStatus,
    now: int,
    values: Json,
    *,
    reason: str | None = None,
) -> StoredMessage | None:
    """Bring an open message into a final state, set further fields, and return it. None: it is gone or ended.

    `reason`: why it is incomplete.
    """
    where = table.c.id == message_id, table.c.status == OPEN
    return await crud.change(connection, table, to_wire, message_fields(status, now, reason) | values, *where)


async def change(connection: AsyncConnection, message_id: str, values: Json) -> StoredMessage | None:
    """Replace fields of a message other than its state and return it, None if it is gone."""
    return await crud.change(connection, table, to_wire, values, table.c.id == message_id)


async def remove(connection: AsyncConnection, owner: str, thread_id: str, message_id: str) -> bool:
    gone = await crud.remove(connection, table, *_is(owner, thread_id, message_id))
    if gone:
        await threads.count_messages(connection, thread_id, -1)
    return gone
