"""Files: what users upload and what runs produce. The bytes are a blob, see `blobs.py`."""

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud, ids, references
from assistants_tui.engine.store.crud import Page, PageRequest
from assistants_tui.engine.store.schema import files as table
from assistants_tui.protocol.objects import FileObject, Json

_FIELDS = ("bytes", "filename", "purpose", "status", "status_details", "expires_at")


class StoredFile(FileObject):
    """A file with what the hosted service sends beyond its reference."""

    status_details: str | None
    expires_at: int | None


def to_wire(row: Row[Any]) -> StoredFile:
    return cast(StoredFile, crud.columns_of(row, "file", *_FIELDS))


def _alive(owner: str, now: int) -> tuple[ColumnElement[bool], ...]:
    """A file is gone the moment it expires, even if nobody has deleted it yet."""
    return table.c.owner == owner, or_(table.c.expires_at.is_(None), table.c.expires_at > now)


async def create(connection: AsyncConnection, owner: str, created_at: int, values: Json) -> StoredFile:
    """Store a file. `values`: bytes, filename, purpose and blob; expires_at if it is not to stay."""
    row = {"id": ids.new("file"), "owner": owner, "created_at": created_at, "status": "processed"} | values
    return to_wire(await crud.add(connection, table, row))


async def get(connection: AsyncConnection, owner: str, file_id: str, now: int) -> StoredFile | None:
    row = await crud.one(connection, table, table.c.id == file_id, *_alive(owner, now))
    return None if row is None else to_wire(row)


async def blob(connection: AsyncConnection, owner: str, file_id: str, now: int) -> str | None:
    """The name of the blob that holds the file's bytes."""
    row = await crud.one(connection, table, table.c.id == file_id, *_alive(owner, now))
    return None if row is None else row.blob


async def several(
    connection: AsyncConnection, owner: str, file_ids: Iterable[str], now: int
) -> dict[str, StoredFile]:
    """Those of the files that exist, by ID."""
    wanted = list(file_ids)
    if not wanted:
        return {}
    statement = select(table).where(table.c.id.in_(wanted), *_alive(owner, now))
    return {row.id: to_wire(row) for row in await connection.execute(statement)}


async def page(
    connection: AsyncConnection, owner: str, request: PageRequest, now: int, *, purpose: str | None = None
) -> Page[StoredFile]:
    where = [*_alive(owner, now)]
    if purpose is not None:
        where.append(table.c.purpose == purpose)
    return await crud.page(connection, table, to_wire, request, *where)


async def total_bytes(connection: AsyncConnection, owner: str) -> int:
    """How much an owner's files take."""
    statement = select(func.coalesce(func.sum(table.c.bytes), 0)).where(table.c.owner == owner)
    return int((await connection.execute(statement)).scalar_one())


async def remove(connection: AsyncConnection, owner: str, file_id: str) -> str | None:
    """Delete a file everywhere: from vector stores, and from what assistants and threads give to their tools.

    Returns the name of its blob, which the caller removes once this is committed; None if there is no file.
    """
    where = table.c.id == file_id, table.c.owner == owner
    statement = delete(table).where(*where).returning(table.c.blob)
    blob: str | None = (await connection.execute(statement)).scalar_one_or_none()
    if blob is not None:
        await references.remove_references(connection, owner, file_id)
    return blob


async def expired(connection: AsyncConnection, now: int) -> list[tuple[str, str]]:
    """Owner and ID of the files whose time is over."""
    found = select(table.c.owner, table.c.id).where(table.c.expires_at <= now)
    return [(row.owner, row.id) for row in await connection.execute(found)]


async def blobs(connection: AsyncConnection) -> set[str]:
    """The names of all blobs that belong to files."""
    return set((await connection.execute(select(table.c.blob))).scalars())
