"""Runs a run's code: hands it the thread's files, tells its output, keeps the files it makes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from assistants_tui.engine.code_interpreter.execution import (
    CreatedFile,
    Execution,
    Image,
    Logs,
    Output,
    Sandbox,
)
from assistants_tui.engine.runs.artifacts import RunArtifacts
from assistants_tui.engine.runs.cancellation import CancelToken
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.runs.tool_calls_writer import ToolCallsWriter
from assistants_tui.engine.store import files
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Json


class CodeRunner:
    """The code interpreter as one run uses it."""

    def __init__(self, services: RunServices, owner: str, thread_id: str) -> None:
        self.artifacts = RunArtifacts()
        self.files: dict[str, Path] = {}
        """What the code may read, by name."""
        self._services = services
        self._owner = owner
        self._thread_id = thread_id
        self._prestart: asyncio.Task[None] | None = None

    def prestart(self) -> None:
        """Code is coming: have its kernel start meanwhile."""
        if self._prestart is None:
            self._prestart = asyncio.create_task(
                self._services.interpreter.prestart(self._thread_id, owner=self._owner)
            )

    async def release_prestart(self) -> None:
        """The run is over: wait for what `prestart` began."""
        if self._prestart is not None:
            await asyncio.gather(self._prestart, return_exceptions=True)

    async def sandbox(self) -> Sandbox | None:
        """What will confine the code. None if nothing does: then it may yet be refused, and never run."""
        sandbox = await self._services.interpreter.sandbox()
        return sandbox if sandbox.confines else None

    async def needs_approval(self) -> bool:
        """Whether nothing confines code here, so that the user has to agree to each block of it."""
        return self._services.ask_about_code and not (await self._services.interpreter.sandbox()).confines

    async def why_unconfined(self) -> str:
        """Why that is so, and what would help."""
        return (await self._services.interpreter.sandbox()).reason

    async def run(
        self, calls: ToolCallsWriter, index: int, cancel_token: CancelToken, decision: Json
    ) -> None:
        """Run the code of one call and tell what it gives. Its failures are output. Raises `Interrupted`.

        `decision` is what the user said about the code, if anything: see `RunManager.decide`.
        """
        if decision.get("decision") == "reject":
            calls.add_logs(index, f"[{_rejected(decision.get('reason') or '')}]\n")
            return
        if (edited := decision.get("code")) is not None:
            calls.replace_code(index, edited)
            calls.add_logs(index, "[The user has edited this code before running it.]\n")
        code = calls.items[index]["code_interpreter"]["input"]
        sandbox = await self._services.interpreter.sandbox()
        calls.confined_by(sandbox)
        execution: Execution | None = None

        async def produce(emit: Callable[[Output | Execution], None]) -> None:
            async def on_output(output: Output) -> None:
                emit(output)

            interpreter = self._services.interpreter
            running = asyncio.create_task(
                interpreter.run(self._thread_id, code, self.files, on_output, owner=self._owner)
            )
            try:
                emit(await asyncio.shield(running))
            except asyncio.CancelledError:
                # Interrupted code leaves its variables to the next run of the thread; killed code does not.
                await interpreter.interrupt(self._thread_id)
                await asyncio.gather(running, return_exceptions=True)
                raise

        async with aclosing(cancel_token.items(produce)) as outputs:
            async for output in outputs:
                match output:
                    case Logs(text):
                        calls.add_logs(index, text)
                    case Image():
                        await self._show(calls, index, output.name, output.data)
                    case Execution():
                        execution = output
        if execution is not None:
            await self._keep(execution.files)

    async def _show(self, calls: ToolCallsWriter, index: int, name: str, data: bytes) -> None:
        async def once() -> AsyncIterator[bytes]:
            yield data

        file_id = await self._store(name, once())
        self.artifacts.add_image(file_id)
        calls.add_image(index, file_id)

    async def _keep(self, created: Sequence[CreatedFile]) -> None:
        for file in created:
            file_id = await self._store(file.name, _read(file.path))
            self.artifacts.add_file(file.name, file_id)
            await asyncio.to_thread(file.path.unlink, missing_ok=True)

    async def _store(self, name: str, data: AsyncIterator[bytes]) -> str:
        blob, size = await self._services.blobs.store(data, limits.MAX_FILE_BYTES)
        values = {
            "bytes": size,
            "filename": name.rpartition("/")[2],
            "purpose": "assistants_output",
            "blob": blob,
        }
        async with self._services.database.write() as connection:
            file = await files.create(connection, self._owner, self._services.now(), values)
        return file["id"]


def _rejected(reason: str) -> str:
    said = f' Their reason: "{reason}"' if reason else ""
    return f"The user did not let this code run.{said}"


async def _read(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, 1 << 20):
            yield chunk
    finally:
        file.close()
