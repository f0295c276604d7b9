"""Chunks by their meaning: every vector of a store is compared with that of the query.

With one byte per dimension that is fast enough for the 10,000 files that a store may have, and it misses
nothing, as an index of neighbours would. Vectors of stores in use are kept in memory as well.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.schema import chunk_vectors as table
from assistants_tui.engine.store.schema import chunks as chunk_table
from assistants_tui.engine.store.schema import documents
from assistants_tui.engine.store.schema import vector_store_files as attachments

_MAX_MEMORY = 384 << 20  # bytes of all stores together that are kept in memory
_BLOCK = 4096  # vectors compared at a time
_PAGE = 2000  # vectors read at a time
_REFUSED = b""  # in the place of the vector of a chunk that the endpoint does not take
_GARBAGE = 0.2  # the part of vectors of deleted documents that is worth reading all anew


class Near(NamedTuple):
    """A chunk and how near its meaning is to the query's: the cosine of the angle between their vectors."""

    chunk: int
    document: int
    cosine: float


def packed(vector: Sequence[float]) -> bytes:
    """The direction of a vector, one signed byte per dimension."""
    values = np.asarray(vector, np.float32)
    largest = float(np.abs(values).max(initial=0.0))
    if not np.isfinite(largest) or largest == 0.0:
        return bytes(len(values))
    return np.round(values / np.float32(largest) * 127).astype(np.int8).tobytes()


@dataclass(slots=True)
class _StoreVectors:
    """The vectors of one vector store, in the order of their chunks' numbers."""

    chunks: NDArray[np.int64]
    owners: NDArray[np.int64]
    matrix: NDArray[np.int8]
    lengths: NDArray[np.float32]
    documents: set[int]
    version: tuple[int, int, int]

    def cosines(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        found = np.empty(len(self.chunks), np.float32)
        for start in range(0, len(found), _BLOCK):
            block = slice(start, start + _BLOCK)
            found[block] = self.matrix[block].astype(np.float32) @ query
        return found / self.lengths


class Comparison:
    """The cosines of one query with all vectors of some stores."""

    def __init__(self, parts: list[tuple[_StoreVectors, NDArray[np.float32]]]) -> None:
        self._parts = parts

    def nearest(self, among: Collection[int] | None, limit: int) -> list[Near]:
        """The nearest chunks, nearest first, of certain documents if any are named."""
        found: list[Near] = []
        for shelf, cosines in self._parts:
            candidates = np.arange(len(cosines))
            if among is not None:
                candidates = np.flatnonzero(np.isin(shelf.owners, np.fromiter(among, np.int64, len(among))))
            if len(candidates) > limit:
                candidates = candidates[np.argpartition(-cosines[candidates], limit)[:limit]]
            found += [
                Near(int(shelf.chunks[at]), int(shelf.owners[at]), float(cosines[at])) for at in candidates
            ]
        found.sort(key=lambda near: -near.cosine)
        return found[:limit]

    def of(self, chunk: int) -> float | None:
        """The cosine of one chunk; None if it has no vector yet."""
        for shelf, cosines in self._parts:
            at = int(np.searchsorted(shelf.chunks, chunk))
            if at < len(cosines) and shelf.chunks[at] == chunk:
                return float(cosines[at])
        return None


class VectorTable:
    """The vectors of one embedding model."""

    def __init__(self, database: Database, model: str) -> None:
        self._database = database
        self._model = model
        self._shelves: OrderedDict[str, _StoreVectors] = OrderedDict()
        self._turn = asyncio.Lock()

    async def compare(self, store_ids: Collection[str], vector: Sequence[float]) -> Comparison:
        """Compare a query's vector with those of some stores."""
        query = np.asarray(vector, np.float32)
        length = float(np.linalg.norm(query))
        if not length or not np.isfinite(length):
            return Comparison([])
        async with self._turn:
            shelves = [await self._shelf(store_id, len(query)) for store_id in store_ids]

        def compare() -> Comparison:
            return Comparison([(shelf, shelf.cosines(query / length)) for shelf in shelves])

        return await asyncio.to_thread(compare)

    async def missing(self, connection: AsyncConnection, limit: int) -> list[tuple[int, int, str]]:
        """Chunks without a vector, with their documents and texts, those of the newest documents first."""
        statement = (
            select(chunk_table.c.seq, chunk_table.c.document, chunk_table.c.text)
            .join(documents, documents.c.seq == chunk_table.c.document)
            .outerjoin(table, and_(table.c.chunk == chunk_table.c.seq, table.c.model == self._model))
            .where(documents.c.complete, self._not_ours(), table.c.chunk.is_(None))
            .order_by(documents.c.seq.desc(), chunk_table.c.position)
            .limit(limit)
        )
        return [(row[0], row[1], row[2]) for row in await connection.execute(statement)]

    async def are_complete(self, connection: AsyncConnection, document: int) -> bool:
        """Whether every chunk of a document has a vector or was refused one. True if it is gone."""
        statement = select(documents.c.seq).where(documents.c.seq == document, self._not_ours())
        return (await connection.execute(statement)).first() is None

    async def store(
        self, connection: AsyncConnection, vectors: Mapping[int, bytes], refused: Mapping[int, str]
    ) -> set[int]:
        """Keep vectors of chunks, and which chunks get none, with the reason.

        Returns the documents whose chunks are all seen to now.
        """
        rows = {**vectors, **dict.fromkeys(refused, _REFUSED)}
        statement = select(chunk_table.c.seq, chunk_table.c.document).where(chunk_table.c.seq.in_(rows))
        owners = {row[0]: row[1] for row in await connection.execute(statement)}  # without deleted ones
        if not owners:
            return set()
        values = [{"chunk": chunk, "model": self._model, "vector": rows[chunk]} for chunk in owners]
        await connection.execute(delete(table).where(table.c.chunk.in_(owners)))
        await connection.execute(insert(table), values)
        for chunk, reason in refused.items():
            if chunk in owners:
                note = update(documents).where(documents.c.seq == owners[chunk]).values(refusal=reason)
                await connection.execute(note)
        ours = and_(table.c.chunk == chunk_table.c.seq, table.c.model == self._model)
        without = (
            select(chunk_table.c.seq)
            .outerjoin(table, ours)
            .where(chunk_table.c.document == documents.c.seq, table.c.chunk.is_(None))
        )
        refusals = (
            select(func.count())
            .select_from(table.join(chunk_table, ours))
            .where(chunk_table.c.document == documents.c.seq, func.length(table.c.vector) == 0)
            .scalar_subquery()
        )
        done = (
            update(documents)
            .where(documents.c.seq.in_(set(owners.values())), ~exists(without))
            .values(vector_model=self._model, refused_chunks=refusals)
            .returning(documents.c.seq)
        )
        return set((await connection.execute(done)).scalars())

    async def chunk_count(self, connection: AsyncConnection) -> int:
        """How many chunks have vectors, of documents that have all of theirs."""
        count = func.coalesce(func.sum(documents.c.chunk_count), 0)
        statement = select(count).where(documents.c.vector_model == self._model)
        return int((await connection.execute(statement)).scalar_one())

    async def _shelf(self, store_id: str, dimensions: int) -> _StoreVectors:
        """The vectors of a store, brought up to date."""
        shelf = self._shelves.get(store_id)
        async with self._database.read() as connection:
            version = await self._version(connection, store_id)
            if shelf is None or shelf.version != version or shelf.matrix.shape[1] != dimensions:
                shelf = await self._load(connection, store_id, shelf, version, dimensions)
        self._shelves[store_id] = shelf
        self._shelves.move_to_end(store_id)
        while len(self._shelves) > 1 and sum(s.matrix.nbytes for s in self._shelves.values()) > _MAX_MEMORY:
            self._shelves.popitem(last=False)
        return shelf

    async def _version(self, connection: AsyncConnection, store_id: str) -> tuple[int, int, int]:
        """Changes with every document that comes or goes."""
        statement = (
            select(func.count(), func.coalesce(func.sum(documents.c.seq), 0), func.max(documents.c.seq))
            .select_from(documents)
            .join(attachments, attachments.c.seq == documents.c.seq)
            .where(*self._in_store(store_id))
        )
        row = (await connection.execute(statement)).one()
        return int(row[0]), int(row[1]), int(row[2] or 0)

    async def _load(
        self,
        connection: AsyncConnection,
        store_id: str,
        old: _StoreVectors | None,
        version: tuple[int, int, int],
        dimensions: int,
    ) -> _StoreVectors:
        """The vectors of a store, without reading again what is known."""
        statement = (
            select(documents.c.seq)
            .join(attachments, attachments.c.seq == documents.c.seq)
            .where(*self._in_store(store_id))
        )
        current = set((await connection.execute(statement)).scalars())
        if old is not None and (
            old.matrix.shape[1] != dimensions or len(old.documents - current) > _GARBAGE * len(old.documents)
        ):
            old = None
        wanted = sorted(current - old.documents) if old is not None else sorted(current)
        rows: list[Any] = []
        for start in range(0, len(wanted), _PAGE):
            statement = (
                select(table.c.chunk, chunk_table.c.document, table.c.vector)
                .join(chunk_table, chunk_table.c.seq == table.c.chunk)
                .where(
                    chunk_table.c.document.in_(wanted[start : start + _PAGE]), table.c.model == self._model
                )
            )
            rows += [row for row in await connection.execute(statement) if len(row[2]) == dimensions]

        def build() -> _StoreVectors:
            chunks = np.fromiter((row[0] for row in rows), np.int64, len(rows))
            owners = np.fromiter((row[1] for row in rows), np.int64, len(rows))
            matrix = np.frombuffer(b"".join(row[2] for row in rows), np.int8).reshape(len(rows), dimensions)
            if old is not None:
                chunks = np.concatenate([old.chunks, chunks])
                owners = np.concatenate([old.owners, owners])
                matrix = np.concatenate([old.matrix, matrix])
            order = np.argsort(chunks, kind="stable")
            matrix = matrix[order]
            lengths = np.empty(len(matrix), np.float32)
            for start in range(0, len(matrix), _BLOCK):
                block = matrix[start : start + _BLOCK].astype(np.float32)
                lengths[start : start + _BLOCK] = np.linalg.norm(block, axis=1)
            lengths[lengths == 0.0] = 1.0
            known = current if old is None else old.documents | current
            return _StoreVectors(chunks[order], owners[order], matrix, lengths, known, version)

        return await asyncio.to_thread(build)

    def _in_store(self, store_id: str) -> tuple[ColumnElement[bool], ...]:
        return attachments.c.vector_store_id == store_id, documents.c.vector_model == self._model

    def _not_ours(self) -> ColumnElement[bool]:
        return or_(documents.c.vector_model.is_(None), documents.c.vector_model != self._model)


async def usage_bytes(connection: AsyncConnection, document: int) -> int:
    """Bytes of the vectors of a document."""
    statement = (
        select(func.coalesce(func.sum(func.length(table.c.vector)), 0))
        .join(chunk_table, chunk_table.c.seq == table.c.chunk)
        .where(chunk_table.c.document == document)
    )
    return int((await connection.execute(statement)).scalar_one())
