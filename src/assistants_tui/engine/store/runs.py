"""Runs: an assistant's work on a thread. One at a time per thread, which the database itself watches."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud, ids
from assistants_tui.engine.store.crud import Page, PageRequest
from assistants_tui.engine.store.schema import runs as table
from assistants_tui.protocol.events import RUN
from assistants_tui.protocol.objects import Json, Run, ToolResources
from assistants_tui.protocol.transitions import ACTIVE_RUN_STATUSES, Actor, RunEvent, run_fields, sources

_FIELDS = (
    "thread_id",
    "assistant_id",
    "status",
    "required_action",
    "last_error",
    "expires_at",
    "started_at",
    "cancelled_at",
    "failed_at",
    "completed_at",
    "incomplete_details",
    "model",
    "instructions",
    "tools",
    "tool_resources",
    "metadata",
    "usage",
    "temperature",
    "top_p",
    "max_prompt_tokens",
    "max_completion_tokens",
    "truncation_strategy",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "reasoning_effort",
)

_LONG = (table.c.instructions, table.c.tools, table.c.required_action, table.c.response_format)


class StoredRun(Run):
    """A run with what the hosted service sends beyond its reference."""

    tool_resources: ToolResources
    reasoning_effort: str | None
    file_ids: list[str]


class ThreadLockedError(Exception):
    """The thread has an active run, so it takes neither another run nor a message."""

    def __init__(self, thread_id: str, run_id: str) -> None:
        super().__init__(f"{thread_id} is locked by {run_id}")
        self.thread_id = thread_id
        self.run_id = run_id


def to_wire(row: Row[Any]) -> StoredRun:
    """The object. `file_ids` is left from version 1 of the API: the service still sends it, always empty."""
    run = crud.columns_of(row, RUN, *_FIELDS)
    return cast(StoredRun, run | {"instructions": run["instructions"] or None, "file_ids": []})


def _is(owner: str, thread_id: str, run_id: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.id == run_id, table.c.thread_id == thread_id, table.c.owner == owner


async def create(
    connection: AsyncConnection, owner: str, thread_id: str, created_at: int, values: Json
) -> StoredRun:
    """Store a queued run whose fields are complete. Raises `ThreadLockedError`."""
    row = {
        "id": ids.new("run"),
        "owner": owner,
        "created_at": created_at,
        "thread_id": thread_id,
        "status": "queued",
    } | values
    # What SQLite refuses undoes the statement alone, elsewhere it spoils the transaction.
    within = nullcontext() if connection.dialect.name == "sqlite" else connection.begin_nested()
    try:
        async with within:
            return to_wire(await crud.add(connection, table, row))
    except IntegrityError:
        active = await active_of_thread(connection, thread_id)
        if active is None:
            raise
        raise ThreadLockedError(thread_id, active["id"]) from None


async def active_of_thread(connection: AsyncConnection, thread_id: str) -> StoredRun | None:
    """The run that locks a thread."""
    where = table.c.thread_id == thread_id, table.c.status.in_(ACTIVE_RUN_STATUSES)
    row = await crud.one(connection, table, *where)
    return None if row is None else to_wire(row)


async def get(connection: AsyncConnection, owner: str, thread_id: str, run_id: str) -> StoredRun | None:
    row = await crud.one(connection, table, *_is(owner, thread_id, run_id))
    return None if row is None else to_wire(row)


async def page(
    connection: AsyncConnection, owner: str, thread_id: str, request: PageRequest
) -> Page[StoredRun]:
    where = table.c.thread_id == thread_id, table.c.owner == owner
    return await crud.page(connection, table, to_wire, request, *where, long=_LONG)


async def change(connection: AsyncConnection, run_id: str, values: Json) -> StoredRun | None:
    """Set fields of a run other than its state and return it, None if it is gone."""
    return await crud.change(connection, table, to_wire, values, table.c.id == run_id)


async def transition(
    connection: AsyncConnection, run_id: str, event: RunEvent, actor: Actor, now: int, **values: Any
) -> StoredRun | None:
    """Bring a run into the state that follows an event, set further fields, and return it.

    None: the run is gone, or in a state in which `actor` may not cause the event, and nothing was changed.
    This is how races between a run's end, its cancelling and its expiry are decided: the first one wins.
    """
    where = table.c.id == run_id, table.c.status.in_(sources(event, actor))
    return await crud.change(connection, table, to_wire, run_fields(event, now) | values, *where)


async def status(connection: AsyncConnection, run_id: str) -> str | None:
    """The state that a run is in now, None if it is gone."""
    statement = select(table.c.status).where(table.c.id == run_id)
    found: str | None = (await connection.execute(statement)).scalar_one_or_none()
    return found


async def held_by(connection: AsyncConnection, holder: str) -> dict[str, str]:
    """The runs that an engine process works on, and the state that each is in now."""
    statement = select(table.c.id, table.c.status).where(
        table.c.status.in_(ACTIVE_RUN_STATUSES), table.c.lease_holder == holder
    )
    return {row.id: row.status for row in await connection.execute(statement)}


async def record(connection: AsyncConnection, run_id: str) -> Row[Any] | None:
    """A run with the columns that only the engine sees: owner, progress and lease."""
    return await crud.one(connection, table, table.c.id == run_id)


async def overdue(connection: AsyncConnection, now: int) -> list[StoredRun]:
    """Active runs whose time to finish is over."""
    where = table.c.status.in_(ACTIVE_RUN_STATUSES), table.c.expires_at <= now
    return [to_wire(row) for row in await connection.execute(select(table).where(*where))]


async def renew_leases(connection: AsyncConnection, holder: str, run_ids: Iterable[str], now: float) -> None:
    """Say that the engine process `holder` is alive and at work on these runs."""
    statement = update(table).where(table.c.id.in_(list(run_ids)), table.c.lease_holder == holder)
    await connection.execute(statement.values(lease_renewed_at=now))


async def leased(
    connection: AsyncConnection, statuses: Sequence[str]
) -> list[tuple[str, str, str | None, float | None]]:
    """Runs in one of the states: ID, state, the engine process that works on it, its last sign of life."""
    statement = select(table.c.id, table.c.status, table.c.lease_holder, table.c.lease_renewed_at).where(
        table.c.status.in_(statuses)
    )
    return [
        (row.id, row.status, row.lease_holder, row.lease_renewed_at)
        for row in await connection.execute(statement)
    ]
