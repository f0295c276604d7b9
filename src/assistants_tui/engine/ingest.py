"""Reads the files that are put into vector stores, in the background, until each has its final state."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from assistants_tui.engine.search import chunk_repository
from assistants_tui.engine.search.results import Chunking, IngestError
from assistants_tui.engine.search.search import FileSearch
from assistants_tui.engine.store import vector_store_files
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.vector_store_files import WaitingFile
from assistants_tui.protocol.objects import ErrorInfo
from assistants_tui.protocol.transitions import IngestStatus

_AT_ONCE = 4  # files: more than there are readers, so that one is stored while another is read
_LOCK_SECONDS = 0.25  # between two attempts to get the turn of another engine
_SWEEP_SECONDS = 30.0  # after which files are looked for that an engine has left behind when it was killed
_GRACE_SECONDS = 1.0  # for what is nearly done when the engine closes

_logger = logging.getLogger(__name__)


class FileIngest:
    """Takes care of the files in vector stores from `start` to `close`.

    Engines that share a data directory take turns: whoever has the lock reads for all of them, and when it
    dies the next one goes on.
    """

    def __init__(self, data_dir: Path, database: Database, blobs: BlobStore, search: FileSearch) -> None:
        self._database = database
        self._blobs = blobs
        self._search = search
        self._turn = FileLock(data_dir / "reading.lock", mode=0o600)
        self._wanted = asyncio.Event()
        self._at_work: dict[int, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what a stopped engine left undone."""
        self._wanted.set()
        self._task = asyncio.create_task(self._run())

    async def attached(self) -> None:
        """Files were attached, and that is committed: `vector_store_files.waiting` names them."""
        self._wanted.set()

    async def close(self) -> None:
        """End all work. Files that are not done keep waiting for the next start."""
        self._closing.set()
        self._wanted.set()
        if self._at_work:
            await asyncio.wait(self._at_work.values(), timeout=_GRACE_SECONDS)
        tasks = [*self._at_work.values(), *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_SWEEP_SECONDS):
                    await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._take_turn()
            except Exception:
                _logger.exception("files could not be read; it is tried again in %s seconds", _SWEEP_SECONDS)

    async def _take_turn(self) -> None:
        """Read until no file waits. Who else would read them is waited for, as it may be killed."""
        while not self._closing.is_set() and await self._waiting(1):
            try:
                with self._turn.acquire(blocking=False):
                    await self._read_all()
            except Timeout:
                await asyncio.sleep(_LOCK_SECONDS)

    async def _read_all(self) -> None:
        try:
            while not self._closing.is_set():
                for file in await self._waiting(2 * _AT_ONCE):
                    if file.seq in self._at_work:
                        continue
                    while len(self._at_work) >= _AT_ONCE:
                        await self._change()
                    if self._closing.is_set():
                        return
                    self._at_work[file.seq] = asyncio.create_task(self._read(file))
                if not self._at_work:
                    return
                await self._change()
        finally:
            if self._at_work and not self._closing.is_set():
                await asyncio.wait(self._at_work.values())
                self._at_work.clear()

    async def _change(self) -> None:
        """Wait until a file has its final state, or more files wait.

        Raises what kept a file from its state: an error of the store.
        """
        attached = asyncio.create_task(self._wanted.wait())
        try:
            await asyncio.wait({attached, *self._at_work.values()}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            attached.cancel()
        self._wanted.clear()
        done = [task for task in self._at_work.values() if task.done()]
        self._at_work = {seq: task for seq, task in self._at_work.items() if task not in done}
        for task in done:
            task.result()

    async def _read(self, file: WaitingFile) -> None:
        usage, error = 0, None
        try:
            usage = await self._ingest(file)
        except IngestError as refused:
            error = ErrorInfo(code=refused.code, message=refused.sentence)
        except Exception:
            _logger.exception("file %s could not be taken into %s", file.file_id, file.vector_store_id)
            message = "The engine had an error while reading the file; its log says more."
            error = ErrorInfo(code="server_error", message=message)
        status: IngestStatus = "completed" if error is None else "failed"
        async with self._database.write() as connection:
            if not await vector_store_files.settle(
                connection, file, status, usage_bytes=usage, last_error=error
            ):
                # Cancelled, detached or attached anew meanwhile: what was read is not needed.
                await chunk_repository.remove(connection, file.seq)

    async def _ingest(self, file: WaitingFile) -> int:
        numbers = file.chunking_strategy["static"]
        done = await self._search.ingest(
            file.vector_store_id,
            file.file_id,
            self._blobs.path(file.blob),
            file.filename,
            Chunking(numbers["max_chunk_size_tokens"], numbers["chunk_overlap_tokens"]),
            attachment=file.seq,
        )
        return done.usage_bytes

    async def _waiting(self, limit: int) -> list[WaitingFile]:
        async with self._database.read() as connection:
            return await vector_store_files.waiting(connection, limit=limit)
