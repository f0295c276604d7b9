"""The text of documents in the store: the truth of which everything else here is made."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    case,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.search import filters
from assistants_tui.engine.search.chunking import Chunk
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.schema import chunks as chunk_table
from assistants_tui.engine.store.schema import documents as table
from assistants_tui.engine.store.schema import files as file_table
from assistants_tui.engine.store.schema import vector_store_files as attachments
from assistants_tui.protocol.transitions import IngestStatus

_PAGE = 256  # chunks read at a time
_MAX_NOTES = 100

# Only files that the API shows as completed are searched.
_COMPLETED: IngestStatus = "completed"
_SEARCHABLE = (table.c.complete, attachments.c.status == _COMPLETED)


@dataclass(frozen=True, slots=True)
class Document:
    """A file in a vector store, and how far its text is here. `complete` is None if there is none of it."""

    seq: int
    complete: bool | None
    chunk_count: int
    usage_bytes: int


class StoredChunk(NamedTuple):
    """A chunk with what is known of its file."""

    seq: int
    document: int
    store_id: str
    file_id: str
    filename: str
    attributes: dict[str, Any]
    text: str
    start: int
    end: int
    page: int | None
    line: int | None
    heading: str


async def find(connection: AsyncConnection, store_id: str, file_id: str) -> Document | None:
    """The document of a file; None if the file is not in the store."""
    statement = (
        select(attachments.c.seq, table.c.complete, table.c.chunk_count, table.c.usage_bytes)
        .outerjoin(table, table.c.seq == attachments.c.seq)
        .where(attachments.c.vector_store_id == store_id, attachments.c.id == file_id)
    )
    row = (await connection.execute(statement)).one_or_none()
    return (
        None if row is None else Document(row.seq, row.complete, row.chunk_count or 0, row.usage_bytes or 0)
    )


async def begin(connection: AsyncConnection, document: int) -> None:
    """Start a document from its beginning. Raises `IntegrityError` if the file has left the store."""
    await remove(connection, document)
    await connection.execute(insert(table).values(seq=document, complete=False))


async def add(connection: AsyncConnection, document: int, position: int, chunks: Sequence[Chunk]) -> None:
    """Append chunks. `position` is that of the first of them.

    Raises `IntegrityError` if the document is gone, or if someone else has added them.
    """
    rows = [
        {
            "document": document,
            "position": position + index,
            "start": chunk.start,
            "end": chunk.end,
            "page": chunk.page,
            "line": chunk.line,
            "heading": chunk.heading,
            "text": chunk.text,
        }
        for index, chunk in enumerate(chunks)
    ]
    await connection.execute(insert(chunk_table), rows)


async def complete(
    connection: AsyncConnection, document: int, chunk_count: int, usage_bytes: int, note: str | None
) -> None:
    """All chunks are there: from now on the document can be searched. `note` is for its user."""
    values = {"complete": True, "chunk_count": chunk_count, "usage_bytes": usage_bytes, "note": note}
    await connection.execute(update(table).where(table.c.seq == document).values(values))


async def remove(connection: AsyncConnection, document: int) -> None:
    """Delete a document. The file stays where it is."""
    await connection.execute(delete(table).where(table.c.seq == document))


async def attributes(
    connection: AsyncConnection,
    store_ids: Collection[str],
    condition: Mapping[str, Any],
    among: Collection[int] | None = None,
) -> Sequence[tuple[int, str]]:
    """The documents that can be searched and may meet a filter, each with the JSON of its file's attributes.

    If some are named, only they are looked at.
    """
    # as text, because the caller remembers what it has parsed
    statement = select(attachments.c.seq, cast(attachments.c.attributes, Text)).where(
        attachments.c.vector_store_id.in_(store_ids),
        attachments.c.status == _COMPLETED,
    )
    if connection.dialect.name == "sqlite":
        statement = statement.where(filters.likely(condition, attachments.c.attributes))
    if among is not None:
        statement = statement.where(attachments.c.seq.in_(among))
    return (await connection.execute(statement)).tuples().all()  # a row at a time takes much longer


async def by_number(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, StoredChunk]:
    """Those of the chunks that are still there and can be searched, by number."""
    statement = _stored().where(chunk_table.c.seq.in_(numbers), *_SEARCHABLE)
    return {row.seq: _chunk(row) for row in (await connection.execute(statement)).all()}


async def pages(database: Database, *documents: int) -> AsyncIterator[list[StoredChunk]]:
    """The chunks of documents in order, some at a time, whatever may happen to them in between."""
    place = chunk_table.c.document, chunk_table.c.position
    last = -1, -1
    while True:
        statement = (
            _stored()
            .add_columns(chunk_table.c.position)
            .where(
                chunk_table.c.document.in_([document for document in documents if document >= last[0]]),
                tuple_(*place) > last,
            )
            .order_by(*place)
            .limit(_PAGE)
        )
        async with database.read() as connection:
            rows = (await connection.execute(statement)).all()
        if rows:
            yield [_chunk(row) for row in rows]
        if len(rows) < _PAGE:
            return
        last = rows[-1].document, rows[-1].position


async def without_words(connection: AsyncConnection, index: str, limit: int) -> list[tuple[int, int]]:
    """Complete documents that a word index has not got, and how many chunks each has: oldest first."""
    statement = (
        select(table.c.seq, table.c.chunk_count)
        .where(table.c.complete, _other_than(table.c.word_index, index))
        .order_by(table.c.seq)
        .limit(limit)
    )
    return [(row.seq, row.chunk_count) for row in await connection.execute(statement)]


async def any_without_words(connection: AsyncConnection, index: str, store_ids: Collection[str]) -> bool:
    """Whether there is something in the stores that the word index does not find yet."""
    statement = (
        select(table.c.seq)
        .join(attachments, attachments.c.seq == table.c.seq)
        .where(attachments.c.vector_store_id.in_(store_ids), *_SEARCHABLE)
        .where(_other_than(table.c.word_index, index))
        .limit(1)
    )
    return (await connection.execute(statement)).first() is not None


async def has_words(connection: AsyncConnection, index: str, documents: Collection[int]) -> None:
    """Note that a word index has these documents."""
    await connection.execute(update(table).where(table.c.seq.in_(documents)).values(word_index=index))


async def chunk_count(connection: AsyncConnection, index: str | None = None) -> int:
    """How many chunks there are, or how many of them a word index should have."""
    statement = select(func.coalesce(func.sum(table.c.chunk_count), 0)).where(table.c.complete)
    if index is not None:
        statement = statement.where(table.c.word_index == index)
    return int((await connection.execute(statement)).scalar_one())


class StoreState(NamedTuple):
    """Numbers of chunks in a vector store."""

    chunks: int
    vectors: int
    """Of files that are through with their vectors, those without one among them."""
    refused: int


async def state_of_store(connection: AsyncConnection, store_id: str, model: str | None) -> StoreState:
    """How many chunks a store has, and how far they are with the vectors of a model."""
    through = table.c.vector_model == model
    statement = (
        select(
            func.coalesce(func.sum(table.c.chunk_count), 0),
            func.coalesce(func.sum(case((through, table.c.chunk_count), else_=0)), 0),
            func.coalesce(func.sum(case((through, table.c.refused_chunks), else_=0)), 0),
        )
        .join(attachments, attachments.c.seq == table.c.seq)
        .where(attachments.c.vector_store_id == store_id, table.c.complete)
    )
    row = (await connection.execute(statement)).one()
    return StoreState(int(row[0]), int(row[1]), int(row[2]))


async def notes(connection: AsyncConnection, store_id: str) -> list[tuple[str, str]]:
    """What is to be said of files in a store: file IDs and sentences, the newest files first."""
    statement = (
        select(attachments.c.id, table.c.note, table.c.refused_chunks, table.c.chunk_count, table.c.refusal)
        .join(table, table.c.seq == attachments.c.seq)
        .where(
            attachments.c.vector_store_id == store_id,
            or_(table.c.note.is_not(None), table.c.refused_chunks > 0),
        )
        .order_by(attachments.c.seq.desc())
        .limit(_MAX_NOTES)
    )
    found = []
    for file_id, note, refused, chunk_count, refusal in await connection.execute(statement):
        sentences = [note] if note else []
        if refused:
            sentences.append(
                f"{refused:,} of {chunk_count:,} pieces are found by their words alone, because they got no "
                f"vector: {refusal}"
            )
        found.append((file_id, " ".join(sentences)))
    return found


async def existing(connection: AsyncConnection, documents: Collection[int]) -> set[int]:
    """Those of some documents that are still there."""
    return set((await connection.execute(select(table.c.seq).where(table.c.seq.in_(documents)))).scalars())


async def all_documents(connection: AsyncConnection) -> set[int]:
    """All documents that exist."""
    return set((await connection.execute(select(table.c.seq))).scalars())


def _other_than(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    return or_(column.is_(None), column != value)


def _stored() -> Select[Any]:
    return (
        select(
            chunk_table.c.seq,
            chunk_table.c.document,
            chunk_table.c.text,
            chunk_table.c.start,
            chunk_table.c.end,
            chunk_table.c.page,
            chunk_table.c.line,
            chunk_table.c.heading,
            attachments.c.vector_store_id,
            attachments.c.id.label("file_id"),
            attachments.c.attributes,
            file_table.c.filename,
        )
        .join(table, table.c.seq == chunk_table.c.document)
        .join(attachments, attachments.c.seq == table.c.seq)
        .join(file_table, file_table.c.id == attachments.c.id)
    )


def _chunk(row: Row[Any]) -> StoredChunk:
    return StoredChunk(
        seq=row.seq,
        document=row.document,
        store_id=row.vector_store_id,
        file_id=row.file_id,
        filename=row.filename,
        attributes=row.attributes,
        text=row.text,
        start=row.start,
        end=row.end,
        page=row.page,
        line=row.line,
        heading=row.heading,
    )
