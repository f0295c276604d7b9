"""A process in the sandbox: started, listened to, frozen, ended; together with all that it starts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assistants_tui.engine import child_process

from .execution import Limits
from .folder_owner import change_owner
from .launchers import Launcher, SandboxPaths

if TYPE_CHECKING:
    import psutil

_KEPT_OUTPUT = 64 * 1024
_FREEZE_ROUNDS = 50


class ProcessEndedError(Exception):
    """The process ended before it did what was awaited; the text is the end of what it wrote."""


class SandboxProcess:
    """Started by `start` only."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._written = bytearray()
        self._news = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())
        self._frozen: list[psutil.Process] = []

    @classmethod
    async def start(
        cls, launcher: Launcher, paths: SandboxPaths, limits: Limits, order: Mapping[str, Any]
    ) -> SandboxProcess:
        """Start a process that carries out an order for `guest.boot`, and dies with this one.

        Must be awaited in the thread whose end may be taken for the end of the application: the kernel sends
        the death signal when the starting *thread* ends (prctl(2), PR_SET_PDEATHSIG). Raises OSError and
        LauncherError.
        """
        await asyncio.to_thread(change_owner, paths, launcher.user)
        command = launcher.command(paths, limits, order)
        try:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                env=command.environment,
                stdin=asyncio.subprocess.DEVNULL,
                # a pipe, not a file: code could fill a file without end
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=command.descriptors,
                start_new_session=True,
                cwd="/",
            )
        finally:
            for descriptor in command.descriptors:
                os.close(descriptor)
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._process.returncode

    @property
    def written(self) -> str:
        """The last of what it wrote to stdout and stderr."""
        return self._written.decode("utf-8", "replace")

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(_KEPT_OUTPUT):
            self._written += data
            del self._written[:-_KEPT_OUTPUT]
            async with self._news:
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def wait_for(self, token: str) -> None:
        """Wait until it has written a token. Raises ProcessEndedError."""
        async with self._news:
            await self._news.wait_for(lambda: token in self.written or self._listening.done())
        if token not in self.written:
            raise ProcessEndedError(self.written.strip()[-1000:])

    async def wait(self) -> None:
        """Wait until it and everything that it started and that shares its output have ended."""
        await self._process.wait()
        await asyncio.wait([self._listening])  # not awaited itself, or cancelling us would cancel it

    def kill(self) -> None:
        """End it and everything it started, at once."""
        import psutil

        tree = self.tree()
        child_process.kill(self._process)
        for process in tree:
            with contextlib.suppress(psutil.Error):
                process.kill()

    def tree(self) -> list[psutil.Process]:
        """It and its descendants that are alive now."""
        if self.exit_code is not None:
            return []
        import psutil

        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self.pid)
            return [root, *root.children(recursive=True)]
        return []

    def freeze(self) -> None:
        """Stop it and its descendants where they are, so that nothing goes on between two calls."""
        import psutil

        stopped: dict[int, psutil.Process] = {}
        for _ in range(_FREEZE_ROUNDS):  # until no process is new: one may have forked in the meantime
            new = [process for process in self.tree() if process.pid not in stopped]
            if not new:
                break
            for process in new:
                stopped[process.pid] = process
                with contextlib.suppress(psutil.Error):
                    process.suspend()
        self._frozen = list(stopped.values())

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        import psutil

        frozen, self._frozen = self._frozen, []
        for process in frozen:
            with contextlib.suppress(psutil.Error):
                process.resume()


def describe_exit(code: int) -> str:
    """How a process ended, in words. bwrap reports a signal of its child as 128 + n."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number:
        with contextlib.suppress(ValueError):
            return f"it was ended by {signal.Signals(number).name}"
    return f"exit code {code}"
