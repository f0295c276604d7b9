"""The events of a run's stream (https://platform.openai.com/docs/api-reference/assistants-streaming/events)."""

from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from assistants_tui.protocol.transitions import MessageStatus, RunStatus, StepStatus

RUN, STEP, MESSAGE = "thread.run", "thread.run.step", "thread.message"
"""How the names of events begin, by what they are about: also the `object` of runs, steps and messages."""

THREAD_CREATED = "thread.created"
MESSAGE_DELTA = f"{MESSAGE}.delta"
STEP_DELTA = f"{STEP}.delta"
ERROR = "error"
DONE = "done"
"""The last event of a stream; its data is no JSON."""

Part: TypeAlias = Literal["thread.run.step", "thread.message"]

RUN_EVENTS = frozenset(f"{RUN}.{name}" for name in ("created", *get_args(RunStatus)))
STEP_EVENTS = frozenset(f"{STEP}.{name}" for name in ("created", *get_args(StepStatus)))
MESSAGE_EVENTS = frozenset(f"{MESSAGE}.{name}" for name in ("created", *get_args(MessageStatus)))
"""The events that bring an object whole, without those that bring a part of it."""


class Event(NamedTuple):
    """One event of a stream: its name and its decoded data, which nothing changes afterwards."""

    name: str
    data: Any


def run_event(status: str) -> str:
    """The name of the event that brings a run as it comes into a state."""
    return f"{RUN}.{status}"


def step_event(status: str) -> str:
    return f"{STEP}.{status}"


def message_event(status: str) -> str:
    return f"{MESSAGE}.{status}"
