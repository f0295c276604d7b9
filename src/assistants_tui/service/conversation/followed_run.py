"""The run of a thread that is followed until it has ended or waits for the user."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import CodeDecision, ToolOutput
from assistants_tui.service.conversation.context import ThreadContext
from assistants_tui.service.conversation.pages import RunPages
from assistants_tui.service.errors import ServiceError, unexpected
from assistants_tui.service.runs.state import RunState

if TYPE_CHECKING:
    from assistants_tui.service.client.runs import Runs


class FollowedRun:
    """Follows the active run, one at a time, and gives it what it waits for."""

    def __init__(self, context: ThreadContext, runs: RunPages, refresh: Callable[[], None]) -> None:
        """`refresh` reads what others may have changed in the thread."""
        self._context = context
        self._runs = runs
        self._refresh = refresh
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.thread_free = asyncio.Event()
        """Set while the thread takes messages, as far as the followed runs tell."""
        self.thread_free.set()

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The task that follows a run, while one is followed."""
        return self._task if self._task is not None and not self._task.done() else None

    def close(self) -> None:
        """Follow no other run. The one that is followed goes on until `task` is cancelled."""
        self._closed = True

    def start(self, states: AsyncIterator[RunState], *, answered: str | None = None) -> None:
        """Follow a run through its states.

        `answered`: the assistant of a run that waited and gets its answer with the first state.
        """
        if self._closed:
            return
        self.thread_free.clear()
        self._task = asyncio.create_task(self._follow(states, answered))

    async def resume(self, run_id: str, *, ours: bool = True) -> None:
        """Follow a run that is already there. `ours`: it counts for the token budget of this window."""
        try:
            backend = await self._context.backend()
        except ServiceError as error:
            self._context.fail(error)
        else:
            assert self._context.thread_id is not None  # a run is known
            self.start(backend.runs.follow(self._context.thread_id, run_id, ours=ours))

    async def submit(self, outputs: Sequence[ToolOutput]) -> None:
        """Answer the function calls that the active run waits for, and follow it on."""
        await self._answer(lambda runs, thread_id, run_id: runs.submit_outputs(thread_id, run_id, outputs))

    async def decide_on_code(self, decision: CodeDecision) -> None:
        """Say what is to become of the code that the active run waits to run, and follow it on."""
        await self._answer(lambda runs, thread_id, run_id: runs.decide_on_code(thread_id, run_id, decision))

    async def cancel(self) -> None:
        """Ask the server to stop the active run. What was written stays; the end is followed as usual."""
        active, thread_id = self._runs.active, self._context.thread_id
        if thread_id is None or active is None or active.run is None:
            return
        run_id = active.run["id"]
        try:
            backend = await self._context.backend()
            run = await backend.runs.cancel(thread_id, run_id)
        except ServiceError as error:
            self._context.fail(error)
            return
        if (current := self._runs.runs[run_id]).active:
            self._runs.take(replace(current, run=run))
            self._context.changed()
        self._context.acted(run["assistant_id"])
        if self.task is None:
            await self.resume(run_id)

    async def _answer(self, answer: Callable[["Runs", str, str], AsyncIterator[RunState]]) -> None:
        active, thread_id = self._runs.active, self._context.thread_id
        if thread_id is None or active is None or active.run is None:
            return
        try:
            backend = await self._context.backend()
        except ServiceError as error:
            self._context.fail(error)
        else:
            states = answer(backend.runs, thread_id, active.run["id"])
            self.start(states, answered=active.run["assistant_id"])

    async def _follow(self, states: AsyncIterator[RunState], answered: str | None) -> None:
        state: RunState | None = None
        failed = False
        try:
            async for state in states:
                self._runs.take(state)
                self._context.changed()
                if answered is not None:
                    self._context.acted(answered)
                    answered = None
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread must not stay busy without a word
            self._context.error, failed = unexpected(error), True
        finally:
            if state is not None and state.finished:
                self._context.seen(state.messages.values())
            self.note_end()
            self._context.changed()
        if not failed:
            await self._follow_next()
        elif answered is not None:
            self._refresh()  # perhaps another window was faster

    def note_end(self) -> None:
        """The thread takes messages again if no run is active."""
        if self._runs.active is None:
            self.thread_free.set()

    async def _follow_next(self) -> None:
        """Go on with a run that another window has begun as soon as the followed one had ended."""
        active = self._runs.active
        if active is not None and active.run is not None and not self._runs.has_steps(active.run["id"]):
            await self.resume(active.run["id"], ours=False)
