"""One turn of the model, as it comes: text becomes a message, calls become a step of tool calls."""

import asyncio
from collections.abc import Mapping
from typing import Literal

from assistants_tui.engine.models import tokens
from assistants_tui.engine.models.base import (
    AnsweredBy,
    ChatRequest,
    Delta,
    Finish,
    FinishReason,
    ReasoningDelta,
    ReasoningSoFar,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from assistants_tui.engine.runs import call_arguments
from assistants_tui.engine.runs.code_argument import CodeArgument
from assistants_tui.engine.runs.code_runner import CodeRunner
from assistants_tui.engine.runs.prompt import with_returned
from assistants_tui.engine.runs.run_writer import RunWriter
from assistants_tui.engine.runs.streaming_annotations import MarkerScanner
from assistants_tui.engine.runs.strict_arguments import NOT_CALLED, StrictFunctions
from assistants_tui.engine.runs.tool_definitions import ToolBox, result_for_model
from assistants_tui.protocol.objects import Json

# A model in JSON mode that was not told to write JSON may write white space for ever.
MAX_WHITESPACE = 64 * 1024
# Counts here are estimates: an endpoint that heeds the limit itself must not be cut short by them.
_PATIENCE = 1.5


class Call:
    """One call that the model makes.

    `index`: its place in the step, None if it is not there: there is no such tool, or it is held back until
    its arguments are known to fit. `refusal`: what the model is told if they do not.
    """

    def __init__(self, call_id: str, name: str, kind: str | None, index: int | None) -> None:
        self.id = call_id
        self.name = name
        self.kind = kind
        self.index = index
        self.code = CodeArgument()
        self.arguments = ""
        self.refusal: str | None = None


class ModelTurn:
    """Takes one turn's deltas and writes them into the run's record."""

    def __init__(
        self,
        writer: RunWriter,
        tools: ToolBox,
        code: CodeRunner,
        request: ChatRequest,
    ) -> None:
        self.request = request
        self.calls: list[Call] = []
        self.counted = False
        self.cut: Literal["length"] | None = None
        self.refused = False
        self.reasoned = False
        self.step_id: str | None = None  # of the step that has its calls
        self._writer = writer
        self._tools = tools
        self._code = code
        self._artifacts = code.artifacts
        self._strict = StrictFunctions(request.tools)
        self._scanner = MarkerScanner(self._artifacts.markers)
        self._text: list[str] = []
        self._late: list[str] = []  # text after calls: a message cannot be written while they are
        self._blank = ""  # white space that no text has followed yet
        self._whitespace = 0
        self._bytes = 0
        self._finish: Finish | None = None
        self._prompt_estimate = tokens.of_messages(request.messages) + tokens.of_tools(request.tools)

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def has_begun(self) -> bool:
        """Whether anything of it has been told."""
        return bool(self._text or self.calls)

    @property
    def reason(self) -> FinishReason:
        """Why the turn ended."""
        return self.cut or (self._finish.reason if self._finish else "stop")

    @property
    def usage(self) -> Usage:
        """What the turn took, as counted by the endpoint, else as estimated."""
        if self._finish is not None and self._finish.usage is not None:
            return self._finish.usage
        return Usage(self._prompt_estimate, -(-self._bytes // tokens.BYTES_PER_TOKEN))

    @property
    def why_empty(self) -> str:
        """What to say of a turn without an answer."""
        what = (
            "The model reasoned, and then gave no answer" if self.reasoned else "The model's answer was empty"
        )
        return f"{what}. Ask again, or choose another model."

    async def take(self, delta: Delta) -> None:
        """Write one delta. Sets `cut` when the turn has to be stopped."""
        match delta:
            case TextDelta(text) | RefusalDelta(text):
                self._weigh(text)
                if self.calls:
                    self._late.append(text)
                else:
                    await self._write(text, refusal=isinstance(delta, RefusalDelta))
            case ReasoningDelta(text):
                self.reasoned = True
                self._weigh(text)
            case ReasoningSoFar():
                self.reasoned = True
                self._text.clear()
                self._blank = ""
                self._scanner = MarkerScanner(self._artifacts.markers)
                self._writer.message.discard_text()
            case ToolCallDelta():
                self._weigh(delta.arguments)
                await self._take_call(delta)
            case Finish():
                self._finish = delta
            case AnsweredBy(model):
                await self._writer.answered_by(model)

    def flush(self) -> None:
        """Tell what was held back: no more text will come."""
        if self._writer.message.is_open:
            for text, marker in self._scanner.finish():
                self._tell(text, marker)

    async def complete(self) -> str | None:
        """The turn is over and goes on with tools: what is open of it is closed or completed.

        Returns what is wrong with the arguments of functions, None for nothing.
        """
        await self._close_message()
        fault = await self._release()
        for call in self.calls:
            if call.index is not None and call.kind == "code_interpreter":
                self._writer.calls.add_input(call.index, call.code.finish())
            elif call.index is not None and call.kind == "function":
                fault = await self._settle_arguments(call, call.index) or fault
        return fault

    async def _settle_arguments(self, call: Call, index: int) -> str | None:
        """See to it that a function gets a JSON object, or is not called. Returns what is wrong, if that."""
        arguments = await asyncio.to_thread(call_arguments.sound, call.arguments)
        if arguments is None:
            fault = f"The arguments of '{call.name}' are not a JSON object."
            self._writer.calls.refuse(index, f"{fault} Nothing was called. Call it again.")
            return fault
        if not call.arguments.strip():
            self._writer.calls.add_input(index, arguments)
        elif arguments != call.arguments:
            self._writer.calls.replace_arguments(index, arguments)
        return None

    async def write_late_text(self) -> None:
        """Give text that came after calls a message of its own."""
        late = "".join(self._late)
        self._late = []
        if late.strip():
            await self._write(late, refusal=False)
            await self._close_message()

    async def write_images(self) -> None:
        """Show images that no text has followed."""
        if self._artifacts.new_images and not self._writer.message.is_open:
            await self._open_message()

    def as_turns(self, searches: Mapping[str, str]) -> list[Json]:
        """The answer and the results of its calls, as the model reads them in the next turn.

        `searches`: those of file search, by call ID.
        """
        calls = self._writer.calls.items
        made = [
            self._tools.as_model_call(calls[call.index])
            if call.index is not None and call.kind != "file_search"
            else _as_made(call)
            for call in self.calls
        ]
        spoken = {"role": "assistant", "content": self.text or None, "tool_calls": made}
        results = [
            searches.get(call.id) or result_for_model(calls[call.index])
            if call.index is not None
            else call.refusal or f"There is no tool named {call.name!r}. Use one of those you were given."
            for call in self.calls
        ]
        told = [
            {"role": "tool", "tool_call_id": call.id, "content": result}
            for call, result in zip(self.calls, results, strict=True)
        ]
        return [with_returned(spoken, self.returned), *told]

    @property
    def returned(self) -> Json:
        """What the server wants back with the results: fields of the turn, and of its calls by ID."""
        if self._finish is None or not (self._finish.returned or self._finish.returned_with_calls):
            return {}
        with_calls = self._finish.returned_with_calls or {}
        return {
            "turn": self._finish.returned or {},
            "calls": {call.id: with_calls[at] for at, call in enumerate(self.calls) if at in with_calls},
        }

    async def _write(self, text: str, *, refusal: bool) -> None:
        if not self._writer.message.is_open:
            self._blank += text
            if not self._blank.strip():
                return
            text, self._blank = self._blank, ""
            await self._open_message()
        self._text.append(text)
        if refusal:
            self.refused = True
            self._writer.message.add_refusal(text)
            return
        for stretch, marker in self._scanner.feed(text):
            self._tell(stretch, marker)

    def _tell(self, text: str, marker: str | None) -> None:
        if marker is None:
            self._writer.message.add_text(text)
        else:
            self._writer.message.add_marker(marker, self._artifacts.markers[marker])

    async def _open_message(self) -> None:
        self._scanner = MarkerScanner(self._artifacts.markers)
        images, attachments = self._artifacts.take_new()
        await self._writer.message.open(images, attachments)

    async def _close_message(self) -> None:
        self.flush()
        if self._writer.message.is_open:
            await self._writer.message.close()

    async def _take_call(self, delta: ToolCallDelta) -> None:
        if delta.position > 0 and not self.request.parallel_tool_calls:
            return
        if delta.position == len(self.calls):
            kind = self._tools.kind(delta.name)
            index = None
            if kind == "code_interpreter":
                self._code.prestart()
            if kind is not None and not self._holds_back(kind):
                index = await self._begin_call(kind, delta.id, delta.name)
            self.calls.append(Call(delta.id, delta.name, kind, index))
        call = self.calls[delta.position]
        call.arguments += delta.arguments
        if call.index is None:
            return
        if call.kind == "code_interpreter":
            self._writer.calls.add_input(call.index, call.code.feed(delta.arguments))
        elif call.kind == "function":
            self._writer.calls.add_input(call.index, delta.arguments)

    async def _begin_call(self, kind: str, call_id: str, name: str) -> int:
        if all(call.index is None for call in self.calls):
            await self._close_message()
            sandbox = await self._code.sandbox() if kind == "code_interpreter" else None
            await self._writer.calls.open(sandbox)
            self.step_id = self._writer.calls.step_id
        return self._writer.calls.add(kind, call_id, name)

    def _holds_back(self, kind: str | None) -> bool:
        """Whether calls of that kind are told only once the turn is over and all arguments are known.

        One strict function is enough: a client answers all calls of a turn together, or none.
        """
        return kind == "function" and bool(self._strict)

    async def _release(self) -> str | None:
        """Tell the calls that were held back, or none of them if the arguments of one do not fit."""
        held = [call for call in self.calls if self._holds_back(call.kind)]
        faults = {call.id: await asyncio.to_thread(self._strict_fault, call) for call in held}
        first = next((fault for fault in faults.values() if fault is not None), None)
        for call in held:
            if first is not None:
                fault = faults[call.id]
                call.refusal = NOT_CALLED if fault is None else f"{fault} Nothing was called. Call it again."
            else:
                call.index = await self._begin_call("function", call.id, call.name)
                self._writer.calls.add_input(call.index, call.arguments)
        return first

    def _strict_fault(self, call: Call) -> str | None:
        """What is wrong with the arguments of a call of a strict function. May take a while."""
        return self._strict.fault(call.name, call_arguments.sound(call.arguments) or call.arguments)

    def _weigh(self, text: str) -> None:
        """Watch over what has no end by itself."""
        self._bytes += len(text.encode("utf-8", "replace"))
        stripped = len(text.rstrip())
        self._whitespace = self._whitespace + len(text) if stripped == 0 else len(text) - stripped
        limit = self.request.max_completion_tokens
        if limit is not None and self._bytes / tokens.BYTES_PER_TOKEN > limit * _PATIENCE:
            self.cut = "length"
        if self.request.response_format is not None and self._whitespace > MAX_WHITESPACE:
            self.cut = "length"


def _as_made(call: Call) -> Json:
    arguments = call.arguments or "{}"
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
