"""One run with its steps and messages, whichever way they came: as a stream, by polling, or read again later.

`reduce` applies a stream event, `absorb` what was read with GET, `from_objects` starts from what was read.
All three are pure: they return a new state and leave the old one as it was, and an object that did not change
is the same dictionary in both, so a reader finds out with `is` what there is to draw. Nothing may change the
dictionaries of a state.

Networks repeat and reorder. An object that has reached its end is never undone by an older picture of it, and
while it is still being written, an older picture never takes written text away.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from assistants_tui.protocol.events import (
    DONE,
    ERROR,
    MESSAGE,
    MESSAGE_DELTA,
    MESSAGE_EVENTS,
    RUN_EVENTS,
    STEP,
    STEP_DELTA,
    STEP_EVENTS,
    THREAD_CREATED,
    Event,
)
from assistants_tui.protocol.objects import (
    Json,
    Message,
    Run,
    RunStep,
    ToolCall,
)
from assistants_tui.protocol.transitions import (
    OPEN,
    TERMINAL_RUN_STATUSES,
    is_final,
    run_fields,
    run_progress,
)
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.required_fields import checked

Item = TypeVar("Item", Message, RunStep)

_INCOMPLETE = {
    "max_completion_tokens": "The answer was cut off: the run's limit of completion tokens was reached.",
    "max_prompt_tokens": "The run stopped: its limit of prompt tokens was reached.",
}


@dataclass(frozen=True, slots=True)
class PendingCode:
    """Code that nothing would confine, and that runs only if the user says so."""

    run_id: str
    call_id: str
    code: str
    reason: str
    """Why there is no sandbox, and what would help."""
    expires_at: int | None
    """When the server gives the run up, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class RunState:
    """A run, its steps and the messages that it wrote, in the order in which they were created.

    Two states are equal when they show the same objects, however they were obtained.
    """

    thread_id: str
    run: Run | None = None
    """None until the server has answered."""
    messages: Mapping[str, Message] = field(default_factory=dict)
    steps: Mapping[str, RunStep] = field(default_factory=dict)
    unknown: tuple[Event, ...] = field(default=(), compare=False)
    """Events that this client does not know, kept so that they can be shown."""
    stream_error: Json | None = field(default=None, compare=False)
    """The data of an `error` event, until the run has been read again."""

    trouble: ServiceError | None = field(default=None, compare=False)
    """Why nothing newer is known just now: the connection failed and is being tried again."""

    @property
    def status(self) -> str | None:
        """The run's status as the server says it, which may be one that this client does not know."""
        return self.run["status"] if self.run else None

    @property
    def finished(self) -> bool:
        """The run will not change any more and the thread accepts messages."""
        return self.status in TERMINAL_RUN_STATUSES

    @property
    def active(self) -> bool:
        """The run exists and holds the lock of its thread."""
        return self.run is not None and not self.finished

    @property
    def pending_calls(self) -> Sequence[ToolCall]:
        """The function calls that the run waits for; their outputs must be submitted all at once."""
        calls = self._required("submit_tool_outputs").get("tool_calls")
        return cast("list[ToolCall]", calls) if isinstance(calls, list) else ()

    @property
    def pending_code(self) -> PendingCode | None:
        """The code that the run waits to run. Only the engine of this program asks for that."""
        asked = self._required("approve_code")
        try:
            call = asked["tool_calls"][0]
            call_id, code = str(call["id"]), str(call["code_interpreter"]["input"])
        except (KeyError, IndexError, TypeError):  # of a shape that nobody knows
            return None
        run = cast(Run, self.run)
        until: object = run.get("expires_at")
        deadline = until if isinstance(until, int) else None
        return PendingCode(run["id"], call_id, code, str(asked.get("reason") or ""), deadline)

    @property
    def waits(self) -> bool:
        """Whether nothing moves before the user has done something."""
        return bool(self.pending_calls) or self.pending_code is not None

    def _required(self, kind: str) -> Json:
        """What the run says about an action that it requires, if it is of this kind."""
        if self.run is None or self.run["status"] != "requires_action":
            return {}
        action: object = self.run.get("required_action")
        asked = action.get(kind) if isinstance(action, dict) else None
        return asked if isinstance(asked, dict) else {}

    @property
    def error(self) -> str | None:
        """Why the run gave no full answer, as a sentence; the server's words where it has any.

        None while it runs, after it completed, and after the user cancelled it.
        """
        if self.stream_error is not None:
            return str(self.stream_error.get("message") or "The server reported an error in the stream.")
        if self.run is None:
            return None
        if self.status == "expired":
            return "The run expired before it ended: the server gives a run ten minutes."
        if self.status == "incomplete":
            reason = _dict(self.run.get("incomplete_details")).get("reason")
            return _INCOMPLETE.get(str(reason), f"The answer is incomplete: {reason or 'no reason given'}.")
        if self.status == "failed":
            error = _dict(self.run.get("last_error"))
            return str(error.get("message") or error.get("code") or "The run failed without a reason.")
        return None


def from_objects(run: Run, steps: Iterable[RunStep], messages: Iterable[Message]) -> RunState:
    """The state of a run that was read with GET. Both lists in the order of creation, oldest first."""
    return RunState(
        thread_id=run["thread_id"],
        run=run,
        messages={message["id"]: message for message in messages},
        steps={step["id"]: step for step in steps},
    )


def absorb(
    state: RunState, run: Run, steps: Iterable[RunStep] = (), messages: Iterable[Message] = ()
) -> RunState:
    """`state` after its run, steps and messages were read with GET, oldest first.

    What the server says stands, except that it never takes anything away: a picture from before the end, or
    with less text than has already arrived, does not replace a later one.
    """
    if state.finished and run["status"] not in TERMINAL_RUN_STATUSES:
        run = cast(Run, state.run)
    return replace(
        state,
        thread_id=run["thread_id"],
        run=run,
        messages=_absorbed(state.messages, messages, _newer_message),
        steps=_absorbed(state.steps, steps, _newer_step),
        stream_error=None,
        trouble=None,
    )


def answered(state: RunState) -> RunState:
    """`state` after the server has taken what the run waited for: outputs of functions or a decision."""
    if state.run is None:
        return state
    run = cast(Run, {**state.run, **run_fields("answer", 0)})
    return replace(state, run=run)


def reduce(state: RunState, event: Event) -> RunState:
    """`state` after one event of the stream. Anything unexpected is kept in `unknown`, never an error."""
    name, data = event.name, event.data
    if name == DONE:
        return state
    if isinstance(data, dict):
        if name == ERROR:
            inner = data.get("error")
            return replace(state, stream_error=inner if isinstance(inner, dict) else data)
        if name == THREAD_CREATED and isinstance(data.get("id"), str):
            return replace(state, thread_id=data["id"])
        if isinstance(data.get("id"), str):
            change = _change(name)
            if change is not None:
                try:
                    return change(state, data)
                except (KeyError, TypeError, AttributeError, ValueError):  # also MalformedError
                    pass  # an object of a shape that the API does not have: kept below
    return replace(state, unknown=(*state.unknown, event))


def _change(name: str) -> Callable[[RunState, Any], RunState] | None:
    if name == MESSAGE_DELTA:
        return _message_delta
    if name == STEP_DELTA:
        return _step_delta
    if name in MESSAGE_EVENTS:
        return _put_message
    if name in STEP_EVENTS:
        return _put_step
    if name in RUN_EVENTS:
        return _put_run
    return None


def _dict(value: object) -> Json:
    """What a server should have sent as an object, if it did."""
    return value if isinstance(value, dict) else {}


# Snapshots


def _put_run(state: RunState, data: Json) -> RunState:
    new = checked(Run, {"thread_id": state.thread_id, **data})
    old = state.run
    if old is not None and (old["id"] != new["id"] or _is_older(new, old)):
        return state
    return replace(state, run=new, thread_id=new["thread_id"] or state.thread_id)


def _is_older(new: Run, old: Run) -> bool:
    if old["status"] in TERMINAL_RUN_STATUSES:
        return new["status"] != old["status"]
    return _age(new) < _age(old)


def _age(run: Run) -> tuple[bool, int, int]:
    """Grows along the life of a run: a run that goes on after tool outputs is started again."""
    status = run["status"]
    started = run.get("started_at")
    began = started if isinstance(started, int) else 0
    return status in TERMINAL_RUN_STATUSES, began, run_progress(status)


def _put_message(state: RunState, data: Json) -> RunState:
    return replace(state, messages=_put(state.messages, checked(Message, data), _newer_message))


def _put_step(state: RunState, data: Json) -> RunState:
    return replace(state, steps=_put(state.steps, checked(RunStep, data), _newer_step))


def _put(items: Mapping[str, Item], new: Item, newer: Callable[[Item, Item], Item]) -> Mapping[str, Item]:
    old = items.get(new["id"])
    if old is not None:
        chosen = newer(old, new)
        return items if chosen is old else {**items, new["id"]: chosen}
    last = next(reversed(items.values()), None) if isinstance(items, dict) else None
    grown: dict[str, Item] = {**items, new["id"]: new}
    if last is not None and _created(last) > _created(new):
        return dict(sorted(grown.items(), key=lambda pair: _created(pair[1])))
    return grown


def _absorbed(
    items: Mapping[str, Item], read: Iterable[Item], newer: Callable[[Item, Item], Item]
) -> Mapping[str, Item]:
    fresh: dict[str, Item] = {}
    for new in read:
        old = items.get(new["id"])
        fresh[new["id"]] = new if old is None else newer(old, new)
    missing = [item for item in items.values() if item["id"] not in fresh]
    for item in missing:  # the server's list may lag behind its own stream
        fresh[item["id"]] = item
    if missing:
        return dict(sorted(fresh.items(), key=lambda pair: _created(pair[1])))
    return fresh


def _created(item: Item) -> int:
    created = item.get("created_at")
    return created if isinstance(created, int) else 0


def _newer_message(old: Message, new: Message) -> Message:
    """Of two pictures of one message, the later one."""
    if is_final(old.get("status")):
        return new if is_final(new.get("status")) else old
    if not is_final(new.get("status")) and _length(old.get("content")) > _length(new.get("content")):
        return cast(Message, {**new, "content": old["content"]})
    return new


def _newer_step(old: RunStep, new: RunStep) -> RunStep:
    """Of two pictures of one step, the later one."""
    if is_final(old.get("status")):
        return new if is_final(new.get("status")) else old
    if not is_final(new.get("status")) and _length(old.get("step_details")) > _length(
        new.get("step_details")
    ):
        return cast(RunStep, {**new, "step_details": old["step_details"]})
    return new


def _length(value: object) -> int:
    """How much there is in a nested JSON value: its text counts by length, its lists by entries."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(1 + _length(item) for item in value)
    if isinstance(value, dict):
        return sum(_length(item) for item in value.values())
    return 0


# Deltas


def _message_delta(state: RunState, data: Json) -> RunState:
    message: Message | None = state.messages.get(data["id"])
    if message is None:
        # its creation was lost or is late; the snapshot will bring the rest
        message = cast(
            Message,
            {
                "id": data["id"],
                "object": MESSAGE,
                "thread_id": state.thread_id,
                "status": OPEN,
                "role": "assistant",
                "content": [],
                "run_id": state.run["id"] if state.run else None,
            },
        )
    elif is_final(message.get("status")):
        return state
    content = list(message["content"])
    for piece in data["delta"].get("content") or ():
        index = _index(piece, len(content))
        while len(content) <= index:
            content.append(cast(Any, {"type": piece["type"]}))
        content[index] = cast(Any, _grown_part(cast(Json, content[index]), piece))
    grown = cast(Message, {**message, "content": content})
    return replace(state, messages={**state.messages, grown["id"]: grown})


def _grown_part(part: Json, piece: Json) -> Json:
    kind = piece["type"]
    if kind == "text":
        old: Json = part.get("text") or {"value": "", "annotations": []}
        new: Json = piece.get("text") or {}
        text = {**old, "value": old["value"] + (new.get("value") or "")}
        if new.get("annotations"):
            text["annotations"] = _placed(old["annotations"], new["annotations"], lambda _, mark: mark)
        return {"type": "text", "text": text}
    if kind == "refusal":
        return {"type": "refusal", "refusal": part.get("refusal", "") + (piece.get("refusal") or "")}
    return {**part, **_without_index(piece)}


def _step_delta(state: RunState, data: Json) -> RunState:
    step: RunStep | None = state.steps.get(data["id"])
    details = data["delta"].get("step_details") or {}
    if step is None:
        step = cast(
            RunStep,
            {
                "id": data["id"],
                "object": STEP,
                "thread_id": state.thread_id,
                "run_id": state.run["id"] if state.run else None,
                "type": details["type"],
                "status": OPEN,
                "step_details": {"type": details["type"]},
            },
        )
    elif is_final(step.get("status")):
        return state
    old = cast(Json, step["step_details"])
    new = {**old, **details}
    if isinstance(details.get("tool_calls"), list):
        new["tool_calls"] = _placed(old.get("tool_calls") or [], details["tool_calls"], _grown_call)
    grown = cast(RunStep, {**step, "step_details": new})
    return replace(state, steps={**state.steps, grown["id"]: grown})


def _grown_call(call: Json, piece: Json) -> Json:
    kind = piece["type"]
    grown = {**call, "type": kind}
    if piece.get("id"):
        grown["id"] = piece["id"]
    old: Json = call.get(kind) or {}
    new = piece.get(kind)
    if not isinstance(new, dict):
        return grown
    inner = {**old, **{key: value for key, value in new.items() if value is not None or key not in old}}
    for key in ("input", "arguments"):  # these two arrive in pieces, everything else whole
        if key in new:
            inner[key] = (old.get(key) or "") + (new[key] or "")
    if isinstance(new.get("outputs"), list):
        inner["outputs"] = _placed(old.get("outputs") or [], new["outputs"], _grown_output)
    grown[kind] = inner
    return grown


def _grown_output(output: Json, piece: Json) -> Json:
    if piece.get("type") == "logs":
        return {**output, **piece, "logs": output.get("logs", "") + (piece.get("logs") or "")}
    return {**output, **piece}


def _placed(old: list[Any], pieces: list[Any], grow: Callable[[Json, Json], Json]) -> list[Json]:
    """`old` with each piece grown into the entry that its `index` names."""
    new = list(old)
    for piece in pieces:
        index = _index(piece, len(new))
        while len(new) <= index:
            new.append({})
        new[index] = grow(new[index], _without_index(piece))
    return new


_MAX_INDEX = 10_000  # no message or step has as many entries; a hostile index must not fill the memory


def _index(piece: Json, following: int) -> int:
    index = piece.get("index", following)
    if not isinstance(index, int) or not 0 <= index <= _MAX_INDEX:
        raise ValueError(f"no index: {index!r}")
    return index


def _without_index(piece: Json) -> Json:
    return {key: value for key, value in piece.items() if key != "index"}
