"""What a run has done: kept in memory while it works, stored, and announced once it is stored.

Text and code that stream in are announced at once and stored by `checkpoint`, which the manager calls often
enough that a killed engine loses less than half a second of them.
"""

from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.models.base import Usage
from assistants_tui.engine.runs import outcomes, usage
from assistants_tui.engine.runs.message_writer import MessageWriter
from assistants_tui.engine.runs.outcomes import RunOutcome
from assistants_tui.engine.runs.run_storage import RunStorage
from assistants_tui.engine.runs.tool_calls_writer import ToolCallsWriter
from assistants_tui.engine.store import run_steps, runs
from assistants_tui.engine.store.runs import StoredRun
from assistants_tui.protocol.events import Event, run_event
from assistants_tui.protocol.objects import Json
from assistants_tui.protocol.transitions import run_fields


class RunWriter:
    """Brings one run from state to state; `message` and `calls` write what it does meanwhile.

    Every method that changes the run's state raises `Interrupted` when somebody else has changed it before.
    """

    def __init__(self, storage: RunStorage) -> None:
        self.message = MessageWriter(storage)
        self.calls = ToolCallsWriter(storage)
        self.turns = 0
        self.used = Usage()
        self.concluded = False
        """Whether readers have been told how the run ended, or that it waits."""
        self._storage = storage
        self._cancelling_announced = False

    @property
    def run(self) -> StoredRun:
        """The run as it was stored last."""
        return self._storage.run

    @property
    def id(self) -> str:
        return self._storage.id

    def resume(self, progress: Json) -> None:
        """Go on counting from where the run stood when it began to wait for an answer."""
        self.turns = progress.get("turns", 0)
        self.used = usage.from_wire(progress.get("usage"))

    def count(self, used: Usage) -> None:
        """Add one turn of the model to the run's usage."""
        self.turns += 1
        self.used += used

    async def begin(self) -> None:
        """queued → in progress."""
        async with self._storage.transaction() as (connection, events):
            await self._storage.transition(connection, "start")
            events.append(Event(run_event("in_progress"), self.run))

    async def answered_by(self, model: str) -> None:
        """Say in the run that another model answers than the one that it named."""
        async with self._storage.transaction() as (connection, _):
            await runs.change(connection, self.id, {"model": model})
        self._storage.run = cast(StoredRun, {**self.run, "model": model})

    async def ask_for_outputs(self, used: Usage, kept: Json) -> None:
        """in progress → requires action. `kept` is what the run has to know when it goes on."""
        asked = [
            {
                "id": call["id"],
                "type": "function",
                "function": {key: call["function"][key] for key in ("name", "arguments")},
            }
            for call in self.calls.functions
        ]
        action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": asked}}
        await self._wait_for(action, used, kept)

    async def ask_about_code(self, index: int, reason: str, used: Usage, kept: Json) -> None:
        """in progress → requires action: the user is to say whether the code of a call may run.

        The hosted API has no such action: its code always runs in a sandbox. `reason`: why this one does not.
        """
        call = self.calls.items[index]
        code = {"input": call["code_interpreter"]["input"]}
        asked = {"id": call["id"], "type": "code_interpreter", "code_interpreter": code}
        action = {"type": "approve_code", "approve_code": {"tool_calls": [asked], "reason": reason}}
        await self._wait_for(action, used, kept)

    async def _wait_for(self, action: Json, used: Usage, kept: Json) -> None:
        """Readers learn of it once a client's answer would be accepted."""
        step_id = self.calls.step_id
        assert step_id is not None
        progress = {
            "turns": self.turns,
            "usage": usage.to_wire(self.used),
            "step": step_id,
            "step_usage": usage.to_wire(used),
            "settled": self.calls.settled,
            **kept,
        }
        async with self._storage.transaction(saves=True) as (connection, events):
            await self._storage.transition(
                connection, "wait", required_action=action, progress=progress, lease_holder=None
            )
            await run_steps.change(connection, step_id, self.calls.values())
            events.append(Event(run_event("requires_action"), self.run))
        self.calls.leave()
        self.concluded = True

    def announce_cancelling(self) -> None:
        """Announce, once, that the run is to be cancelled."""
        if not self._cancelling_announced:
            self._cancelling_announced = True
            cancelling = {**self.run, **run_fields("cancel", self._storage.now())}
            self._storage.run = cast(StoredRun, cancelling)
            self._storage.events.publish(run_event("cancelling"), self.run)

    async def end(self, outcome: RunOutcome, used: Usage | None = None) -> bool:
        """End the run and all that is open. False if its state forbids this outcome."""
        step_values: dict[str, Json] = {}
        message_values: dict[str, Json] = {}
        counted: Json = {"usage": usage.to_wire(used)} if used is not None else {}
        if self.calls.step_id is not None:
            step_values[self.calls.step_id] = {**self.calls.values(), **counted}
            counted = {}
        if (written := self.message.unsaved_values()) is not None:
            message_id, step_id, values = written
            message_values[message_id] = values
            step_values[step_id] = counted
        async with self._storage.attempt_to_end() as (connection, events):
            ended = await outcomes.end(
                connection,
                self.id,
                outcome,
                "executor",
                self._storage.now(),
                usage=usage.to_wire(self.used),
                step_values=step_values,
                message_values=message_values,
            )
            if ended is None:
                return False
            events.extend(ended)
            if outcome is outcomes.CANCELLED:
                self.announce_cancelling()
        self.concluded = True
        self.message.leave()
        self.calls.leave()
        return True

    async def checkpoint(self, connection: AsyncConnection) -> int:
        """Store what has streamed in since the last time, if anything has.

        Returns what `RunStorage.note_saved` gets once it is committed.
        """
        if not self._storage.unsaved:
            return 0
        streamed = self._storage.streamed
        await self.message.checkpoint(connection)
        await self.calls.checkpoint(connection)
        return streamed
