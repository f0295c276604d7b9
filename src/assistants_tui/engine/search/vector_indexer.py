"""Giving every chunk a vector of the embedding model, in the background.

A new model makes all of them anew. Meanwhile, and while the endpoint is out of reach, searches go by words
and by the vectors there are. Each request's vectors are stored as soon as they are here, and engines that
share a data directory take turns, so that no vector is asked, and paid, for twice.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from assistants_tui.engine.models.embedding_client import (
    MAX_TEXTS,
    Embedder,
    EmbeddingError,
    Refused,
    Vector,
)
from assistants_tui.engine.search.analysis import normal
from assistants_tui.engine.search.vector_table import VectorTable, packed
from assistants_tui.engine.store.database import Database

_REQUESTS = 4  # at the same time
_RETRY_SECONDS = 15.0
_LONGEST_RETRY_SECONDS = 600.0
_WAIT_SECONDS = 120.0  # for the vectors of one document, before it goes without for now
_LOCK_SECONDS = 0.5  # between two attempts to get the turn of another engine

_logger = logging.getLogger(__name__)


class VectorIndexer:
    """Keeps the vectors of an embedding model up with the store."""

    def __init__(
        self, database: Database, embedder: Embedder, vectors: VectorTable, lock: Path | None = None
    ) -> None:
        self.fault: str | None = None
        """Why no vectors can be had now, for the user; None as long as they can."""
        self._database = database
        self._embedder = embedder
        self._vectors = vectors
        self._turn = nullcontext() if lock is None else FileLock(lock, mode=0o600, blocking=False)
        self._wanted = asyncio.Event()
        self._awaited: dict[int, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work in the background, with what a stopped engine left undone."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def wait_for(self, document: int) -> None:
        """Until a new document has its vectors, or it is clear that it does not get them now."""
        self._wanted.set()
        if self.fault is not None or self._task is None:
            return
        ready = self._awaited.setdefault(document, asyncio.Event())
        async with self._database.read() as connection:
            done = await self._vectors.are_complete(connection, document)
        try:
            if not done:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_WAIT_SECONDS):
                        await ready.wait()
        finally:
            self._awaited.pop(document, None)

    async def _run(self) -> None:
        pause = _RETRY_SECONDS
        while True:
            try:
                try:
                    with self._turn:
                        while await self._batch():
                            self.fault, pause = None, _RETRY_SECONDS
                except Timeout:  # another engine is making vectors: those awaited here may be among them
                    await asyncio.sleep(_LOCK_SECONDS)
                    await self._release_complete()
                    if await self._missing():
                        continue
                self.fault, pause = None, _RETRY_SECONDS  # nothing is missing any more
                await self._wanted.wait()
                self._wanted.clear()
                continue
            except EmbeddingError as error:
                self.fault = str(error)
                _logger.warning("searching by words alone, trying again in %.0f s: %s", pause, error)
            except Exception:
                self.fault = "The engine had an error while making vectors; its log says more."
                _logger.exception("vectors could not be made; it is tried again in %.0f s", pause)
            self._release(set(self._awaited))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_RETRY_SECONDS)

    async def _missing(self) -> list[tuple[int, int, str]]:
        async with self._database.read() as connection:
            return await self._vectors.missing(connection, MAX_TEXTS * _REQUESTS)

    async def _batch(self) -> bool:
        """Some requests' worth of vectors; False if every chunk has one."""
        awaited = set(self._awaited)
        missing = await self._missing()
        if not missing:
            self._release(awaited)
            return False
        parts = [missing[start : start + MAX_TEXTS] for start in range(0, len(missing), MAX_TEXTS)]
        # A request that fails must not undo the others, which have been paid for.
        ends = await asyncio.gather(*(self._fill(part) for part in parts), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end
        return True

    async def _fill(self, chunks: Sequence[tuple[int, int, str]]) -> None:
        """Get and store the vectors of some chunks."""
        async for found in self._embedder.embed_each([normal(text) for _, _, text in chunks]):
            by_chunk = {chunks[place][0]: vector for place, vector in found.items()}
            refused = {chunk: one.reason for chunk, one in by_chunk.items() if isinstance(one, Refused)}
            for reason in refused.values():
                _logger.warning("a piece of a file goes without a vector: %s", reason)
            vectors = {chunk: one for chunk, one in by_chunk.items() if not isinstance(one, Refused)}
            rows = await asyncio.to_thread(_packed, vectors)
            async with self._database.write() as connection:
                done = await self._vectors.store(connection, rows, refused)
            self._release(done)  # not before the commit: who waits reads the vectors from the database

    async def _release_complete(self) -> None:
        async with self._database.read() as connection:
            done = {one for one in self._awaited if await self._vectors.are_complete(connection, one)}
        self._release(done)

    def _release(self, documents: set[int]) -> None:
        for document in documents & self._awaited.keys():
            self._awaited[document].set()


def _packed(vectors: Mapping[int, Vector]) -> dict[int, bytes]:
    return {chunk: packed(vector) for chunk, vector in vectors.items()}
