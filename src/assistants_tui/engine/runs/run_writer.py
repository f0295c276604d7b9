"""What a run has done: kept in memory while it works, stored, and announced once it is stored.

Text and code that stream in are announced at once and stored by `checkpoint`, which the manager calls often
enough that a killed engine loses less than half a second of them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.models.base import Usage
from assistants_tui.engine.runs import outcomes, usage
from assistants_tui.engine.runs.cancellation import Interrupted
from assistants_tui.engine.runs.content import MessageContent
from assistants_tui.engine.runs.events import EventBroadcaster
from assistants_tui.engine.runs.outcomes import RunOutcome
from assistants_tui.engine.store import ids, messages, run_steps, runs
from assistants_tui.engine.store.clock import Clock
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.tools.code_interpreter import Sandbox
from assistants_tui.engine.tools.file_search import passages
from assistants_tui.protocol.events import (
    MESSAGE,
    MESSAGE_DELTA,
    STEP,
    STEP_DELTA,
    Event,
    message_event,
    run_event,
    step_event,
)
from assistants_tui.protocol.transitions import OPEN, WORKED_ON, RunEvent, run_fields

Json = dict[str, Any]

_INPUTS = {"code_interpreter": "input", "function": "arguments"}
"""The field of a call that grows while the model writes the call, by the call's type."""


class RunWriter:
    """One run's state, and the only way in which its executor changes it.

    Every method that changes the run's state raises `Interrupted` when somebody else has changed it before.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBroadcaster,
        *,
        owner: str,
        run: Json,
        with_passages: bool = False,
    ) -> None:
        self.run = run
        self.owner = owner
        self.events = events
        self.turns = 0
        self.used = Usage()
        self._database = database
        self._clock = clock
        self._with_passages = with_passages  # whether readers want the text of search results
        self._message: Json | None = None
        self._message_step: Json | None = None
        self._content = MessageContent([])
        self._calls_step: Json | None = None
        self._calls: list[Json] = []
        self._settled: set[int] = set()
        self._announced = 0
        self._metadata: dict[str, str] = {}
        self._changes = 0  # how often something has streamed in
        self._saved = 0  # how much of that is on the disk
        self._cancelling_told = False
        self.concluded = False
        """Whether readers have been told how the run ended, or that it waits."""

    @property
    def id(self) -> str:
        run_id: str = self.run["id"]
        return run_id

    @property
    def calls(self) -> list[Json]:
        """The tool calls of the open step, as far as they have come."""
        return self._calls

    @property
    def unsettled_code(self) -> list[int]:
        """Where in the open step code stands that has not run yet."""
        return [
            index
            for index, call in enumerate(self._calls)
            if call["type"] == "code_interpreter" and index not in self._settled
        ]

    @property
    def waits_for_functions(self) -> bool:
        """Whether the open step has calls that the client has to answer."""
        return any(call["type"] == "function" for call in self._calls)

    @property
    def unsaved(self) -> bool:
        """Whether something has streamed in since the last checkpoint."""
        return self._saved < self._changes

    @property
    def has_message(self) -> bool:
        """Whether a message is being written."""
        return self._message is not None

    def resume(self, progress: Json) -> None:
        """Go on counting from where the run stood when it began to wait for an answer."""
        self.turns = progress.get("turns", 0)
        self.used = usage.from_wire(progress.get("usage"))

    def count(self, used: Usage) -> None:
        """Add one turn of the model to the run's usage."""
        self.turns += 1
        self.used += used

    # The run

    async def begin(self) -> None:
        """queued → in progress."""
        async with self._changing() as (connection, events):
            await self._change_run(connection, "start")
            events.append(Event(run_event("in_progress"), self.run))

    async def ask_for_outputs(self, used: Usage, kept: Json) -> None:
        """in progress → requires action. `kept` is what the run has to know when it goes on."""
        pending = [call for call in self._calls if call["type"] == "function"]
        asked = [
            {
                "id": call["id"],
                "type": "function",
                "function": {key: call["function"][key] for key in ("name", "arguments")},
            }
            for call in pending
        ]
        action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": asked}}
        await self._wait_for(action, used, kept)

    async def ask_about_code(self, index: int, reason: str, used: Usage, kept: Json) -> None:
        """in progress → requires action: the user is to say whether the code of a call may run.

        The hosted API has no such action: its code always runs in a sandbox. `reason`: why this one does not.
        """
        call = self._calls[index]
        code = {"input": call["code_interpreter"]["input"]}
        asked = {"id": call["id"], "type": "code_interpreter", "code_interpreter": code}
        action = {"type": "approve_code", "approve_code": {"tool_calls": [asked], "reason": reason}}
        await self._wait_for(action, used, kept)

    async def _wait_for(self, action: Json, used: Usage, kept: Json) -> None:
        """Readers learn of it once a client's answer would be accepted."""
        assert self._calls_step is not None
        progress = {
            "turns": self.turns,
            "usage": usage.to_wire(self.used),
            "step": self._calls_step["id"],
            "step_usage": usage.to_wire(used),
            "settled": sorted(self._settled),
            **kept,
        }
        async with self._changing(saves=True) as (connection, events):
            await self._change_run(
                connection, "wait", required_action=action, progress=progress, lease_holder=None
            )
            await run_steps.change(connection, self._calls_step["id"], self._step_values())
            events.append(Event(run_event("requires_action"), self.run))
        self._calls_step = None
        self.concluded = True

    def tell_cancelling(self) -> None:
        """Announce, once, that the run is to be cancelled."""
        if not self._cancelling_told:
            self._cancelling_told = True
            self.run = self.run | run_fields("cancel", self._now())
            self.events.publish(run_event("cancelling"), self.run)

    async def end(self, outcome: RunOutcome, used: Usage | None = None) -> bool:
        """End the run and all that is open. False if its state forbids this outcome."""
        step_values: dict[str, Json] = {}
        message_values: dict[str, Json] = {}
        counted: Json = {"usage": usage.to_wire(used)} if used is not None else {}
        if self._calls_step is not None:
            step_values[self._calls_step["id"]] = {**self._step_values(), **counted}
            counted = {}
        if self._message is not None and self._message_step is not None:
            message_values[self._message["id"]] = {"content": self._content.parts()}
            step_values[self._message_step["id"]] = counted
        saved = self._saved
        async with self._changing(saves=True) as (connection, events):
            ended = await outcomes.end(
                connection,
                self.id,
                outcome,
                "executor",
                self._now(),
                usage=usage.to_wire(self.used),
                step_values=step_values,
                message_values=message_values,
            )
            if ended is None:
                self._saved = saved
                return False
            events.extend(ended)
            if outcome is outcomes.CANCELLED:
                self.tell_cancelling()
        self.concluded = True
        self._message = self._message_step = self._calls_step = None
        return True

    # Messages

    async def open_message(self, image_ids: list[str], attachments: list[Json]) -> None:
        """Begin a message and its step."""
        message_id = ids.new("message")
        self._content = MessageContent(image_ids)
        async with self._changing() as (connection, events):
            await self._check(connection)
            details = {"type": "message_creation", "message_creation": {"message_id": message_id}}
            self._message_step = await self._create_step(connection, details)
            self._message = await messages.create(
                connection,
                self.owner,
                self.run["thread_id"],
                self._now(),
                {
                    "id": message_id,
                    "status": OPEN,
                    "role": "assistant",
                    "content": [],
                    "assistant_id": self.run["assistant_id"],
                    "run_id": self.id,
                    "attachments": attachments,
                },
            )
            events.extend(_begun(STEP, self._message_step))
            events.extend(_begun(MESSAGE, self._message))
        for delta in self._content.image_deltas():
            self._announce_content(delta)

    def add_text(self, text: str) -> None:
        self._announce_content(self._content.add_text(text))

    def add_marker(self, marker: str, meaning: Json) -> None:
        self._announce_content(self._content.add_marker(marker, meaning))

    def add_refusal(self, text: str) -> None:
        self._announce_content(self._content.add_refusal(text))

    async def close_message(self) -> None:
        """The message is complete, and so is its step, while the turn goes on."""
        assert self._message is not None and self._message_step is not None
        message, step = self._message, self._message_step
        self._message = self._message_step = None
        values = {"content": self._content.parts()}
        async with self._changing(saves=True) as (connection, events):
            await self._check(connection)
            if changed := await messages.end(connection, message["id"], "completed", self._now(), values):
                events.append(Event(message_event("completed"), changed))
            # What the turn takes is known at its end, and belongs to its last step.
            await self._complete_step(connection, events, step, {"usage": usage.to_wire(Usage())})

    # Tool calls

    async def open_calls(self, sandbox: Sandbox | None = None) -> None:
        """Begin a step of tool calls. `sandbox`: what its code will be confined by, if that is known."""
        self._calls = []
        self._settled = set()
        self._announced = 0
        self._metadata = {}
        if sandbox is not None:
            self.confined_by(sandbox)
        async with self._changing() as (connection, events):
            await self._check(connection)
            details: Json = {"type": "tool_calls", "tool_calls": []}
            self._calls_step = await self._create_step(connection, details, self._metadata)
            events.extend(_begun(STEP, self._calls_step))

    def reopen_calls(self, step: Json, settled: list[int]) -> None:
        """Go on with a step in which code waited; that of the calls in `settled` has been dealt with."""
        self._calls_step = step
        self._calls = step["step_details"]["tool_calls"]
        self._settled = set(settled)
        self._announced = min([*self.unsettled_code, len(self._calls) - 1]) + 1
        self._metadata = step["metadata"]

    def settle(self, index: int) -> None:
        """The code of a call has run, or will not. Calls that came after it are announced now."""
        self._settled.add(index)
        self._announce_calls()

    def replace_code(self, index: int, code: str) -> None:
        """The user wants other code to run. No delta can say so: readers get it with the completed step."""
        self._calls[index]["code_interpreter"]["input"] = code
        self._changes += 1

    def confined_by(self, sandbox: Sandbox) -> None:
        """Say in the step how its code was kept from the rest of the computer."""
        self._metadata = {"sandbox": sandbox.name, "sandbox_says": sandbox.sentence}

    def add_call(self, kind: str, call_id: str, name: str) -> int:
        """Begin a tool call and return its index. `name` is that of a function.

        A call that comes after code that has not run is announced when that code has put out all it will:
        the SDKs' handlers take the outputs of a call only until the next call is announced.
        """
        self._calls.append(self._new_call(kind, call_id, name))
        self._announce_calls()
        return len(self._calls) - 1

    def _new_call(self, kind: str, call_id: str, name: str) -> Json:
        shapes: dict[str, Json] = {
            "code_interpreter": {"input": "", "outputs": []},
            "file_search": {"ranking_options": passages.ranking(self.run["tools"]), "results": []},
            "function": {"name": name, "arguments": "", "output": None},
        }
        return {"id": call_id, "type": kind, kind: shapes[kind]}

    def _announce_calls(self) -> None:
        """Announce the calls whose turn it is, with what has come of them."""
        while self._announced < min([len(self._calls), *(index + 1 for index in self.unsettled_code)]):
            index, call = self._announced, self._calls[self._announced]
            self._announced += 1
            kind = call["type"]
            self._announce_call(
                {"index": index, **self._new_call(kind, call["id"], call[kind].get("name", ""))}
            )
            self._announce_input(index, call[kind].get(_INPUTS.get(kind), ""))

    def add_input(self, index: int, text: str) -> None:
        """Append to the code or to the arguments of a call."""
        kind = self._calls[index]["type"]
        self._calls[index][kind][_INPUTS[kind]] += text
        self._changes += 1
        if index < self._announced:
            self._announce_input(index, text)

    def _announce_input(self, index: int, text: str) -> None:
        kind = self._calls[index]["type"]
        if text:
            self._announce_call({"index": index, "type": kind, kind: {_INPUTS[kind]: text}})

    def add_logs(self, index: int, text: str) -> None:
        """Append to what a call's code has printed. Pieces without an image between them are one output."""
        outputs = self._calls[index]["code_interpreter"]["outputs"]
        if outputs and outputs[-1]["type"] == "logs":
            outputs[-1]["logs"] += text
        else:
            outputs.append({"type": "logs", "logs": text})
        self._announce_output(index, {"index": len(outputs) - 1, "type": "logs", "logs": text})

    def add_image(self, index: int, file_id: str) -> None:
        """Append an image that a call's code has shown."""
        outputs = self._calls[index]["code_interpreter"]["outputs"]
        image = {"type": "image", "image": {"file_id": file_id}}
        outputs.append(image)
        self._announce_output(index, {"index": len(outputs) - 1, **image})

    def add_results(self, index: int, results: list[Json]) -> None:
        """What a search has found. No delta has it: readers get it with the completed step."""
        self._calls[index]["file_search"]["results"] = results
        self._changes += 1

    async def close_calls(self, used: Usage) -> None:
        """All calls of the step have their results."""
        assert self._calls_step is not None
        values = {**self._step_values(), "usage": usage.to_wire(used)}
        step, self._calls_step = self._calls_step, None
        async with self._changing(saves=True) as (connection, events):
            await self._check(connection)
            await self._complete_step(connection, events, step, values)

    # Storing

    async def checkpoint(self, connection: AsyncConnection) -> int:
        """Store what has streamed in since the last time, if anything has.

        Returns what `checkpointed` is to be told once it is committed.
        """
        if not self.unsaved:
            return self._saved
        changes = self._changes
        if self._message is not None:
            await messages.change(connection, self._message["id"], {"content": self._content.parts()})
        if self._calls_step is not None:
            await run_steps.change(connection, self._calls_step["id"], {"step_details": self._details()})
        return changes

    def checkpointed(self, changes: int) -> None:
        """A checkpoint is committed."""
        self._saved = max(self._saved, changes)

    @asynccontextmanager
    async def _changing(self, *, saves: bool = False) -> AsyncIterator[tuple[AsyncConnection, list[Event]]]:
        """A transaction, and a list of events to be announced once it is committed.

        `saves`: it stores all that has streamed in. No checkpoint may come after its commit: that would undo
        what a quick answer of a client has stored.
        """
        events: list[Event] = []
        saved = self._saved
        if saves:
            self._saved = self._changes
        try:
            async with self._database.write() as connection:
                yield connection, events
        except BaseException:
            self._saved = saved if saves else self._saved
            raise
        for event in events:
            self.events.publish(
                event.name, event.data if self._with_passages else _without_passages(event.data)
            )

    async def _change_run(self, connection: AsyncConnection, event: RunEvent, **values: Any) -> None:
        run = await runs.transition(connection, self.id, event, "executor", self._now(), **values)
        if run is None:
            await self._check(connection)
            raise Interrupted("taken")
        self.run = run

    async def _check(self, connection: AsyncConnection) -> None:
        """That the run is still ours to work on: nobody has cancelled, ended or deleted it."""
        status = await runs.status(connection, self.id)
        if status == "cancelling":
            raise Interrupted("cancel")
        if status not in WORKED_ON:
            raise Interrupted("taken")

    async def _create_step(
        self, connection: AsyncConnection, details: Json, metadata: dict[str, str] | None = None
    ) -> Json:
        values = {
            "run_id": self.id,
            "thread_id": self.run["thread_id"],
            "assistant_id": self.run["assistant_id"],
            "type": details["type"],
            "step_details": details,
            "expires_at": self.run["expires_at"],
            "metadata": metadata or {},
        }
        return await run_steps.create(connection, self.owner, self._now(), values)

    async def _complete_step(
        self, connection: AsyncConnection, events: list[Event], step: Json, values: Json
    ) -> None:
        if changed := await run_steps.end(connection, step["id"], "completed", self._now(), values):
            events.append(Event(step_event("completed"), changed))

    def _step_values(self) -> Json:
        """What an open step of calls has gained besides its state."""
        return {"step_details": self._details(), "metadata": self._metadata}

    def _details(self) -> Json:
        return {"type": "tool_calls", "tool_calls": self._calls}

    def _announce_content(self, delta: Json) -> None:
        assert self._message is not None
        self._changes += 1
        data = {
            "id": self._message["id"],
            "object": MESSAGE_DELTA,
            "delta": {"content": [delta]},
        }
        self.events.publish(MESSAGE_DELTA, data)

    def _announce_output(self, index: int, output: Json) -> None:
        self._announce_call(
            {"index": index, "type": "code_interpreter", "code_interpreter": {"outputs": [output]}}
        )

    def _announce_call(self, call: Json) -> None:
        assert self._calls_step is not None
        self._changes += 1
        data = {
            "id": self._calls_step["id"],
            "object": STEP_DELTA,
            "delta": {"step_details": {"type": "tool_calls", "tool_calls": [call]}},
        }
        self.events.publish(STEP_DELTA, data)

    def _now(self) -> int:
        return int(self._clock.time())


def _without_passages(data: Json) -> Json:
    return passages.without_content(data) if data["object"] == STEP else data


def _begun(kind: str, data: Json) -> list[Event]:
    return [Event(f"{kind}.created", data), Event(f"{kind}.in_progress", data)]
