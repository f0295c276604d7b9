"""Vector stores: sets of files that file search looks through. Their files are in `vector_store_files`."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud, ids, references
from assistants_tui.engine.store.crud import Page, PageRequest
from assistants_tui.engine.store.schema import vector_store_files as files_table
from assistants_tui.engine.store.schema import vector_stores as table
from assistants_tui.protocol.objects import FileCounts, Json, VectorStore
from assistants_tui.protocol.transitions import INGEST_STATUSES, IngestStatus

_FIELDS = ("name", "description", "expires_after", "expires_at", "last_active_at", "metadata")
_DAY = 24 * 3600


def _is(owner: str, store_id: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.id == store_id, table.c.owner == owner


class StoredVectorStore(VectorStore):
    """A store with what the hosted service sends beyond its reference."""

    description: str | None


def _to_wire(row: Row[Any]) -> StoredVectorStore:
    store = crud.columns_of(row, "vector_store", *_FIELDS)
    return cast(StoredVectorStore, store | {"name": store["name"] or None})


async def create(connection: AsyncConnection, owner: str, now: int, values: Json) -> StoredVectorStore:
    row = {
        "id": ids.new("vector_store"),
        "owner": owner,
        "created_at": now,
        "last_active_at": now,
        "expires_at": _expiry(values.get("expires_after"), now),
    } | values
    return await _complete_one(connection, now, _to_wire(await crud.add(connection, table, row)))


async def get(connection: AsyncConnection, owner: str, store_id: str, now: int) -> StoredVectorStore | None:
    row = await crud.one(connection, table, *_is(owner, store_id))
    return None if row is None else await _complete_one(connection, now, _to_wire(row))


async def several(
    connection: AsyncConnection, owner: str, store_ids: Sequence[str], now: int
) -> dict[str, StoredVectorStore]:
    """Those of the stores that exist, by ID."""
    statement = select(table).where(table.c.id.in_(store_ids), table.c.owner == owner)
    stores = [_to_wire(row) for row in await connection.execute(statement)]
    await _complete(connection, now, stores)
    return {store["id"]: store for store in stores}


async def page(
    connection: AsyncConnection, owner: str, request: PageRequest, now: int
) -> Page[StoredVectorStore]:
    found = await crud.page(connection, table, _to_wire, request, table.c.owner == owner)
    await _complete(connection, now, found.data)
    return found


async def change(
    connection: AsyncConnection, owner: str, store_id: str, now: int, values: Json
) -> StoredVectorStore | None:
    """Replace the given fields. A new `expires_after` counts from the last use."""
    if "expires_after" in values:
        row = await crud.one(connection, table, *_is(owner, store_id))
        if row is not None:
            values = values | {"expires_at": _expiry(values["expires_after"], row.last_active_at)}
    changed = await crud.change(connection, table, _to_wire, values, *_is(owner, store_id))
    return None if changed is None else await _complete_one(connection, now, changed)


async def use(connection: AsyncConnection, store_ids: Sequence[str], now: int) -> None:
    """Note that stores are in use now, which puts off their expiry. Expired ones stay expired."""
    found = select(table).where(table.c.id.in_(store_ids))
    for row in (await connection.execute(found)).all():
        if row.expires_at is None or row.expires_at > now:
            values = {"last_active_at": now, "expires_at": _expiry(row.expires_after, now)}
            await connection.execute(update(table).where(table.c.seq == row.seq).values(values))


async def remove(connection: AsyncConnection, owner: str, store_id: str) -> bool:
    """Delete it, and take it off what assistants and threads search. Its files stay."""
    gone = await crud.remove(connection, table, *_is(owner, store_id))
    if gone:
        await references.remove_references(connection, owner, store_id)
    return gone


def file_counts(statuses: Mapping[IngestStatus, int]) -> FileCounts:
    """Numbers of files by status, as objects show them."""
    counts = {status: statuses.get(status, 0) for status in INGEST_STATUSES}
    return cast(FileCounts, counts | {"total": sum(counts.values())})


def _expiry(expires_after: Json | None, last_active_at: int) -> int | None:
    return None if expires_after is None else last_active_at + int(expires_after["days"]) * _DAY


async def _complete_one(connection: AsyncConnection, now: int, store: StoredVectorStore) -> StoredVectorStore:
    await _complete(connection, now, [store])
    return store


async def _complete(connection: AsyncConnection, now: int, stores: list[StoredVectorStore]) -> None:
    """Fill in what follows from the files in the stores and from the time."""
    statement = (
        select(
            files_table.c.vector_store_id,
            files_table.c.status,
            func.count().label("files"),
            func.sum(files_table.c.usage_bytes).label("bytes"),
        )
        .where(files_table.c.vector_store_id.in_([store["id"] for store in stores]))
        .group_by(files_table.c.vector_store_id, files_table.c.status)
    )
    counts: dict[str, dict[IngestStatus, int]] = {}
    usage: dict[str, int] = {}
    for row in await connection.execute(statement):
        counts.setdefault(row.vector_store_id, {})[row.status] = row.files
        usage[row.vector_store_id] = usage.get(row.vector_store_id, 0) + int(row.bytes)
    for store in stores:
        of_store = counts.get(store["id"], {})
        store["usage_bytes"] = usage.get(store["id"], 0)
        store["file_counts"] = file_counts(of_store)
        if store["expires_at"] is not None and store["expires_at"] <= now:
            store["status"] = "expired"
        else:
            store["status"] = "in_progress" if of_store.get("in_progress") else "completed"
