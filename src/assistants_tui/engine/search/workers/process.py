"""A worker process, seen from the engine."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterable

import psutil

from assistants_tui.engine import child_process
from assistants_tui.engine.search.workers import pipe_messages
from assistants_tui.engine.search.workers.pipe_messages import Message

_START_SECONDS = 60
# A reader that has not heard of the user's environment cannot tell anyone about it.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT")


class WorkerDiedError(Exception):
    """The process ended when it should have answered. `signal` is the signal that ended it, or 0."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"the worker ended with signal {signal}")
        self.signal = signal


class WorkerProcess:
    """One process that runs a module of this package. It ends by itself when the engine does."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._requests = process.stdin
        self._answers = process.stdout
        self.greeting: Message = {}

    @classmethod
    async def start(cls, module: str, arguments: Iterable[str]) -> "WorkerProcess":
        """Start one and wait until it is ready. Raises `WorkerDiedError` and `OSError`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-X", "utf8", "-m", module, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            cwd="/",
            umask=0o077,  # the word index is the user's alone, and its library asks nobody
            start_new_session=True,  # Ctrl-C in the terminal is for the application
            limit=1 << 20,
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                worker.greeting = await worker.receive()
        except BaseException:
            await worker.stop()
            raise
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory(self) -> int:
        """Bytes that the process has in memory; 0 if it is gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    async def send(self, message: Message) -> None:
        await self.send_bytes(pipe_messages.encode(message))

    async def send_bytes(self, data: bytes) -> None:
        """Send, or do nothing if the worker is gone: what it said before that can still be received."""
        with contextlib.suppress(ConnectionError):
            self._requests.write(data)
            await self._requests.drain()

    async def receive(self) -> Message:
        """The next message. Raises `WorkerDiedError`."""
        message = await pipe_messages.receive(self._answers)
        if message is None:
            await self.stop()
            raise WorkerDiedError(max(0, -(self._process.returncode or 0)))
        return message

    async def stop(self) -> None:
        """End the process at once."""
        child_process.kill(self._process)
        await asyncio.shield(self._process.wait())
        self._requests.close()
