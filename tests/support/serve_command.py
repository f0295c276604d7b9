"""`assistants-tui serve` in a process of its own, as an administrator starts it."""

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from support.terminal import COMMAND

FEW_FILES = 256  # open at once: the limit that macOS begins with


class ServeCommand:
    """A running server."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.url = url
        """Such as `http://127.0.0.1:40001`, without the `/v1`; for a socket `unix:///path`."""
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def complaint(self) -> str:
        """The next line that it writes to standard error."""
        assert self._process.stderr is not None
        return (await self._process.stderr.readline()).decode()

    async def ended(self) -> None:
        """Wait for its end."""
        await self._process.communicate()

    async def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C and wait for its end: exit code, and what it wrote to standard error."""
        self._process.send_signal(signal.SIGINT)
        _, errors = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, errors.decode()


@asynccontextmanager
async def serve_command(data_dir: Path, *arguments: str) -> AsyncIterator[ServeCommand]:
    """The server once it answers. It ends with the block, if not before."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *("serve", *(() if "--socket" in arguments else ("--port", "0"))),
        *("--data-dir", str(data_dir), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
        preexec_fn=_as_from_a_shell,
    )
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert line.startswith("Serving the Assistants API at "), line
        yield ServeCommand(process, line.split()[-1].removesuffix("/v1"))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _as_from_a_shell() -> None:
    """With few files, and with Ctrl-C: what runs in the background of a script hands it on as ignored."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    signal.signal(signal.SIGINT, signal.SIG_DFL)
