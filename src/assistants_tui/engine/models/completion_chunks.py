"""Reads the chunks of a chat completion in all the shapes that servers of that protocol send them.

The published shape is one choice whose `delta` has a string `content` and a list of `tool_calls`, each with
an `index`, and with `id` and `function.name` in its first chunk only. Servers that people run differ: a call
comes whole in one chunk; every parallel call has index 0, or none; IDs are missing or repeated; arguments are
an object instead of a string; content is a list of parts; the whole answer comes as one `message`; nothing
counts tokens. Reasoning comes in fields of its own, in parts of the content, or between tags in the text.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assistants_tui.engine.models.base import (
    Delta,
    Finish,
    FinishReason,
    ModelError,
    ReasoningDelta,
    ReasoningSoFar,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from assistants_tui.engine.models.reasoning_tags import LoneEndTag, ReasoningTags
from assistants_tui.protocol import bounded_json
from assistants_tui.protocol.objects import Json

_REASONS: Mapping[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "sensitive": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
}
# With these the server says itself that something went wrong.
_FAILURES = (
    "error",
    "abort",
    "network_error",
    "insufficient_system_resource",
    "malformed_function_call",
)

# Where servers put reasoning as text. Some send the same in two of them.
_REASONING = ("reasoning_content", "reasoning")
# Fields of a turn that servers demand back with the results of its calls.
_RETURNED = (*_REASONING, "reasoning_details", "extra_content")
_GROWING = {"text", "summary", "data"}  # what grows in an entry of `reasoning_details`
_OF_A_CALL = {"index", "id", "type", "function"}


class _Characters:
    """Puts halves of characters together that a server has split, and replaces what no text may hold."""

    def __init__(self) -> None:
        self._half = ""

    def join(self, text: str) -> str:
        text = self._half + text
        self._half = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        if not text.isascii():
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text.replace("\0", "\ufffd")


@dataclass(slots=True)
class _Call:
    """A call that has begun: under which index and ID the server speaks of it, and what it said so far."""

    server_index: object
    server_id: str
    id: str
    name: str = ""
    is_told: bool = False
    arguments: list[str] = field(default_factory=list)
    characters: _Characters = field(default_factory=_Characters)

    def tell(self, position: int) -> ToolCallDelta:
        """The first piece for the reader, with what has come so far."""
        self.is_told = True
        return ToolCallDelta(position, self.id, self.name, "".join(self.arguments))

    def is_whole(self) -> bool:
        try:
            bounded_json.parse("".join(self.arguments))
        except (ValueError, RecursionError):  # RecursionError: nested too deeply
            return False
        return True


class ChunkReader:
    """Turns one answer's chunks into deltas. Feed every chunk to `read`, then take `finish`."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._characters = _Characters()
        self._reasoning = _Characters()
        self._reason: str | None = None
        self._whole = False
        self._usage: Usage | None = None
        self.has_begun = False
        """Whether anything of the answer has come."""
        self._has_choice = False
        self._was_read = False
        self._tags = ReasoningTags()
        self._returned: Json = {}
        self._returned_with_calls: dict[int, Json] = {}

    @property
    def is_whole(self) -> bool:
        """Whether the server has said why the answer ended, or sent it in one piece."""
        return self._whole or self._reason is not None

    @property
    def has_no_choice(self) -> bool:
        """Whether JSON came, and nothing of it was an answer."""
        return self._was_read and not self._has_choice

    @property
    def has_half_a_call(self) -> bool:
        """Whether a call has begun whose arguments have no end."""
        return any(any(call.arguments) and not call.is_whole() for call in self._calls)

    def read(self, chunk: object) -> Iterator[Delta]:
        """The deltas in one chunk; none for a chunk that has nothing of use, whatever it is."""
        if not isinstance(chunk, Mapping):
            return
        self._was_read = True
        self._usage = _usage(chunk.get("usage")) or self._usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return
        self._has_choice = True
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._reason = reason.lower()
        self._whole = self._whole or isinstance(choice.get("message"), Mapping)
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, Mapping):
            for piece in self._read_delta(delta):
                self.has_begun = True
                yield piece

    def _read_delta(self, delta: Mapping[str, Any]) -> Iterator[Delta]:
        for name in _RETURNED:
            if value := delta.get(name):
                self._returned[name] = _joined(self._returned.get(name), value)
        content = delta.get("content")
        thoughts = [*(delta.get(name) for name in _REASONING), _thinking(content)]
        reasoning = next((text for text in thoughts if isinstance(text, str) and text), "")
        if reasoning := self._reasoning.join(reasoning):
            yield ReasoningDelta(reasoning)
        if text := self._characters.join(_text(content)):
            yield from self._split(text)
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            yield RefusalDelta(_Characters().join(refusal))
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, Mapping):
                yield from self._read_call(call)
        if isinstance(legacy := delta.get("function_call"), Mapping):
            yield from self._read_call({"index": 0, "function": legacy})

    def _split(self, text: str | None) -> Iterator[Delta]:
        """The text without reasoning between tags. None: no more text will come."""
        try:
            yield from self._tags.finish() if text is None else self._tags.feed(text)
        except LoneEndTag as end:
            if end.reasoning:
                yield TextDelta(end.reasoning)
            yield ReasoningSoFar()
            if end.rest:
                yield TextDelta(end.rest)

    def held_back(self) -> Iterator[Delta]:
        """What was not certain until the last chunk had been read: text that might have been a tag, and a
        call without arguments or a name."""
        yield from self._split(None)
        yield from self._tell_last_call()

    def _tell_last_call(self) -> Iterator[Delta]:
        """The last call, if its name may not have been whole: some servers send the ID first, or the name
        in pieces."""
        if self._calls and not self._calls[-1].is_told:
            yield self._calls[-1].tell(len(self._calls) - 1)

    def finish(self) -> Finish:
        """Why the answer ended, and its cost. Calls want to be run, whatever reason came with them.

        Raises `ModelError` if the server has given a failure as the reason.
        """
        if self._reason in _FAILURES:
            raise ModelError(f"The model server broke the answer off. Its reason: {self._reason}.")
        reason: FinishReason = _REASONS.get(self._reason or "", "stop")
        if self._calls and reason == "stop":
            reason = "tool_calls"
        return Finish(reason, self._usage, self._returned or None, self._returned_with_calls or None)

    def _read_call(self, entry: Mapping[str, Any]) -> Iterator[Delta]:
        function = entry.get("function")
        if not isinstance(function, Mapping):
            function = {}
        index, identity, name = entry.get("index"), entry.get("id"), function.get("name")
        identity = identity if isinstance(identity, str) else ""
        name = name if isinstance(name, str) else ""
        arguments = _arguments(function.get("arguments"))
        position = self._position(index, identity, name)
        if position is None:
            if not (name or identity or arguments):
                return
            yield from self._tell_last_call()
            self.has_begun = True  # though nothing is told yet
            position = len(self._calls)
            self._calls.append(_Call(index, identity, identity or f"call_{secrets.token_hex(12)}"))
        call = self._calls[position]
        arguments = call.characters.join(arguments)
        call.arguments.append(arguments)
        if name != call.name and not call.is_told:  # some servers send the whole name again
            call.name += name
        if call.is_told and arguments:
            yield ToolCallDelta(position, "", "", arguments)
        elif not call.is_told and call.name and any(call.arguments):
            yield call.tell(position)
        if extra := {key: value for key, value in entry.items() if key not in _OF_A_CALL and value}:
            self._returned_with_calls.setdefault(position, {}).update(extra)

    def _position(self, index: object, identity: str, name: str) -> int | None:
        """Which call that has begun an entry continues; None when it begins a new one."""
        for position, call in enumerate(self._calls):
            if identity and call.server_id == identity:
                return position
        candidates = [
            position
            for position, call in enumerate(self._calls)
            if index is None or call.server_index is None or call.server_index == index
        ]
        if not candidates:
            return None
        position = candidates[-1]
        call = self._calls[position]
        if identity and call.server_id:
            return None  # another ID under the same index
        if name and call.is_whole():
            return None  # a named call after one that needs nothing more
        return position


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text")
    return "".join(text for text in parts if isinstance(text, str))


def _thinking(content: object) -> str:
    """The reasoning in a content that is a list of parts."""
    parts = content if isinstance(content, list) else ()
    thoughts = [part.get("thinking") for part in parts if isinstance(part, Mapping)]
    return "".join(thought if isinstance(thought, str) else _text(thought) for thought in thoughts)


def _joined(before: object, piece: object) -> object:
    """A value that comes in pieces, as far as it has come."""
    if isinstance(before, str) and isinstance(piece, str):
        return before + piece
    if isinstance(before, Mapping) and isinstance(piece, Mapping):
        return {**before, **piece}
    if isinstance(before, list) and isinstance(piece, list):
        entries = list(before)
        for entry in piece:
            if entries and _continues(entries[-1], entry):
                texts = {key: _joined(entries[-1].get(key), entry[key]) for key in _GROWING & entry.keys()}
                entries[-1] = {**entries[-1], **entry, **texts}
            else:
                entries.append(entry)
        return entries
    return piece


def _continues(last: object, entry: object) -> bool:
    """Whether an entry of a list is the next piece of the one before."""
    if not (isinstance(last, Mapping) and isinstance(entry, Mapping)):
        return False
    return "type" in entry and all(last.get(key) == entry.get(key) for key in ("type", "index"))


def _arguments(arguments: object) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if prompt <= 0 and completion <= 0:
        return None
    cached = _count(usage.get("prompt_tokens_details"), "cached_tokens")
    reasoning = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    return Usage(prompt, completion, cached, reasoning)


def _count(counts: object, name: str) -> int:
    count = counts.get(name) if isinstance(counts, Mapping) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else 0
