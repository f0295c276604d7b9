"""Run steps: what a run did, one message or one round of tool calls each."""

from typing import Any, cast

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud, ids
from assistants_tui.engine.store.crud import Page, PageRequest
from assistants_tui.engine.store.schema import run_steps as table
from assistants_tui.protocol.events import STEP
from assistants_tui.protocol.objects import Json, RunStep
from assistants_tui.protocol.transitions import OPEN, StepStatus, step_fields

_FIELDS = (
    "assistant_id",
    "thread_id",
    "run_id",
    "type",
    "status",
    "step_details",
    "last_error",
    "expires_at",
    "expired_at",
    "cancelled_at",
    "failed_at",
    "completed_at",
    "metadata",
    "usage",
)

_LONG = (table.c.step_details,)


class StoredStep(RunStep):
    """A step with what the hosted service sends beyond its reference."""

    expires_at: int | None


def to_wire(row: Row[Any]) -> StoredStep:
    return cast(StoredStep, crud.columns_of(row, STEP, *_FIELDS))


async def create(connection: AsyncConnection, owner: str, created_at: int, values: Json) -> StoredStep:
    """Store a step. `values` names its run, thread and assistant, its type and details."""
    row = {
        "id": ids.new("run_step"),
        "owner": owner,
        "created_at": created_at,
        "status": OPEN,
        "metadata": {},
    } | values
    return to_wire(await crud.add(connection, table, row))


async def get(
    connection: AsyncConnection, owner: str, thread_id: str, run_id: str, step_id: str
) -> StoredStep | None:
    where = (
        table.c.id == step_id,
        table.c.run_id == run_id,
        table.c.thread_id == thread_id,
        table.c.owner == owner,
    )
    row = await crud.one(connection, table, *where)
    return None if row is None else to_wire(row)


async def page(
    connection: AsyncConnection, owner: str, thread_id: str, run_id: str, request: PageRequest
) -> Page[StoredStep]:
    where = table.c.run_id == run_id, table.c.thread_id == thread_id, table.c.owner == owner
    return await crud.page(connection, table, to_wire, request, *where, long=_LONG)


async def of_run(connection: AsyncConnection, run_id: str) -> list[StoredStep]:
    """All steps of a run, in the order they were taken."""
    statement = select(table).where(table.c.run_id == run_id).order_by(table.c.seq)
    return [to_wire(row) for row in await connection.execute(statement)]


async def end(
    connection: AsyncConnection, step_id: str, status: StepStatus, now: int, values: Json
) -> StoredStep | None:
    """Bring an open step into a final state, set further fields, and return it. None: it is gone or ended."""
    where = table.c.id == step_id, table.c.status == OPEN
    return await crud.change(connection, table, to_wire, step_fields(status, now) | values, *where)


async def change(connection: AsyncConnection, step_id: str, values: Json) -> StoredStep | None:
    """Set fields of a step other than its state and return it, None if it is gone."""
    return await crud.change(connection, table, to_wire, values, table.c.id == step_id)
