"""How a run ends: what becomes of the run, of its open step and of its open message, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import messages, run_steps, runs
from assistants_tui.protocol.error_codes import RunErrorCode, step_code
from assistants_tui.protocol.events import Event, message_event, run_event, step_event
from assistants_tui.protocol.objects import ErrorInfo, Json
from assistants_tui.protocol.transitions import (
    PARTS_AT_THE_END,
    Actor,
    PartsEnd,
    RunEvent,
    is_final,
    target,
)


@dataclass(frozen=True)
class RunError:
    """Why a run failed, as its `last_error` says."""

    code: RunErrorCode
    message: str


@dataclass(frozen=True)
class RunOutcome:
    """One way to end."""

    event: RunEvent
    parts: PartsEnd
    reason: str | None = None  # of an incomplete run
    error: RunError | None = None  # of a failed run


class RunEndedError(Exception):
    """The run cannot go on, and ends with this outcome."""

    def __init__(self, outcome: RunOutcome) -> None:
        super().__init__(outcome.event)
        self.outcome = outcome


def _outcome(event: RunEvent) -> RunOutcome:
    return RunOutcome(event, PARTS_AT_THE_END[target(event)])


COMPLETED, CANCELLED, EXPIRED = _outcome("complete"), _outcome("stop"), _outcome("expire")


def incomplete(reason: str) -> RunOutcome:
    """The tokens that the run was given are used up: `max_completion_tokens` or `max_prompt_tokens`."""
    return RunOutcome("exhaust", PARTS_AT_THE_END["incomplete"], reason=reason)


def failed(code: RunErrorCode, message: str, *, filtered: bool = False) -> RunOutcome:
    """The run cannot go on. `filtered`: because a content filter stopped the answer."""
    parts = PartsEnd("failed", "incomplete", "content_filter") if filtered else PARTS_AT_THE_END["failed"]
    return RunOutcome("fail", parts, error=RunError(code, message))


async def end(
    connection: AsyncConnection,
    run_id: str,
    outcome: RunOutcome,
    actor: Actor,
    now: int,
    *,
    usage: Json,
    step_values: Mapping[str, Json],
    message_values: Mapping[str, Json],
) -> list[Event] | None:
    """End a run and what it left open; the events that announce it, in order.

    None if `actor` may not end it so in the state that it is in. `usage` is the run's. `step_values` and
    `message_values` are further fields of open steps and messages, by ID, for those who know more than the
    store.
    """
    values: Json = {"lease_holder": None, "usage": usage}
    if outcome.reason is not None:
        values["incomplete_details"] = {"reason": outcome.reason}
    if outcome.error is not None:
        values["last_error"] = ErrorInfo(code=outcome.error.code, message=outcome.error.message)
    run = await runs.transition(connection, run_id, outcome.event, actor, now, **values)
    if run is None:
        return None
    parts = outcome.parts
    events = []
    for message in await messages.unfinished_of_run(connection, run_id):
        more = message_values.get(message["id"], {})
        if changed := await messages.end(
            connection, message["id"], parts.message, now, more, reason=parts.reason
        ):
            events.append(Event(message_event(parts.message), changed))
    for step in await run_steps.of_run(connection, run_id):
        if is_final(step["status"]):
            continue
        more = {**_step_error(outcome.error), **step_values.get(step["id"], {})}
        if ended := await run_steps.end(connection, step["id"], parts.step, now, more):
            events.append(Event(step_event(parts.step), ended))
    events.append(Event(run_event(run["status"]), run))
    return events


def _step_error(error: RunError | None) -> Json:
    if error is None:
        return {}
    return {"last_error": ErrorInfo(code=step_code(error.code), message=error.message)}
