"""Keeping the word index up with the store.

The store says which documents the index has, and the index changes first: what was not noted in the store
when the engine was killed is simply put in again, in the place of what was there.
"""

import asyncio
import logging
from contextlib import suppress

from assistants_tui.engine.search import chunk_repository
from assistants_tui.engine.search.word_index import WordIndex
from assistants_tui.engine.search.workers.process import WorkerDiedError, WorkerProcess
from assistants_tui.engine.store.database import Database

_MODULE = "assistants_tui.engine.search.workers.indexer"
_BATCH_CHUNKS = 4000  # of one commit: a few seconds of work, so that others get their turn
_BATCH_DOCUMENTS = 500
_GATHER_SECONDS = 1.0  # more files are likely to come at once, and one commit for all costs little more
_IDLE_SECONDS = 30.0
_RETRY_SECONDS = 30.0
_GARBAGE = 0.1  # the part of chunks without a document that is not worth removing yet

_logger = logging.getLogger(__name__)


class IndexingError(Exception):
    """The word index could not be brought up to date."""


class WordIndexer:
    """Puts documents into the word index, and takes deleted ones out, in a process of its own."""

    def __init__(self, database: Database, index: WordIndex) -> None:
        self._database = database
        self._index = index
        self._wanted = asyncio.Event()
        self._gone: set[int] = set()
        self._worker: WorkerProcess | None = None
        self._task: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work in the background, with what a stopped engine left undone."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        for task in (self._task, self._catching_up):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, IndexingError):
                    await task
        await self._end_worker()

    def wake(self) -> None:
        """There are new documents."""
        self._wanted.set()

    def remove(self, documents: set[int]) -> None:
        """These documents are gone: make room when there is time. Searches do not find them anyway."""
        self._gone |= documents
        self._wanted.set()

    async def catch_up(self) -> None:
        """Bring the index up to date now. Raises `IndexingError`.

        All who wait for it wait for the same work, and it goes on when one of them gives up.
        """
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._batches())
        await asyncio.shield(self._catching_up)

    async def _batches(self) -> None:
        while await self._batch():
            pass

    async def _run(self) -> None:
        tolerated = 0.0
        while True:
            try:
                await self.catch_up()
                await self._find_garbage(tolerated)
                tolerated = _GARBAGE
                if not self._gone:
                    await self._rest()
            except Exception:  # whatever it is, searching goes on without
                _logger.exception("the word index could not be updated; it is tried again")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _rest(self) -> None:
        """Wait for work, at first with the process at hand."""
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                await self._wanted.wait()
        except TimeoutError:
            await self._end_worker()
            await self._wanted.wait()
        self._wanted.clear()
        await asyncio.sleep(_GATHER_SECONDS)

    async def _batch(self) -> bool:
        """One commit; False if there was nothing to do."""
        await asyncio.to_thread(self._index.refresh)
        name = self._index.name
        async with self._database.read() as connection:
            waiting = await chunk_repository.without_words(connection, name, _BATCH_DOCUMENTS)
        batch: list[int] = []
        chunks = 0
        for document, count in waiting:
            if batch and chunks + count > _BATCH_CHUNKS:
                break
            batch.append(document)
            chunks += count
        gone = list(self._gone)
        if not batch and not gone:
            return False
        await self._commit(name, gone, batch)
        async with self._database.write() as connection:
            await chunk_repository.has_words(connection, name, batch)
        self._gone.difference_update(gone)
        await asyncio.to_thread(self._index.refresh)
        return True

    async def _commit(self, name: str, gone: list[int], batch: list[int]) -> None:
        """Have the worker do it. Raises `IndexingError`; then nothing has changed."""
        try:
            if self._worker is None:
                self._worker = await WorkerProcess.start(_MODULE, ())
            worker = self._worker
            await worker.send({"open": str(self._index.directory), "name": name})
            await worker.send({"remove": [*gone, *batch]})
            async for page in chunk_repository.pages(self._database, *batch):
                await worker.send({"add": [_entry(chunk) for chunk in page]})
            await worker.send({"commit": True})
            answer = await worker.receive()
        except BaseException as error:
            # In the middle of a batch there is no way back but a new process.
            await self._end_worker()
            if isinstance(error, WorkerDiedError | OSError):
                raise IndexingError(str(error)) from error
            raise
        if "error" in answer:
            raise IndexingError(answer["error"])

    async def _find_garbage(self, tolerated: float) -> None:
        """Find documents that were deleted together with their files, which nobody tells the index of."""
        await asyncio.to_thread(self._index.refresh)
        async with self._database.read() as connection:
            expected = await chunk_repository.chunk_count(connection, self._index.name)
        surplus = await asyncio.to_thread(self._index.chunk_count) - expected
        if surplus > tolerated * expected:
            known = await asyncio.to_thread(self._index.documents)
            async with self._database.read() as connection:
                self._gone |= known - await chunk_repository.all_documents(connection)

    async def _end_worker(self) -> None:
        if self._worker is not None:
            worker, self._worker = self._worker, None
            await worker.stop()


def _entry(chunk: chunk_repository.StoredChunk) -> dict[str, object]:
    stem = chunk.filename.rpartition(".")[0] or chunk.filename
    return {
        "seq": chunk.seq,
        "document": chunk.document,
        "store": chunk.store_id,
        "title": f"{stem} {chunk.heading}",
        "text": chunk.text,
    }
