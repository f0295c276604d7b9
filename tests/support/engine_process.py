"""Engines in processes of their own, to be killed.

The nursery is one process that has everything imported and forks an engine whenever it is asked to: a fresh
interpreter takes ten times as long.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path


class EngineProcess:
    """A running engine."""

    def __init__(self, pid: int, url: str) -> None:
        self.url = url
        self.pid = pid

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """Starts engines on a data directory."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asking = asyncio.Lock()

    async def start(self, data_dir: Path, model_url: str | None, port: int = 0) -> EngineProcess:
        """A new engine, which answers requests. `port`: 0 for any that is free.

        Raises `RuntimeError` with what the engine has printed if it ends before it answers.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        async with self._asking:
            self._process.stdin.write(json.dumps([str(data_dir), model_url, port]).encode() + b"\n")
            answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"The nursery has ended ({await self._process.wait()}); see what it printed.")
        if "printed" in (told := json.loads(answer)):
            raise RuntimeError(f"The engine ended before it answered. It printed:\n{told['printed']}")
        return EngineProcess(told["pid"], f"http://127.0.0.1:{told['port']}")


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """A nursery. Its engines end with it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Nursery(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _serve(data_dir: str, model_url: str | None, port: int, tell: Callable[[int], None]) -> None:
    """Run an engine; `tell` it the port once it answers."""
    import uvicorn

    from assistants_tui.engine.app import EngineSettings, ModelProvider, create_app

    # asyncio sends small pieces at once only on sockets that say they are TCP.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the port of an engine that was killed
    listener.bind(("127.0.0.1", port))
    settings = EngineSettings(Path(data_dir), providers=[ModelProvider(model_url)] if model_url else [])
    server = uvicorn.Server(uvicorn.Config(create_app(settings), lifespan="on", log_level="error"))

    async def serve() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.002)
        if server.started:
            tell(listener.getsockname()[1])
        await serving

    asyncio.run(serve())


def _bear(request: str) -> bytes:
    """Fork an engine. A line of JSON: its process and port, or what it has printed if it ended first."""
    answer, told = os.pipe()
    with tempfile.TemporaryFile() as printed:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            errors = os.dup(2)
            os.dup2(printed.fileno(), 2)

            def tell(port: int) -> None:
                os.dup2(errors, 2)
                os.write(told, json.dumps({"pid": os.getpid(), "port": port}).encode())
                os.close(told)

            try:
                data_dir, model_url, port = json.loads(request)
                _serve(data_dir, model_url, port, tell)
            except BaseException:  # noqa: BLE001 - nothing may get out: this is a copy of the nursery
                traceback.print_exc()
            finally:
                os._exit(0)
        os.close(told)
        with os.fdopen(answer, "rb") as pipe:
            line = pipe.read()  # ends when the engine has told, or is dead
        if not line:
            printed.seek(0)
            line = json.dumps({"printed": printed.read().decode("utf-8", "replace")}).encode()
    return line + b"\n"


def _main() -> None:
    # All that an engine imports when it starts, so that its copies need not.
    import aiosqlite  # noqa: F401
    import sqlalchemy.dialects.sqlite.aiosqlite  # noqa: F401
    import uvicorn.lifespan.on
    import uvicorn.loops.auto
    import uvicorn.protocols.http.auto
    import uvicorn.protocols.websockets.auto  # noqa: F401

    import assistants_tui.engine.app  # noqa: F401
    from assistants_tui.engine.models.endpoint import EndpointModel

    EndpointModel("http://127.0.0.1:9/v1")

    answers = os.dup(1)
    os.dup2(2, 1)  # what an engine prints is not an answer
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        os.write(answers, _bear(line))


if __name__ == "__main__":
    _main()
