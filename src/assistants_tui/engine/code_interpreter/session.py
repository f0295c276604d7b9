"""One thread's session: its folder, its kernel, its calls one after another."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from . import folder_tree, watchdog
from .execution import DATA, Execution, Limits, Logs, Output
from .folder import ThreadFolder
from .kernel import Kernel, KernelError, Message
from .launchers import Launcher, SandboxPaths
from .outputs import OutputReader
from .process import SandboxProcess
from .runtime import RuntimeFolder
from .watchdog import Watchdog

OnOutput = Callable[[Output], Awaitable[None]]

_LOST = f"Variables are lost; the files in {DATA} are kept."
_ON_REQUEST = "The code was stopped on request."
_REQUEST_GRACE = 1.5  # seconds, so that code is gone two seconds after it was told to stop
_KEEP_SECONDS = 0.1  # between two looks at whether the kernel is used
_SETTLE_SECONDS = 1.0
_LATE_SECONDS = 1.0  # of the event loop, before code is stopped without it

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KernelContext:
    """What all sessions share. `fonts` holds matplotlib's list of fonts, once there is one.

    `module_advice` is what to do about modules that code may miss.
    """

    launcher: Launcher
    limits: Limits
    runtime: RuntimeFolder
    fonts: Path | None
    module_advice: Mapping[str, str]


class _Live:
    """A running kernel with its folders, what limits it, and what freezes and ends it when it is not used."""

    def __init__(self, kernel: Kernel, paths: SandboxPaths, watchdog: Watchdog) -> None:
        self.kernel = kernel
        self.paths = paths
        self.watchdog = watchdog
        self.awake = asyncio.Event()
        self.quiet_since: float | None = None  # when the last call was over; None while one is at work
        self.keeper: asyncio.Task[None] | None = None


class Session:
    """Calls wait for each other; `interrupt` and `kill` do not."""

    def __init__(self, folder: Path, context: KernelContext, owner: str = "") -> None:
        self.owner = owner
        self.last_used = 0.0
        self.pending = 0
        """Calls that run or wait."""
        self.stop_requested = False
        """Whether these calls are to end."""
        self.admitted = False
        """Whether it counts among the sessions that may be alive at once."""
        self._prestarting = False
        self._context = context
        self._folder = ThreadFolder(folder, context.limits)
        self._lock = asyncio.Lock()
        self._live: _Live | None = None
        self._used = False  # whether code has run in the present kernel
        self._why_restarted: str | None = None
        self._notes: list[str] = []  # for the next moment at which somebody reads
        self._stopped_by: Literal["time", "request"] | None = None

    @property
    def busy(self) -> bool:
        return self._lock.locked()

    @property
    def idle(self) -> bool:
        """Whether no call needs its kernel, though it may just be being frozen."""
        return self.pending == 0 and not self._prestarting

    async def prestart(self) -> None:
        """Have a kernel ready. A failure shows at the call."""
        self._prestarting = True
        try:
            async with self._lock:
                with contextlib.suppress(KernelError, OSError):
                    await self._ensure_kernel()
                self.last_used = time.monotonic()
        finally:
            self._prestarting = False

    async def run(self, code: str, wanted: Mapping[str, Path], on_output: OnOutput) -> Execution:
        async with self._lock:
            if self.stop_requested:
                return await _refused(_ON_REQUEST, on_output, "killed")
            self._stopped_by = None
            try:
                return await self._run(code, wanted, on_output)
            finally:
                self.last_used = time.monotonic()

    async def _run(self, code: str, wanted: Mapping[str, Path], on_output: OnOutput) -> Execution:
        try:
            live = await self._ensure_kernel()
            notes = []
            if (
                wanted or not self._folder.tidy
            ):  # a thread for nothing costs a short call more than the sandbox
                notes = await asyncio.to_thread(self._folder.bring, wanted)
        except (KernelError, OSError) as error:
            return await _refused(str(error), on_output)
        if self._why_restarted is not None:
            notes.insert(0, f"[{self._why_restarted} {_LOST}]")
            self._why_restarted = None
        await self._tell(notes, on_output)
        if self.stop_requested:
            return await _refused(_ON_REQUEST, on_output, "killed")
        execution = await self._execute(live, code, on_output)
        if not live.kernel.alive:
            await self._end_kernel()
        created, notes_after = await asyncio.to_thread(self._folder.collect)
        await self._tell(notes_after, on_output)
        return Execution(execution.status, execution.error, created)

    async def _tell(self, notes: Sequence[str], on_output: OnOutput) -> None:
        notes = [*self._notes, *notes]
        self._notes.clear()
        for note in notes:
            await on_output(Logs(f"{note}\n"))

    async def _execute(self, live: _Live, code: str, on_output: OnOutput) -> Execution:
        limits = self._context.limits
        inside = self._context.launcher.data_inside(live.paths)
        reader = OutputReader(limits, inside, self._context.module_advice)
        self._used = True
        live.watchdog.resume()
        live.kernel.process.thaw()
        live.awake.set()
        timer = asyncio.create_task(self._limit_time(live.kernel))
        last_resort = self._limit_time_without_loop(live.kernel)
        sentence = None
        try:
            await self._until_idle(live.kernel, code, reader, on_output)
            if self._stopped_by == "time":
                sentence = f"{_out_of_time(limits)} Variables are kept."
            elif self._stopped_by == "request":
                sentence = f"{_ON_REQUEST} Variables are kept."
        except KernelError as error:
            self._used = False  # the sentence says it, so that the next call need not
            sentence = f"{error} {_LOST}"
        finally:
            timer.cancel()
            last_resort.cancel()
        for output in reader.rest():
            await on_output(output)
        if sentence is not None:
            await on_output(Logs(f"[{sentence}]\n"))
            return Execution("timeout" if self._stopped_by == "time" else "killed", sentence)
        return Execution("error" if reader.error is not None else "ok", reader.error)

    async def _until_idle(self, kernel: Kernel, code: str, reader: OutputReader, on_output: OnOutput) -> None:
        """Run code to its end. When we are cancelled, the code is interrupted, so that variables are kept."""
        cancelled = False

        async def on_message(message: Message) -> None:
            outputs = reader.read(message.kind, message.content)
            for output in await asyncio.to_thread(list, outputs) if message.large else outputs:
                if not cancelled:
                    await on_output(output)

        running = asyncio.create_task(kernel.execute(code, on_message))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            cancelled = True
            await kernel.interrupt("The call was cancelled.", _REQUEST_GRACE)
            if kernel.alive:
                await asyncio.wait([running])
            raise
        except KernelError:
            raise
        except Exception:
            kernel.kill("The call failed.")
            raise
        finally:
            if not running.done():
                kernel.kill("The call was cancelled.")
                running.cancel()
                await asyncio.wait([running])

    async def _limit_time(self, kernel: Kernel) -> None:
        limits = self._context.limits
        await asyncio.sleep(limits.seconds)
        self._stopped_by = self._stopped_by or "time"
        await kernel.interrupt(_out_of_time(limits), limits.grace_seconds)

    def _limit_time_without_loop(self, kernel: Kernel) -> threading.Timer:
        """End code that goes on after its time limit although the event loop has no time to stop it."""

        def kill() -> None:
            self._stopped_by = self._stopped_by or "time"
            kernel.kill(_out_of_time(limits))

        limits = self._context.limits
        timer = threading.Timer(limits.seconds + limits.grace_seconds + _LATE_SECONDS, kill)
        timer.daemon = True
        timer.start()
        return timer

    async def interrupt(self) -> None:
        """Stop the running code, and calls that have not come to running theirs."""
        self.stop_requested = self.pending > 0
        if self._live is not None:
            self._stopped_by = self._stopped_by or "request"
            await self._live.kernel.interrupt(_ON_REQUEST, _REQUEST_GRACE)

    async def rest(self) -> None:
        """End the kernel when no call needs it."""
        async with self._lock:
            await self._end_kernel()

    async def close(self) -> None:
        """End the kernel, even while code runs in it."""
        self.stop_requested = True
        if self._live is not None:
            self._live.kernel.kill("The code interpreter was closed.")
        await self.rest()
        self.admitted = False

    # the kernel

    async def _ensure_kernel(self) -> _Live:
        if self._live is not None and not self._live.kernel.alive:
            await self._end_kernel()
        if self._live is None:
            paths = await asyncio.to_thread(self._prepare)
            try:
                kernel = await Kernel.start(self._context.launcher, paths, self._context.limits)
            except BaseException:
                await asyncio.to_thread(folder_tree.remove, paths.run.parent)
                raise
            context = self._context
            look = partial(_violation, kernel.process, paths, context.launcher, context.limits)
            self._live = _Live(kernel, paths, Watchdog(look, kernel.kill))
            self._live.keeper = asyncio.create_task(self._keep(self._live))
        return self._live

    async def _end_kernel(self) -> None:
        live, self._live = self._live, None
        if live is None:
            return
        if self._used:
            self._why_restarted = live.kernel.exit_reason or "The session was restarted."
            self._used = False
        live.watchdog.stop()
        if live.keeper is not None and live.keeper is not asyncio.current_task():
            live.keeper.cancel()
        await live.kernel.close()
        if note := await asyncio.to_thread(self._folder.undo_flood):
            self._notes.append(note)
        if not await asyncio.to_thread(folder_tree.remove, live.paths.run.parent):
            _logger.warning("temporary files of code could not be deleted: %s", live.paths.run.parent)

    async def _keep(self, live: _Live) -> None:
        """Freeze the kernel between calls, and end it when it is not used for long."""
        while live.kernel.alive:
            await asyncio.sleep(_KEEP_SECONDS)
            if self.busy:
                live.quiet_since = None
            elif live.quiet_since is None:
                live.quiet_since = time.monotonic()
            else:
                await self._rest_if_quiet(live, time.monotonic() - live.quiet_since)
        live.watchdog.stop()  # it has ended by itself, and may not be asked for again

    async def _rest_if_quiet(self, live: _Live, quiet: float) -> None:
        """Freeze the kernel until the next call, or end it, if it has been `quiet` for long enough."""
        limits, process = self._context.limits, live.kernel.process
        if quiet < min(_SETTLE_SECONDS, limits.idle_seconds):
            return
        live.awake.clear()
        async with self._lock:
            await asyncio.to_thread(process.freeze)
            live.watchdog.pause()
        try:
            async with asyncio.timeout(limits.idle_seconds - quiet):
                await live.awake.wait()
        except TimeoutError:
            async with self._lock:
                if not live.awake.is_set():
                    await self._end_kernel()
                    self.admitted = self.pending > 0
        live.quiet_since = None

    def _prepare(self) -> SandboxPaths:
        if self._folder.open():
            self._why_restarted = "The session was restarted."
        fresh = self._context.runtime.make()
        paths = SandboxPaths(fresh / "run", self._folder.data, fresh / "home", self._context.fonts)
        paths.run.mkdir(mode=0o700)
        paths.home.mkdir(mode=0o700)
        return paths


def _out_of_time(limits: Limits) -> str:
    return f"The code was stopped: it ran for more than {limits.seconds:g} s."


def _violation(
    process: SandboxProcess, paths: SandboxPaths, launcher: Launcher, limits: Limits
) -> str | None:
    writable = [launcher.data_inside(paths), launcher.run_inside(paths), str(paths.home)]
    return watchdog.violation(process.tree(), paths.data, [paths.run, paths.home], writable, limits)


async def _refused(
    sentence: str, on_output: OnOutput, status: Literal["error", "killed"] = "error"
) -> Execution:
    await on_output(Logs(f"[{sentence}]\n"))
    return Execution(status, sentence)
