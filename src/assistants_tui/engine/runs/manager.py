"""All runs that this engine works on, and what happens to runs from outside: outputs, cancelling, time."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.code_interpreter import Sandbox
from assistants_tui.engine.models.base import Usage
from assistants_tui.engine.runs import outcomes, usage
from assistants_tui.engine.runs.events import EventBroadcaster, Subscription
from assistants_tui.engine.runs.executor import Executor
from assistants_tui.engine.runs.instance_lock import InstanceLock
from assistants_tui.engine.runs.outcomes import RunOutcome
from assistants_tui.engine.runs.run_storage import RunStorage
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.search import passages
from assistants_tui.engine.store import run_steps, runs
from assistants_tui.engine.store.run_steps import StoredStep
from assistants_tui.engine.store.runs import StoredRun
from assistants_tui.protocol.events import DONE, ERROR, Event, run_event, step_event
from assistants_tui.protocol.objects import Json, StepDetails, ToolCall
from assistants_tui.protocol.transitions import WORKED_ON, is_final

_PULSE = 0.25  # seconds between two looks at the runs at work: text that streams in is stored as often
_SWEEP = 5.0  # seconds between two looks at all others
_LEASE = 15.0  # seconds of silence after which an engine of which nothing is known is taken for dead

_logger = logging.getLogger(__name__)


class CancelRefusedError(Exception):
    """The run has ended already; `status` says how."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class OutputsRefusedError(Exception):
    """The outputs are not what the run waits for. The message is the API's."""


class DecisionRefusedError(Exception):
    """The run does not wait for a decision on this code. The message says what it does instead."""


class RunManager:
    """Starts runs and has an eye on them. `open()` it before use, `close()` it in the end."""

    def __init__(self, services: RunServices, instance_lock: InstanceLock) -> None:
        self._services = services
        self._instance_lock = instance_lock
        self._executors: dict[str, Executor] = {}  # by run: the newest attempt, while it is at work
        self._tasks: set[asyncio.Task[None]] = set()
        self._watches: list[asyncio.Task[None]] = []
        self._at_work = asyncio.Event()
        self._renewed_at = 0.0

    async def open(self) -> None:
        """Fail what a killed engine has left behind, and begin to watch."""
        await self._sweep()
        self._instance_lock.tidy()
        self._watches = [asyncio.create_task(self._watch_own()), asyncio.create_task(self._watch_others())]

    async def close(self) -> None:
        """End the runs at work, keeping what they have written."""
        for executor in self._executors.values():
            executor.cancel_token.request("shutdown")
        while self._tasks:
            await asyncio.wait(self._tasks)
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self._instance_lock.leave()

    def lease(self) -> Json:
        """The fields of a run that is stored for this engine to work on."""
        return {"lease_holder": self._instance_lock.name, "lease_renewed_at": self._services.clock.time()}

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
        executor = Executor(services, storage)
        self._executors[storage.id] = executor
        self._at_work.set()
        self._spawn(self._work(executor))
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
            refusal = _refusal(run, outputs)
            if refusal is None:
                stored = await runs.record(connection, run_id)
                assert stored is not None
                used = (stored.progress or {}).get("step_usage")
                steps = await self._complete_calls(connection, run_id, outputs, used)
                run = await self._answered(connection, run_id)
                if run is None:
                    raise OutputsRefusedError(_ANSWERED)
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
        """Say what is to become of the code that a run waits to run. The queued run, and its events.

        `decision` has the `tool_call_id` of the code, `run` or `reject` as its `decision`, and maybe other
        `code` to run instead, or a `reason` for the model. None if there is no such run. Raises
        `DecisionRefusedError`.
        """
        async with self._services.database.write() as connection:
            run = await self.current(connection, owner, thread_id, run_id)
            if run is None:
                return None
            refusal = _decision_refusal(run, decision["tool_call_id"])
            if refusal is None:
                stored = await runs.record(connection, run_id)
                assert stored is not None
                progress = {**(stored.progress or {}), "decision": decision}
                run = await self._answered(connection, run_id, progress=progress)
                if run is None:
                    raise DecisionRefusedError(_ANSWERED)
        if refusal is not None:
            raise DecisionRefusedError(refusal)
        return run, self.start(owner, run, announce=[Event(run_event("queued"), run)], stream=stream)

    async def _answered(self, connection: AsyncConnection, run_id: str, **values: Any) -> StoredRun | None:
        """Have a run that waited go on. Of two answers that come at once, one finds it waiting."""
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
            self._spawn(self._end_left(run_id, outcomes.CANCELLED))
        elif run_id in self._executors:
            self._stop_cancelled(self._executors[run_id])
        return run

    async def current(
        self, connection: AsyncConnection, owner: str, thread_id: str, run_id: str
    ) -> StoredRun | None:
        """A run as it is now: one that waited too long is expired, though nobody has noticed yet."""
        run = await runs.get(connection, owner, thread_id, run_id)
        if run is None or not self.is_overdue(run):
            return run
        await self._end(connection, run_id, outcomes.EXPIRED)
        return await runs.get(connection, owner, thread_id, run_id)

    def is_overdue(self, run: StoredRun) -> bool:
        """Whether a run that waits for an answer should have expired."""
        if run["status"] != "requires_action" or run["expires_at"] is None:
            return False
        return run["expires_at"] <= self._services.clock.time()

    async def forget_thread(self, thread_id: str) -> None:
        """The thread was deleted: its run ends, and with it what its code has left behind."""
        for executor in self._executors.values():
            if executor.storage.run["thread_id"] == thread_id:
                executor.cancel_token.request("taken")
        await self._services.interpreter.close_thread(thread_id)

    # Work

    async def _work(self, executor: Executor) -> None:
        storage = executor.storage
        try:
            await executor.work()
            if not executor.writer.concluded:
                await self._conclude(executor)
        except Exception:
            # Its store failed it. It stays as it is until the sweep finds it without an executor.
            _logger.exception("run %s was lost", storage.id)
        finally:
            # An answer to a run that waits may have begun the next attempt before this one gets here.
            if self._executors.get(storage.id) is executor:
                del self._executors[storage.id]
            storage.events.publish(DONE, "[DONE]")
            storage.events.end()
            await executor.release()

    async def _conclude(self, executor: Executor) -> None:
        """Tell the readers of a run that another process has ended, or deleted, how it stands."""
        storage = executor.storage
        async with self._services.database.read() as connection:
            run = await runs.get(connection, storage.owner, storage.run["thread_id"], storage.id)
        if run is not None:
            storage.events.publish(run_event(run["status"]), run)
        else:
            error = {"message": "The run was deleted.", "type": "server_error", "param": None, "code": None}
            # The reference shows the bare error; the SDKs raise only if it is wrapped.
            storage.events.publish(ERROR, error | {"error": error})

    def _stop_cancelled(self, executor: Executor) -> None:
        if executor.cancel_token.request("cancel"):
            executor.writer.announce_cancelling()

    async def _complete_calls(
        self, connection: AsyncConnection, run_id: str, outputs: Mapping[str, str], used: Json | None
    ) -> list[StoredStep]:
        completed = []
        for step in await run_steps.of_run(connection, run_id):
            if not is_final(step["status"]):
                values = {"step_details": _with_outputs(step["step_details"], outputs), "usage": used}
                now = self._services.now()
                completed.append(await run_steps.end(connection, step["id"], "completed", now, values))
        return [step for step in completed if step is not None]

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Watching

    async def _watch_own(self) -> None:
        while True:
            await self._at_work.wait()
            await self._services.clock.sleep(_PULSE)
            try:
                await self._save()
                await self._look_at_own()
            except Exception:
                _logger.exception("watching the runs at work failed; it is tried again")
            if not self._executors:
                self._at_work.clear()

    async def _watch_others(self) -> None:
        while True:
            await self._services.clock.sleep(_SWEEP)
            try:
                await self._sweep()
            except Exception:
                _logger.exception("looking for abandoned runs failed; it is tried again")

    async def _save(self) -> None:
        now = self._services.clock.time()
        renew = abs(now - self._renewed_at) >= _LEASE / 5
        unsaved = [executor for executor in self._executors.values() if executor.storage.unsaved]
        if not unsaved and not renew:
            return
        async with self._services.database.write() as connection:
            stored = [(one.storage, await one.writer.checkpoint(connection)) for one in unsaved]
            if renew:
                await runs.renew_leases(connection, self._instance_lock.name, self._executors, now)
                self._renewed_at = now
        for storage, streamed in stored:
            storage.note_saved(streamed)

    async def _look_at_own(self) -> None:
        """Notice what another process did to our runs, and which have run out of time."""
        now = self._services.clock.time()
        ours = dict(self._executors)
        async with self._services.database.read() as connection:
            states = await runs.held_by(connection, self._instance_lock.name)
        for run_id, executor in ours.items():
            run = executor.storage.run
            if run_id not in states:
                executor.cancel_token.request("taken")
            elif states[run_id] == "cancelling":
                self._stop_cancelled(executor)
            elif run["expires_at"] is not None and run["expires_at"] <= now:
                executor.cancel_token.request("expire")

    async def _sweep(self) -> None:
        """End runs that nobody works on: their engine has died, or their client never answered."""
        now = self._services.clock.time()
        async with self._services.database.read() as connection:
            overdue = await runs.overdue(connection, int(now))
            leased = await runs.leased(connection, WORKED_ON)
        ends = [(run["id"], outcomes.EXPIRED) for run in overdue if run["status"] == "requires_action"]
        for run_id, status, holder, renewed_at in leased:
            silent = renewed_at is None or now - renewed_at > _LEASE
            if run_id not in self._executors and self._is_abandoned(holder, silent=silent):
                ends.append((run_id, outcomes.CANCELLED if status == "cancelling" else _DIED))
        for run_id, outcome in ends:
            await self._end_left(run_id, outcome)

    def _is_abandoned(self, holder: str | None, *, silent: bool) -> bool:
        """Whether nobody works on a run that this engine has no executor for.

        An engine that holds its lock is alive however long it is silent: it goes on when it is let. If it is
        this one, the run's executor failed, or is about to begin.
        """
        if holder is None:
            return True
        state = "unknown" if holder == self._instance_lock.name else self._instance_lock.state(holder)
        return state == "dead" or (state == "unknown" and silent)

    async def _end_left(self, run_id: str, outcome: RunOutcome) -> None:
        async with self._services.database.write() as connection:
            await self._end(connection, run_id, outcome)

    async def _end(self, connection: AsyncConnection, run_id: str, outcome: RunOutcome) -> None:
        """End a run that no executor is at work on. What its turns took stands on its steps, and while one
        waits for an answer, beside it."""
        stored = await runs.record(connection, run_id)
        if stored is None:
            return
        steps = await run_steps.of_run(connection, run_id)
        used = sum((usage.from_wire(step["usage"]) for step in steps), start=Usage())
        step_values: dict[str, Json] = {}
        progress = stored.progress or {}
        if any(step["id"] == progress.get("step") and step["usage"] is None for step in steps):
            used += usage.from_wire(progress["step_usage"])
            step_values[progress["step"]] = {"usage": progress["step_usage"]}
        await outcomes.end(
            connection,
            run_id,
            outcome,
            "manager",
            self._services.now(),
            usage=usage.to_wire(used),
            step_values=step_values,
            message_values={},
        )


_ANSWERED = "This run has just been answered by another request."

_DIED = outcomes.failed(
    "server_error", "The engine stopped while it was working on this run. What it had written is kept."
)


def _refusal(run: StoredRun, outputs: Mapping[str, str]) -> str | None:
    if run["status"] != "requires_action":
        return f'Runs in status "{run["status"]}" do not accept tool outputs.'
    action = run["required_action"]
    asked = action.get("submit_tool_outputs") if action is not None else None
    if asked is None:
        return "This run does not wait for tool outputs, but for a decision on code: see approve_code."
    wanted = [call["id"] for call in asked["tool_calls"]]
    if set(wanted) != set(outputs):
        return f"Expected tool outputs for call_ids {wanted}, got {list(outputs)}"
    return None


def _decision_refusal(run: StoredRun, call_id: str) -> str | None:
    action = run["required_action"]
    asked = action.get("approve_code") if action is not None else None
    if asked is None:
        return f'This run is in status "{run["status"]}" and does not wait for a decision on code.'
    waiting = [call["id"] for call in asked["tool_calls"]]
    if call_id not in waiting:
        return f"The run waits for a decision on {waiting}, not on {call_id!r}."
    return None


def _with_outputs(details: StepDetails, outputs: Mapping[str, str]) -> StepDetails:
    calls: list[ToolCall] = [
        {**call, "function": {**call["function"], "output": outputs[call["id"]]}}
        if call["id"] in outputs
        else call
        for call in details["tool_calls"]
    ]
    return {**details, "tool_calls": calls}
