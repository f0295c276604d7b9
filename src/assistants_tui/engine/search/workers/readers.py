"""The pool of reader processes."""

import asyncio
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from assistants_tui.engine.search.chunking import Chunk, Chunking
from assistants_tui.engine.search.documents.supported_files import reader_of
from assistants_tui.engine.search.errors import IngestError
from assistants_tui.engine.search.workers.pipe_messages import Message
from assistants_tui.engine.search.workers.process import WorkerDiedError, WorkerProcess
from assistants_tui.protocol.error_codes import FileErrorCode

_MODULE = "assistants_tui.engine.search.workers.reader"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What reading one file may take."""

    memory: int = 1536 << 20
    """Bytes of address space of one process."""
    processor_seconds: int = 60
    """Time on a processor."""
    seconds: float = 300.0
    """Time on the clock, for files that make a process wait, and for busy machines."""
    processes: int = 2
    """Readers at once."""
    idle_seconds: float = 30.0
    """How long a reader waits for the next file before it ends."""
    idle_memory: int = 128 << 20
    """Bytes that a reader may keep in the meantime; one that has grown larger ends at once."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some chunks of a file."""

    chunks: list[Chunk]
    note: str | None = None
    """What the user should know of how the file was read; with the last batch."""


class Readers:
    """Reads files in processes of their own: started when there is work, ended when there is none."""

    def __init__(self, limits: ReaderLimits | None = None) -> None:
        self._limits = limits or ReaderLimits()
        self._free = asyncio.Semaphore(self._limits.processes)
        self._idle: list[tuple[WorkerProcess, asyncio.TimerHandle]] = []
        self._ending: set[asyncio.Task[None]] = set()

    async def read(self, path: Path, filename: str, chunking: Chunking) -> AsyncGenerator[Batch, None]:
        """The chunks of a file, a batch at a time. Raises `IngestError`."""
        try:
            size = (await asyncio.to_thread(path.stat)).st_size
            reader_of(filename, size)  # what can be refused without a process is
            begun = False
            for last_try in (False, True):
                try:
                    async with self._worker() as worker:
                        batches = self._chunks(worker, path, size, filename, chunking)
                        async with aclosing(batches):
                            async for batch in batches:
                                begun = True
                                yield batch
                        return
                except WorkerDiedError as death:
                    # The system ends processes when memory is short: that says nothing about this file.
                    if last_try or begun or death.signal != signal.SIGKILL:
                        raise self._explain(death) from None
        except TimeoutError:
            raise self._too_slow() from None
        except OSError as error:
            raise IngestError("server_error", f"The file could not be read: {error.strerror}.") from None

    async def close(self) -> None:
        """End all processes."""
        for worker, timer in self._idle:
            timer.cancel()
            await worker.stop()
        self._idle.clear()
        await asyncio.gather(*self._ending)

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[WorkerProcess]:
        """A process of one's own for as long as it behaves; one that was left in the middle is ended."""
        async with self._free:
            if self._idle:
                worker, timer = self._idle.pop()
                timer.cancel()
            else:
                arguments = (str(self._limits.memory), str(self._limits.processor_seconds))
                worker = await WorkerProcess.start(_MODULE, arguments)
            healthy = False
            try:
                yield worker
                healthy = True
            except IngestError as error:
                healthy = error.code != "server_error"
                raise
            finally:
                if healthy and worker.memory() <= self._limits.idle_memory:
                    self._keep(worker)
                else:
                    await worker.stop()

    def _keep(self, worker: WorkerProcess) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._limits.idle_seconds, self._end, worker)
        self._idle.append((worker, timer))

    def _end(self, worker: WorkerProcess) -> None:
        self._idle = [entry for entry in self._idle if entry[0] is not worker]
        task = asyncio.get_running_loop().create_task(worker.stop())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _chunks(
        self, worker: WorkerProcess, path: Path, size: int, filename: str, chunking: Chunking
    ) -> AsyncGenerator[Batch, None]:
        deadline = asyncio.get_running_loop().time() + self._limits.seconds
        request = {"filename": filename, "size": size}
        request |= {"max_tokens": chunking.max_tokens, "overlap_tokens": chunking.overlap_tokens}
        async with asyncio.timeout_at(deadline):
            await worker.send(request)
            async with aclosing(_pieces(path)) as pieces:
                async for piece in pieces:
                    await worker.send_bytes(piece)
        while True:
            async with asyncio.timeout_at(deadline):
                answer = await worker.receive()
            if "error" in answer:
                raise self._refusal(answer)
            yield Batch([Chunk(**chunk) for chunk in answer["chunks"]], answer.get("note"))
            if answer.get("done"):
                return

    def _refusal(self, answer: Message) -> IngestError:
        if answer["error"] == "memory":
            return self._too_large()
        code: FileErrorCode = (
            answer["error"] if answer["error"] in get_args(FileErrorCode) else "server_error"
        )
        return IngestError(code, answer["sentence"])

    def _explain(self, death: WorkerDiedError) -> IngestError:
        if death.signal == signal.SIGXCPU:
            return self._too_slow()
        if death.signal == signal.SIGABRT:  # how C++ libraries end when memory is refused
            return self._too_large()
        return IngestError(
            "server_error", "The process that read the file broke down. The file may be damaged."
        )

    def _too_slow(self) -> IngestError:
        return IngestError(
            "server_error", "Reading the file takes too long. It may be damaged, or too complex."
        )

    def _too_large(self) -> IngestError:
        return IngestError(
            "server_error",
            f"Reading the file takes more memory than the {self._limits.memory >> 20:,} MiB allowed.",
        )


async def _pieces(path: Path) -> AsyncGenerator[bytes, None]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
    finally:
        file.close()
