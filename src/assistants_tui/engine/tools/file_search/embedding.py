"""Giving every chunk a vector of the embedding model, in the background.

A new model makes all of them anew. Meanwhile, and while the endpoint is out of reach, searches go by words
and by the vectors there are.
"""

import asyncio
import logging
from contextlib import suppress

from assistants_tui.engine.store.database import Database
from assistants_tui.engine.tools.file_search.embeddings import Embedder, EmbeddingError
from assistants_tui.engine.tools.file_search.vectors import VectorTable, packed

_TEXTS = 64  # of one request
_REQUESTS = 4  # at the same time
_RETRY_SECONDS = 15.0
_LONGEST_RETRY_SECONDS = 600.0
_WAIT_SECONDS = 120.0  # for the vectors of one document, before it goes without for now

_logger = logging.getLogger(__name__)


class VectorIndexer:
    """Keeps the vectors of an embedding model up with the store."""

    def __init__(self, database: Database, embedder: Embedder, vectors: VectorTable) -> None:
        self._database = database
        self._embedder = embedder
        self._vectors = vectors
        self._wanted = asyncio.Event()
        self._awaited: dict[int, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self._failing = False

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
        if self._failing or self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._awaited.setdefault(document, asyncio.Event()).wait()
        self._awaited.pop(document, None)

    async def _run(self) -> None:
        pause = _RETRY_SECONDS
        while True:
            try:
                while await self._batch():
                    self._failing, pause = False, _RETRY_SECONDS
                await self._wanted.wait()
                self._wanted.clear()
                continue
            except EmbeddingError as error:
                _logger.warning("searching by words alone, trying again in %.0f s: %s", pause, error)
            except Exception:
                _logger.exception("vectors could not be made; it is tried again in %.0f s", pause)
            self._failing = True
            self._release(set(self._awaited))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_RETRY_SECONDS)

    async def _batch(self) -> bool:
        """Some requests' worth of vectors; False if every chunk has one."""
        awaited = set(self._awaited)
        async with self._database.read() as connection:
            missing = await self._vectors.missing(connection, _TEXTS * _REQUESTS)
        if not missing:
            self._release(awaited)
            return False
        parts = [missing[start : start + _TEXTS] for start in range(0, len(missing), _TEXTS)]
        answers = await asyncio.gather(
            *(self._embedder.embed([text for _, _, text in part]) for part in parts)
        )
        vectors = [vector for answer in answers for vector in answer]
        pairs = zip(missing, vectors, strict=True)
        found = await asyncio.to_thread(lambda: {chunk: packed(vector) for (chunk, _, _), vector in pairs})
        async with self._database.write() as connection:
            done = await self._vectors.store(connection, found)
        self._release(done)  # not before the commit: who waits reads the vectors from the database
        return True

    def _release(self, documents: set[int]) -> None:
        for document in documents & self._awaited.keys():
            self._awaited[document].set()
