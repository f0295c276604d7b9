"""The states of the API's objects, and how each gets from one to the next.

The table of runs is that of the API's guide to run lifecycles
(https://platform.openai.com/docs/assistants/deep-dive#run-lifecycle). Engine and client read it from here:
the engine asks in which states a run takes an event and which fields the event sets; the client asks which
states are final and which of two states comes later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, TypeVar, get_args

RunStatus: TypeAlias = Literal[
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "failed",
    "completed",
    "incomplete",
    "expired",
]
StepStatus: TypeAlias = Literal["in_progress", "cancelled", "failed", "completed", "expired"]
MessageStatus: TypeAlias = Literal["in_progress", "incomplete", "completed"]
FileStatus: TypeAlias = Literal["uploaded", "processed", "error"]
UploadStatus: TypeAlias = Literal["pending", "completed", "cancelled", "expired"]
VectorStoreStatus: TypeAlias = Literal["in_progress", "completed", "expired"]
"""Follows from the files of the store and from the time."""
IngestStatus: TypeAlias = Literal["in_progress", "completed", "failed", "cancelled"]
"""Of a file in a vector store. A batch of files has the same; its state follows from its files."""
INGEST_STATUSES: tuple[IngestStatus, ...] = get_args(IngestStatus)

RunEvent: TypeAlias = Literal[
    "start",  # the engine begins to work on it, for the first time or once more
    "wait",  # the model called functions, or code needs an approval
    "answer",  # the client has sent what the run waits for
    "cancel",  # the client wants it to end
    "stop",  # the work of a run that is to be cancelled has ended
    "complete",
    "exhaust",  # the tokens that it was given are used up
    "fail",
    "expire",  # its ten minutes are over
]
Actor: TypeAlias = Literal["client", "executor", "manager", "hosted"]
"""Who causes an event: a request of a client; the executor that works on the run; the manager of all runs,
for a run that no executor works on; the hosted service, where our engine decides otherwise."""

ACTIVE_RUN_STATUSES: tuple[RunStatus, ...] = ("queued", "in_progress", "requires_action", "cancelling")
"""A run in one of these locks its thread. In the order of one attempt: `answer` begins the next one."""
WORKED_ON: tuple[RunStatus, ...] = ("queued", "in_progress", "cancelling")
"""The active states but the one in which a run waits for its client: an engine is at work on it."""
TERMINAL_RUN_STATUSES: frozenset[RunStatus] = frozenset(get_args(RunStatus)) - frozenset(ACTIVE_RUN_STATUSES)
"""A run in one of these never changes its state again, and the thread is unlocked."""
OPEN: Literal["in_progress"] = "in_progress"
"""The only state of a step or a message that is not final."""


class RunTransition(NamedTuple):
    """One row of the table: `event` takes a run from `before` to `after`, and these may cause it."""

    event: RunEvent
    before: RunStatus
    after: RunStatus
    actors: frozenset[Actor]


def _row(event: RunEvent, before: RunStatus, after: RunStatus, *actors: Actor) -> RunTransition:
    return RunTransition(event, before, after, frozenset(actors))


RUN_TRANSITIONS: tuple[RunTransition, ...] = (
    _row("start", "queued", "in_progress", "executor"),
    _row("wait", "in_progress", "requires_action", "executor"),
    _row("answer", "requires_action", "queued", "client"),
    _row("cancel", "queued", "cancelling", "client"),
    _row("cancel", "in_progress", "cancelling", "client"),
    _row("cancel", "requires_action", "cancelling", "client"),
    _row("stop", "cancelling", "cancelled", "executor", "manager"),
    _row("complete", "in_progress", "completed", "executor"),
    _row("complete", "cancelling", "completed", "hosted"),
    _row("exhaust", "in_progress", "incomplete", "executor"),
    _row("fail", "queued", "failed", "executor", "manager"),
    _row("fail", "in_progress", "failed", "executor", "manager"),
    _row("fail", "cancelling", "failed", "hosted"),
    _row("expire", "queued", "expired", "executor"),
    _row("expire", "in_progress", "expired", "executor"),
    _row("expire", "requires_action", "expired", "manager"),
    _row("expire", "cancelling", "expired", "executor"),
)

_ENTERED_AT: Mapping[RunStatus, str] = {
    "in_progress": "started_at",
    "completed": "completed_at",
    "incomplete": "completed_at",
    "cancelled": "cancelled_at",
    "failed": "failed_at",
}
"""The field of a run that holds when it came into a state."""


@dataclass(frozen=True, slots=True)
class PartsEnd:
    """What becomes of an open step and an open message when their run ends."""

    step: StepStatus
    message: MessageStatus
    reason: str | None = None
    """Of a message that is incomplete."""


PARTS_AT_THE_END: Mapping[RunStatus, PartsEnd] = {
    "completed": PartsEnd("completed", "completed"),
    # A step has no state of its own for this: it did what it could.
    "incomplete": PartsEnd("completed", "incomplete", "max_tokens"),
    "cancelled": PartsEnd("cancelled", "incomplete", "run_cancelled"),
    "failed": PartsEnd("failed", "incomplete", "run_failed"),
    "expired": PartsEnd("expired", "incomplete", "run_expired"),
}


def sources(event: RunEvent, actor: Actor) -> tuple[RunStatus, ...]:
    """The states in which a run may be when `actor` causes the event; empty if it may never cause it."""
    return tuple(row.before for row in RUN_TRANSITIONS if row.event == event and actor in row.actors)


def target(event: RunEvent) -> RunStatus:
    """The state that a run has after an event."""
    return next(row.after for row in RUN_TRANSITIONS if row.event == event)


def run_fields(event: RunEvent, now: int) -> dict[str, object]:
    """The fields of a run that an event sets by itself. `now` in Unix seconds.

    What a run waits for comes with `wait` from the caller, and is gone after every other event. The deadline
    of a run that has ended is gone too, but stays where it was the end.
    """
    status = target(event)
    fields: dict[str, object] = {"status": status}
    if event != "wait":
        fields["required_action"] = None
    if (entered := _ENTERED_AT.get(status)) is not None:
        fields[entered] = now
    if status in TERMINAL_RUN_STATUSES and status != "expired":
        fields["expires_at"] = None
    return fields


def step_fields(status: StepStatus, now: int) -> dict[str, object]:
    """The fields of a step that ends with this state. `now` in Unix seconds."""
    return {"status": status, f"{status}_at": now}


def message_fields(status: MessageStatus, now: int, reason: str | None = None) -> dict[str, object]:
    """The fields of a message that ends with this state. `now` in Unix seconds; `reason`: why incomplete."""
    fields: dict[str, object] = {"status": status, f"{status}_at": now}
    return fields if reason is None else {**fields, "incomplete_details": {"reason": reason}}


def is_final(status: object) -> bool:
    """Whether a step or a message with this state changes no more. States that are not known are final."""
    return status != OPEN


def run_progress(status: str) -> int:
    """A number that never falls within one attempt at a run. Unknown states count as in progress."""
    if status in TERMINAL_RUN_STATUSES:
        return len(ACTIVE_RUN_STATUSES)
    known: tuple[str, ...] = ACTIVE_RUN_STATUSES
    return known.index(status if status in known else OPEN)


Status = TypeVar("Status", bound=str)

UPLOAD_TRANSITIONS: Mapping[UploadStatus, tuple[UploadStatus, ...]] = {
    "pending": ("completed", "cancelled", "expired"),
}
"""The states that an upload can get to from each state; states without an entry are final."""
INGEST_TRANSITIONS: Mapping[IngestStatus, tuple[IngestStatus, ...]] = {
    "in_progress": ("completed", "failed", "cancelled"),
}
"""The same of a file in a vector store. A file that is attached again begins anew."""


def states_before(table: Mapping[Status, tuple[Status, ...]], after: Status) -> list[Status]:
    """The states from which an object gets to the state `after`."""
    return [before for before, reachable in table.items() if after in reachable]
