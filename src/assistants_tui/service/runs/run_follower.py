"""Following one run to its end: by its event stream while there is one, by asking for its state otherwise.

A stream can stop in the middle without a word: the network changes, the laptop sleeps, the server restarts.
So a stream is only believed as long as it goes on; when it ends before the run does, the run, its steps and
its messages are read again, and again until the run ends.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from assistants_tui.protocol.events import Event
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.runs.state import RunState, reduce
from assistants_tui.settings.config import RunSettings

_SLEPT = 10.0
"""Seconds by which the wall clock may run ahead before we take it that the machine was asleep."""
_LONGEST_WAIT = 15.0
"""Seconds between two attempts while the server cannot be reached."""
_CANCEL_WAIT = 10.0
"""Seconds that a cancelled run gets to stop."""


@dataclass(frozen=True)
class Clock:
    """The clocks that following uses, so that tests can move them."""

    monotonic: Callable[[], float] = time.monotonic
    """Seconds that stand still while the machine sleeps."""
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    look: float = 5.0
    """Seconds between two looks at the clocks while a stream is read."""


class RunCalls(Protocol):
    """What following needs of the server."""

    async def reread(self, state: RunState) -> RunState:
        """`state` brought up to date with GETs."""

    async def stop(self, state: RunState) -> None:
        """Ask for the run to be cancelled."""


class RunFollower:
    """One run being followed. Each new state goes to `publish`."""

    def __init__(
        self,
        state: RunState,
        publish: Callable[[RunState], None],
        calls: RunCalls,
        settings: RunSettings,
        clock: Clock,
    ) -> None:
        self.state = state
        self._publish = publish
        self._calls = calls
        self._settings = settings
        self._clock = clock
        self._deadline = clock.monotonic() + settings.timeout
        self._cut = False

    @property
    def settled(self) -> bool:
        """The run has ended, or waits for the user."""
        return self.state.finished or self.state.waits

    async def stream(self, events: AsyncIterator[Event]) -> None:
        """Take events until the run is settled or the stream is of no use any more. Raises nothing."""
        reader = asyncio.create_task(self._read(events))
        try:
            while not reader.done():
                wall, monotonic = self._clock.wall(), self._clock.monotonic()
                await asyncio.wait({reader}, timeout=self._clock.look)
                passed = self._clock.monotonic() - monotonic
                if self._clock.wall() - wall - passed > _SLEPT or self._late:
                    break
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def poll(self, first_delay: float = 0.0) -> None:
        """Ask for the state of the run, once at least, and until it is settled.

        Failures that may pass are waited out. Raises `ServiceError` for others, and when the run takes longer
        than the user allows: then it has been cancelled.
        """
        delay, failures = first_delay, 0
        while True:
            if self._late:
                await self._give_up()
                return
            if delay:
                await self._clock.sleep(delay)
            try:
                await self.update(await self._calls.reread(self.state))
            except ServiceError as error:
                if not error.retryable:
                    raise
                failures += 1
                await self.update(replace(self.state, trouble=error))
                delay = min(self._settings.poll_interval * 2**failures, _LONGEST_WAIT)
            else:
                delay, failures = self._settings.poll_interval, 0
                if self.settled:
                    return

    @property
    def _late(self) -> bool:
        return self._clock.monotonic() > self._deadline

    async def _read(self, events: AsyncIterator[Event]) -> None:
        with contextlib.suppress(ServiceError):  # a broken stream is not a broken run
            async for event in events:
                await self.update(reduce(self.state, event))
                if self.settled:
                    return

    async def update(self, state: RunState) -> None:
        """Take a newer state of the run."""
        self.state = state
        if state.run is not None:
            self._publish(state)
        if not self._cut and state.active and self._too_long(state):
            self._cut = True
            with contextlib.suppress(ServiceError):
                await self._calls.stop(state)

    def _too_long(self, state: RunState) -> bool:
        most = self._settings.max_response_chars
        if most < 0:
            return False
        return most < sum(
            len(text.get("value") or "")
            for message in state.messages.values()
            for part in message["content"]
            if isinstance(text := part.get("text"), dict)
        )

    async def _give_up(self) -> None:
        """Cancel the run and wait a moment for its end, so that the thread is free again."""
        with contextlib.suppress(ServiceError):
            await self._calls.stop(self.state)
        until = self._clock.monotonic() + _CANCEL_WAIT
        while not self.state.finished and self._clock.monotonic() <= until:
            with contextlib.suppress(ServiceError):
                await self.update(await self._calls.reread(self.state))
            if not self.state.finished:
                await self._clock.sleep(min(self._settings.poll_interval, 1.0))
        if self.state.status != "completed":
            raise ServiceError(
                f"The run took longer than {self._settings.timeout:g} s and was cancelled.",
                "What it had written so far stays. Set `timeout` in config.toml to wait longer.",
                kind="timeout",
            )


async def conflate(drive: Callable[[Callable[[RunState], None]], Awaitable[None]]) -> AsyncIterator[RunState]:
    """The states that `drive` publishes. A slow reader misses some in between, never the last one.

    What `drive` raises is raised here after its last state. Leaving the iteration stops `drive`.
    """
    newest: RunState | None = None
    changed = asyncio.Event()

    def publish(state: RunState) -> None:
        nonlocal newest
        newest = state
        changed.set()

    async def run() -> None:
        await drive(publish)

    task = asyncio.create_task(run())
    task.add_done_callback(lambda _: changed.set())
    try:
        while True:
            await changed.wait()
            changed.clear()
            if newest is not None:
                state, newest = newest, None
                yield state
            if newest is None and task.done():
                break
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
