"""The user's Python functions: a folder of files whose functions assistants may call.

The folder is only read, with `ast`. A function runs after the user agreed, in a process of its own: what it
breaks, it breaks there.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from assistants_tui.protocol import bounded_json
from assistants_tui.service.functions import environment
from assistants_tui.service.functions.imported_files import Folder, fingerprint
from assistants_tui.service.functions.registry import (
    CallFailedError,
    Catalogue,
    Function,
    FunctionChangedError,
)
from assistants_tui.service.functions.source import SourceError, functions_in
from assistants_tui.settings.config import FunctionSettings

_PROCESS = Path(__file__).with_name("process.py")
_MAX_SOURCE = 1_000_000
_MAX_ANSWER = 4_000_000
_MAX_PRINTED = 20_000
"""Bytes of what a function printed that are kept for the user."""
_LAST_WORDS = 1.0
"""Seconds to wait for what was printed when the process has ended: a program that it left behind may hold the
pipe."""


class PythonFunctions:
    """The functions of a folder. What is in it is looked at anew each time."""

    def __init__(self, folder: Path, settings: FunctionSettings) -> None:
        self._folder = folder
        self._settings = settings

    async def catalogue(self) -> Catalogue:
        """All functions at the top level of the folder's files, but those whose name begins with `_`."""
        return await asyncio.to_thread(_read_folder, self._folder)

    async def find(self, name: str) -> Function | None:
        """The function of this name as its file has it now."""
        return (await self.catalogue()).functions.get(name)

    async def call(self, function: Function, arguments: Mapping[str, Any]) -> str:
        """Run a function. Its result, as text. Raises `CallFailedError`, which says why in a sentence."""
        path = self._folder / function.place
        source, imported = await asyncio.to_thread(_with_imported, path)
        if fingerprint(source, imported) != function.fingerprint:
            raise FunctionChangedError("The file of the function was changed just now. Try again.")
        order = {
            "source": source,
            "file": str(path),
            "imported": imported,
            "name": function.definition["name"],
            "arguments": arguments,
        }
        answer, printed = await self._run(json.dumps(order).encode())
        try:
            found: Any = bounded_json.parse(answer)
        except ValueError:
            raise CallFailedError("The function ended without an answer.", printed) from None
        if "output" in found:
            return str(found["output"])
        raise CallFailedError(f"The function failed with {found.get('error')}", printed)

    async def _run(self, order: bytes) -> tuple[bytes, str]:
        """What the process answered, and what it printed."""
        python = _expanded(self._settings.python or sys.executable)
        try:
            process = await asyncio.create_subprocess_exec(
                python,
                str(_PROCESS),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._folder,
                env=environment.minimal() | environment.named(self._settings.env),
                start_new_session=True,
            )
        except OSError as error:
            raise CallFailedError(f"{python} cannot be started: {error.strerror}.") from error
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        printed = asyncio.create_task(_read(process.stderr, _MAX_PRINTED))
        try:
            async with asyncio.timeout(self._settings.timeout):
                with contextlib.suppress(ConnectionError):
                    process.stdin.write(order)
                    await process.stdin.drain()
                    process.stdin.close()
                answer = await _read(process.stdout, _MAX_ANSWER, until=b"\n")
        except TimeoutError:
            raise CallFailedError(
                f"The function was stopped: it took longer than {self._settings.timeout:g} seconds."
            ) from None
        finally:
            _end(process)
            await process.wait()
            words = await _within(printed, _LAST_WORDS)
        return answer, words.decode(errors="replace")


def _end(process: asyncio.subprocess.Process) -> None:
    """End what is left of a process and of those that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()


async def _read(stream: asyncio.StreamReader, most: int, until: bytes = b"") -> bytes:
    """A stream to its end or to the piece that has `until` in it. `most` bytes of it are kept."""
    kept = bytearray()
    while piece := await stream.read(1 << 16):
        kept += piece[: max(0, most - len(kept))]
        if until and until in piece:
            break
    return bytes(kept)


async def _within(task: asyncio.Task[bytes], seconds: float) -> bytes:
    await asyncio.wait({task}, timeout=seconds)
    if task.done():
        return task.result()
    task.cancel()
    return b""


def _expanded(program: str) -> str:
    """A program with the user's home for `~`; a bare name stays one, to be looked up."""
    return str(Path(program).expanduser()) if "/" in program else program


def _read_folder(folder: Path) -> Catalogue:
    functions: dict[str, Function] = {}
    problems: list[str] = []
    report: Callable[[str], None] = problems.append
    if not folder.is_dir():
        return Catalogue()
    try:
        paths = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
        inside = Folder(folder)
    except OSError as error:
        return Catalogue({}, (f"{folder} cannot be read: {error.strerror}.",))
    for path in paths:
        source = _source(path)
        if source is None:
            report(f"{path.name} cannot be read: it is no file of UTF-8 text below 1 MB.")
            continue
        try:
            found = functions_in(source)
            identity = fingerprint(source, inside.imported(path, source))
        except SourceError as error:
            report(f"{path.name}: {error}")
            continue
        for one in found:
            name = one.definition["name"]
            if name in functions:
                report(f"{path.name}: {name} is also in {functions[name].place}, which counts.")
            else:
                functions[name] = Function(one.definition, path.name, identity, one.notes)
    return Catalogue(functions, tuple(problems))


def _source(path: Path) -> str | None:
    try:
        data = path.read_bytes() if path.is_file() and path.stat().st_size <= _MAX_SOURCE else None
        return None if data is None else data.decode()
    except (OSError, UnicodeDecodeError):
        return None


def _with_imported(path: Path) -> tuple[str, dict[str, str]]:
    """The source of a file, and what it can import. Raises `CallFailedError`."""
    source = _source(path)
    if source is None:
        raise CallFailedError("The file of the function cannot be read any more.")
    try:
        return source, Folder(path.parent).imported(path, source)
    except (OSError, SourceError) as error:
        raise CallFailedError(f"{path.name}: {error}") from error
