"""Batches: files that were put into a vector store together."""

from typing import Any, cast

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud, ids
from assistants_tui.engine.store.schema import vector_store_file_batches as table
from assistants_tui.engine.store.schema import vector_store_files as files_table
from assistants_tui.engine.store.vector_stores import file_counts
from assistants_tui.protocol.objects import FileBatch
from assistants_tui.protocol.transitions import INGEST_TRANSITIONS, IngestStatus, states_before


def _is(owner: str, store_id: str, batch_id: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.id == batch_id, table.c.vector_store_id == store_id, table.c.owner == owner


async def create(connection: AsyncConnection, owner: str, store_id: str, now: int) -> str:
    """Begin a batch and return its ID, under which its files are then attached."""
    row = {"id": ids.new("file_batch"), "owner": owner, "created_at": now, "vector_store_id": store_id}
    batch_id: str = (await crud.add(connection, table, row)).id
    return batch_id


async def get(connection: AsyncConnection, owner: str, store_id: str, batch_id: str) -> FileBatch | None:
    row = await crud.one(connection, table, *_is(owner, store_id, batch_id))
    return None if row is None else await _to_wire(connection, row)


async def cancel(connection: AsyncConnection, owner: str, store_id: str, batch_id: str) -> FileBatch | None:
    """Cancel the batch's files that are not read yet. A batch all of whose files are read stays as it is."""
    row = await crud.one(connection, table, *_is(owner, store_id, batch_id))
    if row is None:
        return None
    sources = states_before(INGEST_TRANSITIONS, "cancelled")
    open_files = files_table.c.batch_id == batch_id, files_table.c.status.in_(sources)
    stopped = await connection.execute(update(files_table).where(*open_files).values(status="cancelled"))
    if stopped.rowcount:
        await connection.execute(update(table).where(table.c.seq == row.seq).values(cancelled=True))
    return await get(connection, owner, store_id, batch_id)


async def _to_wire(connection: AsyncConnection, row: Row[Any]) -> FileBatch:
    statement = (
        select(files_table.c.status, func.count().label("files"))
        .where(files_table.c.batch_id == row.id)
        .group_by(files_table.c.status)
    )
    counts = file_counts({found.status: found.files for found in await connection.execute(statement)})
    status: IngestStatus
    if row.cancelled:
        status = "cancelled"
    elif counts["in_progress"]:
        status = "in_progress"
    elif counts["failed"] and counts["failed"] == counts["total"]:
        status = "failed"
    else:
        status = "completed"
    batch = crud.columns_of(row, "vector_store.file_batch", "vector_store_id")
    return cast(FileBatch, batch | {"status": status, "file_counts": counts})
