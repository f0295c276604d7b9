"""What clients do to runs: start, answer and cancel them."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.code_interpreter import Sandbox
from assistants_tui.engine.runs import outcomes, required_actions
from assistants_tui.engine.runs.active_runs import ActiveRuns
from assistants_tui.engine.runs.events import EventBroadcaster, Subscription
from assistants_tui.engine.runs.instance_lock import InstanceLock
from assistants_tui.engine.runs.required_actions import DecisionRefusedError, OutputsRefusedError
from assistants_tui.engine.runs.run_storage import RunStorage
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.runs.unattended_runs import AbandonedRuns
from assistants_tui.engine.search import passages
from assistants_tui.engine.store import run_steps, runs
from assistants_tui.engine.store.run_steps import StoredStep
from assistants_tui.engine.store.runs import StoredRun
from assistants_tui.protocol.events import Event, run_event, step_event
from assistants_tui.protocol.objects import Json
from assistants_tui.protocol.transitions import is_final

_SWEEP_SECONDS = 5.0  # between two searches for abandoned runs

_logger = logging.getLogger(__name__)


class CancelRefusedError(Exception):
    """The run has ended already; `status` is its state."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class RunManager:
    """The runs of an engine, as its endpoints use them. `open()` it before use, `close()` it in the end."""

    def __init__(self, services: RunServices, instance_lock: InstanceLock) -> None:
        self._services = services
        self._instance_lock = instance_lock
        self._active = ActiveRuns(services, instance_lock.name)
        self._abandoned = AbandonedRuns(services, instance_lock, self._active)
        self._watches: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Fail the runs of engines that were killed, and begin to watch."""
        await self._abandoned.sweep()
        self._instance_lock.tidy()
        self._watches = [asyncio.create_task(self._active.watch()), asyncio.create_task(self._sweep())]

    async def close(self) -> None:
        """End the active runs; what they have written is stored."""
        await self._active.close()
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self._instance_lock.leave()

    def lease(self) -> Json:
        """The fields of a run that is stored for this engine to work on."""
        return self._active.lease()

    def start(
        self,
        owner: str,
        run: StoredRun,
        *,
        announce: Sequence[Event],
        stream: bool,
        with_passages: bool = False,
    ) -> Subscription | None:
        """Work on a queued run that is stored with this engine's lease.

        With `stream`, a reader of its events, which begin with those in `announce`. With `with_passages`,
        they have the text of search results.
        """
        events = EventBroadcaster()
        subscription = events.subscribe() if stream else None
        for event in announce:
            events.publish(*event)
        services = self._services
        storage = RunStorage(
            services.database, services.clock, events, owner=owner, run=run, with_passages=with_passages
        )
        self._active.start(storage)
        return subscription

    async def submit(
        self, owner: str, thread_id: str, run_id: str, outputs: Mapping[str, str], *, stream: bool
    ) -> tuple[StoredRun, Subscription | None] | None:
        """Give a waiting run the outputs of its functions, by call ID. The queued run, and its events.

        None if there is no such run. Raises `OutputsRefusedError`.
        """
        async with self._services.database.write() as connection:
            run = await self.current(connection, owner, thread_id, run_id)
            if run is None:
                return None
            refusal = required_actions.outputs_fault(run, outputs)
            if refusal is None:
                stored = await runs.record(connection, run_id)
                assert stored is not None
                used = (stored.progress or {}).get("step_usage")
                steps = await self._complete_calls(connection, run_id, outputs, used)
                run = await self._answered(connection, run_id)
                if run is None:
                    raise OutputsRefusedError(required_actions.ANSWERED)
        if refusal is not None:
            raise OutputsRefusedError(refusal)
        announce = [Event(step_event("completed"), passages.without_content(step)) for step in steps]
        subscription = self.start(
            owner,
            run,
            announce=[*announce, Event(run_event("queued"), run)],
            stream=stream,
        )
        return run, subscription

    async def decide(
        self, owner: str, thread_id: str, run_id: str, decision: Json, *, stream: bool
    ) -> tuple[StoredRun, Subscription | None] | None:
        """Run or reject the code that a run waits to run. Returns the queued run, and its events.

        `decision` has the `tool_call_id` of the code, `run` or `reject` as its `decision`, and optionally
        `code` to run instead or a `reason` for the model. None if there is no such run. Raises
        `DecisionRefusedError`.
        """
        async with self._services.database.write() as connection:
            run = await self.current(connection, owner, thread_id, run_id)
            if run is None:
                return None
            refusal = required_actions.decision_fault(run, decision["tool_call_id"])
            if refusal is None:
                stored = await runs.record(connection, run_id)
                assert stored is not None
                progress = {**(stored.progress or {}), "decision": decision}
                run = await self._answered(connection, run_id, progress=progress)
                if run is None:
                    raise DecisionRefusedError(required_actions.ANSWERED)
        if refusal is not None:
            raise DecisionRefusedError(refusal)
        return run, self.start(owner, run, announce=[Event(run_event("queued"), run)], stream=stream)

    async def _answered(self, connection: AsyncConnection, run_id: str, **values: Any) -> StoredRun | None:
        """Queue a run that waited. None if another request has answered it just before."""
        now = self._services.now()
        return await runs.transition(connection, run_id, "answer", "client", now, **self.lease(), **values)

    async def sandbox(self) -> Sandbox:
        """How the code of runs is confined."""
        return await self._services.interpreter.sandbox()

    async def cancel(self, owner: str, thread_id: str, run_id: str) -> StoredRun | None:
        """Ask a run to end. The run, now cancelling; None if there is none. Raises `CancelRefusedError`."""
        async with self._services.database.write() as connection:
            run = await self.current(connection, owner, thread_id, run_id)
            if run is None:
                return None
            before: str = run["status"]
            lease = self.lease() if before == "requires_action" else {}
            now = self._services.now()
            run = await runs.transition(connection, run_id, "cancel", "client", now, **lease)
            status = None if run is not None else await runs.status(connection, run_id)
        if run is None:  # it has ended, maybe just now
            raise CancelRefusedError(status or before)
        if before == "requires_action":
            self._active.spawn(self._abandoned.end(run_id, outcomes.CANCELLED))
        else:
            self._active.cancel(run_id)
        return run

    async def current(
        self, connection: AsyncConnection, owner: str, thread_id: str, run_id: str
    ) -> StoredRun | None:
        """A run as it is now: one that waited too long is expired here, if the sweep has not done so yet."""
        run = await runs.get(connection, owner, thread_id, run_id)
        if run is None or not self.is_overdue(run):
            return run
        await self._abandoned.end_in(connection, run_id, outcomes.EXPIRED)
        return await runs.get(connection, owner, thread_id, run_id)

    def is_overdue(self, run: StoredRun) -> bool:
        """Whether a run that waits for an answer should have expired."""
        if run["status"] != "requires_action" or run["expires_at"] is None:
            return False
        return run["expires_at"] <= self._services.clock.time()

    async def forget_thread(self, thread_id: str) -> None:
        """The thread was deleted: end its run and its code interpreter session."""
        self._active.leave_thread(thread_id)
        await self._services.interpreter.close_thread(thread_id)

    async def _complete_calls(
        self, connection: AsyncConnection, run_id: str, outputs: Mapping[str, str], used: Json | None
    ) -> list[StoredStep]:
        completed = []
        for step in await run_steps.of_run(connection, run_id):
            if not is_final(step["status"]):
                details = required_actions.with_outputs(step["step_details"], outputs)
                values = {"step_details": details, "usage": used}
                now = self._services.now()
                completed.append(await run_steps.end(connection, step["id"], "completed", now, values))
        return [step for step in completed if step is not None]

    async def _sweep(self) -> None:
        while True:
            await self._services.clock.sleep(_SWEEP_SECONDS)
            try:
                await self._abandoned.sweep()
            except Exception:
                _logger.exception("looking for abandoned runs failed; it is tried again")
