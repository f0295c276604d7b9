"""Ends runs that no executor works on: their engine has died, or their client did not answer in time."""

from collections.abc import Container

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.models.base import Usage
from assistants_tui.engine.runs import outcomes, usage
from assistants_tui.engine.runs.instance_lock import InstanceLock
from assistants_tui.engine.runs.outcomes import RunOutcome
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.store import run_steps, runs
from assistants_tui.protocol.objects import Json
from assistants_tui.protocol.transitions import WORKED_ON

LEASE_SECONDS = 15.0
"""Of silence, after which an engine counts as dead if nothing else is known of it."""

_DIED = outcomes.failed(
    "server_error", "The engine stopped while it was working on this run. What it had written is kept."
)


class AbandonedRuns:
    """Finds and ends runs without an executor. `active`: the IDs of the runs that have one in this engine."""

    def __init__(self, services: RunServices, instance_lock: InstanceLock, active: Container[str]) -> None:
        self._services = services
        self._instance_lock = instance_lock
        self._active = active

    async def sweep(self) -> None:
        """End all runs that are abandoned now, and waiting runs whose time is over."""
        now = self._services.clock.time()
        async with self._services.database.read() as connection:
            overdue = await runs.overdue(connection, int(now))
            leased = await runs.leased(connection, WORKED_ON)
        ends = [(run["id"], outcomes.EXPIRED) for run in overdue if run["status"] == "requires_action"]
        for run_id, status, holder, renewed_at in leased:
            silent = renewed_at is None or now - renewed_at > LEASE_SECONDS
            if run_id not in self._active and self._is_abandoned(holder, silent=silent):
                ends.append((run_id, outcomes.CANCELLED if status == "cancelling" else _DIED))
        for run_id, outcome in ends:
            await self.end(run_id, outcome)

    async def end(self, run_id: str, outcome: RunOutcome) -> None:
        """End a run that no executor works on, in a transaction of its own."""
        async with self._services.database.write() as connection:
            await self.end_in(connection, run_id, outcome)

    async def end_in(self, connection: AsyncConnection, run_id: str, outcome: RunOutcome) -> None:
        """The same in the caller's transaction.

        The usage of the run's turns is stored with its steps. While a step waits for an answer, its usage is
        part of the run's progress.
        """
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

    def _is_abandoned(self, holder: str | None, *, silent: bool) -> bool:
        """Whether no engine works on a run that this engine has no executor for.

        An engine that holds its lock is alive, however long it is silent: it may be paused. If `holder` is
        this engine, the run's executor failed or is about to begin.
        """
        if holder is None:
            return True
        state = "unknown" if holder == self._instance_lock.name else self._instance_lock.state(holder)
        return state == "dead" or (state == "unknown" and silent)
