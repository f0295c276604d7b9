"""How a run ends: what becomes of the run, of its open step and of its open message, in one transaction.

The states and fields are those of the Runs, Run steps and Messages objects in the API reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.runs.events import Event
from assistants_tui.engine.store import messages, run_steps, runs
from assistants_tui.engine.store.schema import ACTIVE_RUN_STATUSES

Json = dict[str, Any]

WORKING = ("queued", "in_progress")
"""The states in which an executor is at work and nobody has asked it to stop."""


@dataclass(frozen=True)
class RunOutcome:
    """One way to end. `when`: the states of a run that it may end so."""

    status: str
    step: str
    message: str
    when: Sequence[str]
    reason: str | None = None  # of an incomplete run
    error: Json | None = None  # of a failed run


COMPLETED = RunOutcome("completed", "completed", "completed", WORKING)
CANCELLED = RunOutcome("cancelled", "cancelled", "run_cancelled", ("cancelling",))
EXPIRED = RunOutcome("expired", "expired", "run_expired", ACTIVE_RUN_STATUSES)


def incomplete(reason: str) -> RunOutcome:
    """The tokens that the run was given are used up: `max_completion_tokens` or `max_prompt_tokens`."""
    # A step has no state of its own for this: it did what it could.
    return RunOutcome("incomplete", "completed", "max_tokens", WORKING, reason=reason)


def failed(code: str, message: str, *, filtered: bool = False, when: Sequence[str] = WORKING) -> RunOutcome:
    """`code`: `server_error`, `rate_limit_exceeded` or `invalid_prompt`."""
    because = "content_filter" if filtered else "run_failed"
    return RunOutcome("failed", "failed", because, when, error={"code": code, "message": message})


async def end(
    connection: AsyncConnection,
    run_id: str,
    outcome: RunOutcome,
    now: int,
    *,
    usage: Json | None = None,
    step_values: Mapping[str, Json] | None = None,
    message_values: Mapping[str, Json] | None = None,
) -> list[Event] | None:
    """End a run and what it left open; the events that announce it, in order. None if its state forbids it.

    `usage` is the run's. `step_values` and `message_values` are further fields of open steps and messages, by
    ID, for those who know more than the store.
    """
    values: Json = {"status": outcome.status, "required_action": None, "lease_holder": None}
    if outcome.status != "expired":
        values["expires_at"] = None
    at = {"failed": "failed_at", "cancelled": "cancelled_at", "expired": None}.get(
        outcome.status, "completed_at"
    )
    if at is not None:
        values[at] = now
    if outcome.reason is not None:
        values["incomplete_details"] = {"reason": outcome.reason}
    if outcome.error is not None:
        values["last_error"] = outcome.error
    if usage is not None:
        values["usage"] = usage
    run = await runs.change(connection, run_id, values, when=outcome.when)
    if run is None:
        return None
    events = []
    for message in await messages.unfinished_of_run(connection, run_id):
        changes = {**message_state(outcome.message, now), **(message_values or {}).get(message["id"], {})}
        if changed := await messages.change(connection, message["id"], changes):
            name = "completed" if outcome.message == "completed" else "incomplete"
            events.append(Event(f"thread.message.{name}", changed))
    for step in await run_steps.of_run(connection, run_id):
        if step["status"] != "in_progress":
            continue
        changes = {**step_state(outcome.step, now, outcome.error), **(step_values or {}).get(step["id"], {})}
        if changed := await run_steps.change(connection, step["id"], changes):
            events.append(Event(f"thread.run.step.{outcome.step}", changed))
    events.append(Event(f"thread.run.{outcome.status}", run))
    return events


def message_state(outcome: str, now: int) -> Json:
    """The fields of a message that ends: `completed`, or the reason why it is incomplete."""
    if outcome == "completed":
        return {"status": "completed", "completed_at": now}
    return {"status": "incomplete", "incomplete_at": now, "incomplete_details": {"reason": outcome}}


def step_state(status: str, now: int, error: Json | None = None) -> Json:
    """The fields of a step that ends."""
    values: Json = {"status": status, f"{status}_at": now}
    if status == "failed" and error is not None:
        # A step knows fewer codes than a run.
        code = error["code"] if error["code"] == "rate_limit_exceeded" else "server_error"
        values["last_error"] = {"code": code, "message": error["message"]}
    return values
