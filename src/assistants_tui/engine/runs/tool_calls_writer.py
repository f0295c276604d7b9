"""The step of tool calls that a run has open: the calls as the model writes them, and what comes of them."""

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.code_interpreter import Sandbox
from assistants_tui.engine.models.base import Usage
from assistants_tui.engine.runs import usage
from assistants_tui.engine.runs.run_storage import RunStorage, begin_events
from assistants_tui.engine.search import passages
from assistants_tui.engine.store import run_steps
from assistants_tui.engine.store.run_steps import StoredStep
from assistants_tui.protocol.events import STEP, STEP_DELTA
from assistants_tui.protocol.objects import CodeOutput, Json, ToolCall


class ToolCallsWriter:
    """Writes one step of calls after the other. `open` and `close` raise `Interrupted`."""

    def __init__(self, storage: RunStorage) -> None:
        self._storage = storage
        self._step: StoredStep | None = None
        self._calls: list[ToolCall] = []
        self._settled: set[int] = set()
        self._announced = 0
        self._metadata: dict[str, str] = {}

    @property
    def items(self) -> list[ToolCall]:
        """The tool calls of the step, as far as they have come."""
        return self._calls

    @property
    def step_id(self) -> str | None:
        """The ID of the open step."""
        return None if self._step is None else self._step["id"]

    @property
    def settled(self) -> list[int]:
        """Where in the step code stands that has run, or will not."""
        return sorted(self._settled)

    @property
    def unsettled_code(self) -> list[int]:
        """Where in the step code stands that has not run yet."""
        return [
            index
            for index, call in enumerate(self._calls)
            if call["type"] == "code_interpreter" and index not in self._settled
        ]

    @property
    def functions(self) -> list[ToolCall]:
        """The calls that the client has to answer."""
        return [
            call for call in self._calls if call["type"] == "function" and call["function"]["output"] is None
        ]

    async def open(self, sandbox: Sandbox | None = None) -> None:
        """Begin a step of tool calls. `sandbox`: what its code will be confined by, if that is known."""
        self._calls = []
        self._settled = set()
        self._announced = 0
        self._metadata = {}
        if sandbox is not None:
            self.confined_by(sandbox)
        storage = self._storage
        async with storage.transaction() as (connection, events):
            await storage.check(connection)
            details: Json = {"type": "tool_calls", "tool_calls": []}
            self._step = await storage.create_step(connection, details, self._metadata)
            events.extend(begin_events(STEP, self._step))

    def reopen(self, step: StoredStep, settled: list[int]) -> None:
        """Go on with a step in which code waited; that of the calls in `settled` has been dealt with."""
        self._step = step
        self._calls = step["step_details"]["tool_calls"]
        self._settled = set(settled)
        self._announced = min([*self.unsettled_code, len(self._calls) - 1]) + 1
        self._metadata = step["metadata"] or {}

    def settle(self, index: int) -> None:
        """The code of a call has run, or will not. Calls that came after it are announced now."""
        self._settled.add(index)
        self._announce_calls()

    def replace_code(self, index: int, code: str) -> None:
        """The user wants other code to run. No delta can say so: readers get it with the completed step."""
        self._calls[index]["code_interpreter"]["input"] = code
        self._storage.note_streamed()

    def replace_arguments(self, index: int, arguments: str) -> None:
        """What the function gets in place of what the model wrote. Readers get it with the whole step."""
        self._calls[index]["function"]["arguments"] = arguments
        self._storage.note_streamed()

    def refuse(self, index: int, reason: str) -> None:
        """Nobody is asked to answer this call of a function: the model gets the reason as its output."""
        self._calls[index]["function"]["output"] = reason
        self._storage.note_streamed()

    def confined_by(self, sandbox: Sandbox) -> None:
        """Say in the step how its code was kept from the rest of the computer."""
        self._metadata = {"sandbox": sandbox.name, "sandbox_says": sandbox.sentence}

    def add(self, kind: str, call_id: str, name: str) -> int:
        """Begin a tool call and return its index. `name` is that of a function.

        A call that comes after code that has not run is announced when that code has put out all it will:
        the SDKs' handlers take the outputs of a call only until the next call is announced.
        """
        self._calls.append(self._new_call(kind, call_id, name))
        self._announce_calls()
        return len(self._calls) - 1

    def add_input(self, index: int, text: str) -> None:
        """Append to the code or to the arguments of a call."""
        call = self._calls[index]
        if call["type"] == "code_interpreter":
            call["code_interpreter"]["input"] += text
        else:
            call["function"]["arguments"] += text
        self._storage.note_streamed()
        if index < self._announced:
            self._announce_input(index, text)

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
        image: CodeOutput = {"type": "image", "image": {"file_id": file_id}}
        outputs.append(image)
        self._announce_output(index, {"index": len(outputs) - 1, **image})

    def add_results(self, index: int, results: list[Json]) -> None:
        """What a search has found. No delta has it: readers get it with the completed step."""
        self._calls[index]["file_search"]["results"] = results
        self._storage.note_streamed()

    async def close(self, used: Usage) -> None:
        """All calls of the step have their results."""
        assert self._step is not None
        values = {**self.values(), "usage": usage.to_wire(used)}
        step, storage = self._step, self._storage
        self.leave()
        async with storage.transaction(saves=True) as (connection, events):
            await storage.check(connection)
            await storage.complete_step(connection, events, step, values)

    async def checkpoint(self, connection: AsyncConnection) -> None:
        """Store what has come of the open step, if there is one."""
        if self._step is not None:
            await run_steps.change(connection, self._step["id"], {"step_details": self._details()})

    def values(self) -> Json:
        """What the open step has gained besides its state."""
        return {"step_details": self._details(), "metadata": self._metadata}

    def leave(self) -> None:
        """The step is ended elsewhere, or waits."""
        self._step = None

    def _details(self) -> Json:
        return {"type": "tool_calls", "tool_calls": self._calls}

    def _new_call(self, kind: str, call_id: str, name: str) -> ToolCall:
        call: ToolCall = {"id": call_id, "type": kind}
        if kind == "code_interpreter":
            call["code_interpreter"] = {"input": "", "outputs": []}
        elif kind == "file_search":
            ranking = passages.ranking(self._storage.run["tools"])
            call["file_search"] = {"ranking_options": ranking, "results": []}
        else:
            call["function"] = {"name": name, "arguments": "", "output": None}
        return call

    # Deltas

    def _announce_calls(self) -> None:
        """Announce the calls whose turn it is, with what has come of them."""
        while self._announced < min([len(self._calls), *(index + 1 for index in self.unsettled_code)]):
            index, call = self._announced, self._calls[self._announced]
            self._announced += 1
            name = call["function"]["name"] if call["type"] == "function" else ""
            self._announce({"index": index, **self._new_call(call["type"], call["id"], name)})
            self._announce_input(index, _input_of(call))

    def _announce_input(self, index: int, text: str) -> None:
        if not text:
            return
        if (kind := self._calls[index]["type"]) == "code_interpreter":
            self._announce({"index": index, "type": kind, "code_interpreter": {"input": text}})
        else:
            self._announce({"index": index, "type": kind, "function": {"arguments": text}})

    def _announce_output(self, index: int, output: Json) -> None:
        self._announce(
            {"index": index, "type": "code_interpreter", "code_interpreter": {"outputs": [output]}}
        )

    def _announce(self, call: Json) -> None:
        assert self._step is not None
        details = {"type": "tool_calls", "tool_calls": [call]}
        self._storage.publish_delta(STEP_DELTA, self._step["id"], {"step_details": details})


def _input_of(call: ToolCall) -> str:
    """What grows while the model writes a call: code, or arguments."""
    if call["type"] == "code_interpreter":
        return call["code_interpreter"]["input"]
    return call["function"]["arguments"] if call["type"] == "function" else ""
