"""Uploads: files that arrive in parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud, ids
from assistants_tui.engine.store.schema import upload_parts
from assistants_tui.engine.store.schema import uploads as table
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Json, Upload, UploadPart
from assistants_tui.protocol.transitions import UPLOAD_TRANSITIONS, UploadStatus, states_before

_FIELDS = ("bytes", "expires_at", "filename", "purpose", "status")


@dataclass(frozen=True)
class Part:
    """A part that has arrived: its ID, size in bytes, and the name of its blob."""

    id: str
    bytes: int
    blob: str


def _to_wire(row: Row[Any]) -> Upload:
    return cast(Upload, crud.columns_of(row, "upload", *_FIELDS) | {"file": None})


def _is(owner: str, upload_id: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.id == upload_id, table.c.owner == owner


async def create(connection: AsyncConnection, owner: str, now: int, values: Json) -> Upload:
    row = {
        "id": ids.new("upload"),
        "owner": owner,
        "created_at": now,
        "expires_at": now + limits.UPLOAD_SECONDS,
        "status": "pending",
    } | values
    return _to_wire(await crud.add(connection, table, row))


async def get(
    connection: AsyncConnection, owner: str, upload_id: str, now: int, *, lock: bool = False
) -> Upload | None:
    """An upload. It is shown as expired from the second of its expiry, before housekeeping stores that.

    `lock`: this transaction is about to change it.
    """
    row = await crud.one(connection, table, *_is(owner, upload_id), lock=lock)
    if row is None:
        return None
    upload = _to_wire(row)
    if upload["status"] == "pending" and upload["expires_at"] <= now:
        upload["status"] = "expired"
    return upload


async def expires_after(connection: AsyncConnection, upload_id: str) -> Json | None:
    """When the file that an upload becomes is to expire, as the request said it."""
    found = select(table.c.expires_after).where(table.c.id == upload_id)
    value: Json | None = (await connection.execute(found)).scalar_one()
    return value


async def end(connection: AsyncConnection, upload_id: str, status: UploadStatus) -> Upload:
    """Complete, cancel or expire an upload that this transaction has locked and found pending.

    The rows of its parts are deleted; the caller removes the blobs, which it gets from `parts` before.
    """
    sources = states_before(UPLOAD_TRANSITIONS, status)
    statement = (
        update(table)
        .where(table.c.id == upload_id, table.c.status.in_(sources))
        .values(status=status)
        .returning(table)
    )
    row = (await connection.execute(statement)).one()
    await connection.execute(delete(upload_parts).where(upload_parts.c.upload_id == upload_id))
    return _to_wire(row)


async def add_part(
    connection: AsyncConnection, owner: str, upload_id: str, now: int, values: Json
) -> UploadPart:
    row = {"id": ids.new("upload_part"), "owner": owner, "created_at": now, "upload_id": upload_id} | values
    part = crud.columns_of(await crud.add(connection, upload_parts, row), "upload.part", "upload_id")
    return cast(UploadPart, part)


async def parts(connection: AsyncConnection, upload_id: str) -> list[Part]:
    """The parts of an upload that have arrived."""
    found = select(upload_parts).where(upload_parts.c.upload_id == upload_id).order_by(upload_parts.c.seq)
    return [Part(row.id, row.bytes, row.blob) for row in await connection.execute(found)]


async def overdue(connection: AsyncConnection, now: int) -> Sequence[str]:
    """Pending uploads whose time is over. This transaction locks them, as it is about to end them."""
    sources = states_before(UPLOAD_TRANSITIONS, "expired")
    found = select(table.c.id).where(table.c.status.in_(sources), table.c.expires_at <= now)
    return list((await connection.execute(found.with_for_update())).scalars())


async def blobs(connection: AsyncConnection) -> set[str]:
    """The names of all blobs that belong to parts."""
    return set((await connection.execute(select(upload_parts.c.blob))).scalars())
