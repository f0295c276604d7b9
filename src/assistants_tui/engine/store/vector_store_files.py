"""Files in vector stores, and how far their indexing is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud
from assistants_tui.engine.store.crud import Page, PageRequest
from assistants_tui.engine.store.schema import files as files_table
from assistants_tui.engine.store.schema import vector_store_files as table
from assistants_tui.protocol.objects import ErrorInfo, Json, VectorStoreFile
from assistants_tui.protocol.transitions import INGEST_TRANSITIONS, OPEN, IngestStatus, states_before

_FIELDS = ("vector_store_id", "status", "last_error", "usage_bytes", "chunking_strategy", "attributes")


class StoredVectorStoreFile(VectorStoreFile):
    """A file in a store, with how it is cut into chunks."""

    chunking_strategy: Json


@dataclass(frozen=True)
class NewFile:
    """A file to put into a store. `chunking_strategy` with its numbers, never `auto`.

    `fault`: why it cannot be read, where that is known beforehand.
    """

    file_id: str
    attributes: Json
    chunking_strategy: Json
    fault: str | None = None


@dataclass(frozen=True)
class WaitingFile:
    """A file that is attached and not indexed yet. `seq` tells one attachment of it from a later one."""

    seq: int
    owner: str
    vector_store_id: str
    file_id: str
    filename: str
    blob: str
    bytes: int
    chunking_strategy: Json


def to_wire(row: Row[Any]) -> StoredVectorStoreFile:
    return cast(StoredVectorStoreFile, crud.columns_of(row, "vector_store.file", *_FIELDS))


def _is(owner: str, store_id: str, file_id: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.id == file_id, table.c.vector_store_id == store_id, table.c.owner == owner


async def attach(
    connection: AsyncConnection,
    owner: str,
    store_id: str,
    now: int,
    files: Sequence[NewFile],
    *,
    batch_id: str | None = None,
) -> None:
    """Put files into a store, to be indexed. Those that are in it already are indexed anew."""
    file_ids = [file.file_id for file in files]
    again = delete(table).where(table.c.vector_store_id == store_id, table.c.id.in_(file_ids))
    await connection.execute(again)
    rows = [
        {
            "id": file.file_id,
            "owner": owner,
            "created_at": now,
            "vector_store_id": store_id,
            "batch_id": batch_id,
            "status": "failed" if file.fault else OPEN,
            "last_error": {"code": "unsupported_file", "message": file.fault} if file.fault else None,
            "chunking_strategy": file.chunking_strategy,
            "attributes": file.attributes,
        }
        for file in files
    ]
    await connection.execute(table.insert(), rows)


async def count(connection: AsyncConnection, store_id: str, *, other_than: Sequence[str] = ()) -> int:
    """How many files a store has, besides some."""
    where = table.c.vector_store_id == store_id, table.c.id.not_in(other_than)
    return int((await connection.execute(select(func.count()).where(*where))).scalar_one())


async def get(
    connection: AsyncConnection, owner: str, store_id: str, file_id: str
) -> StoredVectorStoreFile | None:
    row = await crud.one(connection, table, *_is(owner, store_id, file_id))
    return None if row is None else to_wire(row)


async def page(
    connection: AsyncConnection,
    owner: str,
    store_id: str,
    request: PageRequest,
    *,
    status: IngestStatus | None = None,
    batch_id: str | None = None,
) -> Page[StoredVectorStoreFile]:
    where = [table.c.vector_store_id == store_id, table.c.owner == owner]
    if status is not None:
        where.append(table.c.status == status)
    if batch_id is not None:
        where.append(table.c.batch_id == batch_id)
    return await crud.page(connection, table, to_wire, request, *where)


async def change(
    connection: AsyncConnection, owner: str, store_id: str, file_id: str, values: Json
) -> StoredVectorStoreFile | None:
    return await crud.change(connection, table, to_wire, values, *_is(owner, store_id, file_id))


async def detach(connection: AsyncConnection, owner: str, store_id: str, file_id: str) -> bool:
    """Take a file out of a store. The file itself stays."""
    return await crud.remove(connection, table, *_is(owner, store_id, file_id))


async def waiting(connection: AsyncConnection, *, limit: int | None = None) -> list[WaitingFile]:
    """Everybody's files that are to be indexed, or the first of them, in the order in which they came."""
    statement = (
        select(table, files_table.c.filename, files_table.c.blob, files_table.c.bytes)
        .join(files_table, files_table.c.id == table.c.id)
        .where(table.c.status == OPEN)
        .order_by(table.c.seq)
        .limit(limit)
    )
    return [
        WaitingFile(
            row.seq,
            row.owner,
            row.vector_store_id,
            row.id,
            row.filename,
            row.blob,
            row.bytes,
            row.chunking_strategy,
        )
        for row in await connection.execute(statement)
    ]


async def names(connection: AsyncConnection, store_ids: Sequence[str], limit: int) -> tuple[list[str], int]:
    """The names of the newest files in stores that are searched, or soon will be, and how many there are."""
    rows, count = await _newest(connection, store_ids, ("in_progress", "completed"), limit)
    return [name for name, _ in rows], count


async def not_read(
    connection: AsyncConnection, store_ids: Sequence[str], limit: int
) -> tuple[list[tuple[str, str]], int]:
    """The names of the newest files that could not be read, each with the reason, and how many there are."""
    rows, count = await _newest(connection, store_ids, ("failed", "cancelled"), limit)
    return [(name, why_not_read(last_error)) for name, last_error in rows], count


def why_not_read(last_error: ErrorInfo | None) -> str:
    """The reason why a file is `failed` or `cancelled`, as a sentence."""
    return "Reading it was cancelled." if last_error is None else str(last_error["message"])


async def _newest(
    connection: AsyncConnection, store_ids: Sequence[str], statuses: Sequence[IngestStatus], limit: int
) -> tuple[list[tuple[str, ErrorInfo | None]], int]:
    """The names of the newest files of these statuses, each with its `last_error`, and how many there are."""
    where = table.c.vector_store_id.in_(store_ids), table.c.status.in_(statuses)
    newest = (
        select(files_table.c.filename, table.c.last_error)
        .join(table, files_table.c.id == table.c.id)
        .where(*where)
        .order_by(table.c.seq.desc())
        .limit(limit)
    )
    found = [(row.filename, row.last_error) for row in await connection.execute(newest)]
    if len(found) < limit:
        return found, len(found)
    total = await connection.execute(select(func.count()).select_from(table).where(*where))
    return found, int(total.scalar_one())


async def unread(connection: AsyncConnection, store_ids: Sequence[str]) -> int:
    """How many files in stores are still to be indexed."""
    where = table.c.vector_store_id.in_(store_ids), table.c.status == OPEN
    return int((await connection.execute(select(func.count()).select_from(table).where(*where))).scalar_one())


async def settle(
    connection: AsyncConnection,
    file: WaitingFile,
    status: IngestStatus,
    *,
    usage_bytes: int = 0,
    last_error: ErrorInfo | None = None,
) -> bool:
    """End the indexing of a file. False if it was cancelled, detached or attached anew meanwhile."""
    sources = states_before(INGEST_TRANSITIONS, status)
    statement = (
        update(table)
        .where(table.c.seq == file.seq, table.c.status.in_(sources))
        .values(status=status, usage_bytes=usage_bytes, last_error=last_error)
    )
    return (await connection.execute(statement)).rowcount > 0
