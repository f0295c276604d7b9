"""The code interpreter: a session per thread, in the strongest sandbox of the machine."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from importlib import import_module
from pathlib import Path

from . import folder_tree, fonts
from .execution import UNCONFINED, Execution, Limits, Logs, Sandbox
from .launchers import CHOICES, Launcher, SandboxPaths, candidates
from .runtime import RuntimeFolder
from .sandbox import choose
from .session import KernelContext, OnOutput, Session
from .session_slots import Admission

_logger = logging.getLogger(__name__)


class CodeInterpreter:
    """Runs Python for threads, each with variables and a folder of its own.

    `data_dir` keeps the threads' folders, also when the program ends. `launcher` is `auto`, the name of a
    sandbox, `none`, or `unconfined`, which confines nothing and is for code that the user has read and
    approved. Raises ValueError for another. With `unconfined`, code also runs where no sandbox holds. To
    code that misses a module, `module_advice` says for some what to do. All methods belong to one event loop,
    in the main thread: kernels end with the thread that started them.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        limits: Limits | None = None,
        launcher: str = "auto",
        unconfined: bool = False,
        module_advice: Mapping[str, str] | None = None,
    ) -> None:
        if launcher not in CHOICES:
            raise ValueError(
                f"the code interpreter's launcher must be one of {', '.join(CHOICES)}, not {launcher!r}"
            )
        self._data_dir = data_dir
        self._limits = limits or Limits()
        self._choice = launcher
        self._unconfined = unconfined
        self._module_advice = module_advice or {}
        self._opening = asyncio.Lock()
        self._sandbox: Sandbox | None = None
        self._context: KernelContext | None = None
        self._sessions: dict[str, Session] = {}
        self._admission = Admission(self._limits, self._sessions.values)
        self._fonts: asyncio.Task[None] | None = None

    async def sandbox(self) -> Sandbox:
        """How code is confined here. The first time it is tried out, in about a tenth of a second."""
        async with self._opening:
            if self._sandbox is None:
                self._sandbox = await self._open()
            return self._sandbox

    async def prestart(self, thread_id: str, *, owner: str = "") -> None:
        """Start a thread's kernel ahead of its first call. Does nothing when that is not possible now."""
        session = await self._session(thread_id, owner)
        if session is not None and await self._admission.admit_now(session):
            await session.prestart()
            self._admission.changed()

    async def run(
        self,
        thread_id: str,
        code: str,
        files: Mapping[str, Path],
        on_output: OnOutput,
        *,
        owner: str = "",
    ) -> Execution:
        """Run code in a thread's session, calling `on_output` with logs and images as they come.

        `files` maps names in /mnt/data to files whose bytes are copied there before, unless they have been.
        Names are made safe, and different, as `safe_names` does. `owner`: whose thread it is; all owners have
        the same share of the sessions. A call that has to wait for a session says so. What goes wrong is told
        in the result; only what `on_output` raises is raised here, and ends the session. Cancelling stops the
        code as `interrupt` does, and returns when it has stopped.
        """
        session = await self._session(thread_id, owner)
        if session is None:
            sandbox = await self.sandbox()
            await on_output(Logs(f"[{sandbox.sentence} {sandbox.reason}]\n"))
            return Execution("error", sandbox.sentence)
        session.pending += 1
        try:
            await self._admission.admit(session, lambda reason: on_output(Logs(f"[{reason}]\n")))
            return await session.run(code, files, on_output)
        finally:
            session.pending -= 1
            session.stop_requested = session.stop_requested and session.pending > 0
            self._make_font_list()
            self._admission.changed()

    async def interrupt(self, thread_id: str) -> None:
        """Stop a thread's code within two seconds; its call ends as `killed`. Variables stay if possible."""
        if (session := self._sessions.get(thread_id)) is not None:
            await session.interrupt()
            self._admission.changed()

    async def close_thread(self, thread_id: str) -> None:
        """End a thread's session and delete its folder: for a thread that was deleted."""
        if (session := self._sessions.pop(thread_id, None)) is not None:
            await session.close()
            self._admission.changed()
        folder = self._folder(thread_id)
        if not await asyncio.to_thread(folder_tree.remove, folder):
            _logger.warning("the folder of a deleted thread could not be deleted: %s", folder)

    async def close(self) -> None:
        """End all sessions. The threads' folders stay, and nothing else; calls from now on are refused."""
        async with self._opening:
            context, self._context = self._context, None
            self._sandbox = Sandbox(False, "none", "Code interpreter is closed.")
        if self._fonts is not None:
            self._fonts.cancel()
            await asyncio.wait([self._fonts])
        sessions = list(self._sessions.values())
        self._sessions.clear()
        for session in sessions:
            session.stop_requested = True
        self._admission.changed()
        await asyncio.gather(*(session.close() for session in sessions))
        if context is not None:
            await asyncio.to_thread(context.runtime.remove)

    async def _open(self) -> Sandbox:
        if self._choice == "none":
            return Sandbox(False, "none", "Code interpreter is off.", "It is switched off in the settings.")
        try:
            runtime = await asyncio.to_thread(RuntimeFolder.create)
        except OSError as error:
            return _cannot_write(error)
        try:
            launcher, sandbox = await self._choose(runtime)
            if launcher is not None:
                self._context = await self._equip(launcher, runtime)
        except OSError as error:
            return _cannot_write(error)
        finally:
            if self._context is None:
                await asyncio.to_thread(runtime.remove)
        return sandbox

    async def _choose(self, runtime: RuntimeFolder) -> tuple[Launcher | None, Sandbox]:
        launchers = candidates(self._choice)
        if self._choice == UNCONFINED:
            return launchers[0], Sandbox(True, launchers[0].name, launchers[0].sentence)
        canary = self._data_dir / "canary"
        await asyncio.to_thread(_write_canary, canary)
        async with _trial(runtime) as paths:
            launcher, sandbox = await choose(launchers, paths, canary, self._limits)
        if launcher is None and self._unconfined:
            [bare] = candidates(UNCONFINED)
            return bare, Sandbox(True, bare.name, bare.sentence, sandbox.reason)
        return launcher, sandbox

    async def _equip(self, launcher: Launcher, runtime: RuntimeFolder) -> KernelContext:
        # these take a while to load, and only now they are needed
        await asyncio.to_thread(
            lambda: [import_module(name) for name in ("jupyter_client.session", "psutil")]
        )
        folder = fonts.folder(self._data_dir)
        return KernelContext(launcher, self._limits, runtime, folder, self._module_advice)

    def _make_font_list(self) -> None:
        """Start making the list after the first call, which is not slowed down by it then."""
        context = self._context
        if self._fonts is None and context is not None and context.fonts is not None:
            self._fonts = asyncio.create_task(_list_fonts(context, context.fonts))

    def _folder(self, thread_id: str) -> Path:
        # an ID is whatever its server made it, and a folder's name must not be
        return self._data_dir / "threads" / hashlib.sha256(thread_id.encode()).hexdigest()[:32]

    async def _session(self, thread_id: str, owner: str) -> Session | None:
        await self.sandbox()
        if self._context is None:
            return None
        if thread_id not in self._sessions:
            self._sessions[thread_id] = Session(self._folder(thread_id), self._context, owner)
        return self._sessions[thread_id]


async def _list_fonts(context: KernelContext, target: Path) -> None:
    if await asyncio.to_thread(target.exists):
        return
    with contextlib.suppress(OSError):  # a slower first chart is all that comes of it
        async with _trial(context.runtime) as paths:
            await fonts.make_list(context.launcher, paths, context.limits, target)


@contextlib.asynccontextmanager
async def _trial(runtime: RuntimeFolder) -> AsyncIterator[SandboxPaths]:
    """Folders for a process that is not a thread's."""

    def make() -> SandboxPaths:
        fresh = runtime.make()
        paths = SandboxPaths(fresh / "run", fresh / "data", fresh / "home")
        for folder in (paths.run, paths.data, paths.home):
            folder.mkdir(mode=0o700)
        return paths

    paths = await asyncio.to_thread(make)
    try:
        yield paths
    finally:
        await asyncio.to_thread(folder_tree.remove, paths.run.parent)


def _write_canary(canary: Path) -> None:
    """A file among the threads' folders, for the probe to try to get at."""
    canary.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    canary.touch(mode=0o600)
    canary.write_text("Code in the sandbox that can read this could read everything.\n", encoding="utf-8")


def _cannot_write(error: OSError) -> Sandbox:
    return Sandbox(False, "none", "Code interpreter is off: it cannot write to disk.", str(error))
