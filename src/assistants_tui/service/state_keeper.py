"""What is to be kept beyond the end of the app, written off the event loop and in order."""

import asyncio
from collections.abc import Callable
from functools import reduce
from pathlib import Path

from assistants_tui.settings.state import AppState, update_state

StateChange = Callable[[AppState], AppState]


class StateKeeper:
    """Writes one thing after the other. What fails does not hold up what comes after it."""

    def __init__(self, state_file: Path, on_error: Callable[[Exception], None]) -> None:
        """`on_error` gets what a write raised, on the event loop."""
        self._state_file = state_file
        self._on_error = on_error
        self._changes: list[StateChange] = []
        self._writes: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def remember(self, change: StateChange) -> None:
        """Make a change of the app's state for the next start."""
        self._changes.append(change)
        self._start()

    def keep(self, write: Callable[[], None]) -> None:
        """Do something that blocks on the disk and must not be lost."""
        self._writes.append(write)
        self._start()

    async def settled(self) -> None:
        """Wait until everything is on the disk."""
        while self._task is not None and not self._task.done():
            await asyncio.shield(self._task)  # a caller that is cancelled while waiting must not end it

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        while self._changes or self._writes:
            changes, self._changes = self._changes, []

            def apply(state: AppState, changes: list[StateChange] = changes) -> AppState:
                return reduce(lambda kept, change: change(kept), changes, state)

            try:
                if changes:
                    await asyncio.to_thread(update_state, self._state_file, apply)
                while self._writes:
                    await asyncio.to_thread(self._writes.pop(0))
            except Exception as error:  # noqa: BLE001 - reported; what comes after it is kept
                self._on_error(error)
