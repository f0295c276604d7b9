"""The tutor as a model: chooses a reply and streams it in pieces."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

from assistants_tui.engine.models import tokens
from assistants_tui.engine.models.base import (
    ChatRequest,
    Delta,
    Finish,
    FinishReason,
    StatedContext,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from assistants_tui.engine.tutor import (
    arithmetic,
    calculus,
    calls,
    documents,
    equations,
    guide,
    structured,
    tables,
)
from assistants_tui.engine.tutor.conversation import Call, Conversation, Reply, Say
from assistants_tui.protocol.names import OFFLINE_TUTOR
from assistants_tui.protocol.objects import Json

_PACE = 0.006  # seconds between two pieces: quick to read along, and like a model it can be stopped
_PIECE = re.compile(r"\s*\S{1,6}|\s+")
_MATHEMATICS = (calculus.reply, equations.reply, arithmetic.reply)
_SUBJECTS = (calls.reply, tables.reply, *_MATHEMATICS, documents.reply)
# Without code there is nothing to compute: a question with numbers is one about the documents.
_SUBJECTS_WITHOUT_CODE = (calls.reply, documents.reply, tables.reply, *_MATHEMATICS)


class Tutor:
    """Answers without any network. `pace`: seconds between two pieces of an answer."""

    def __init__(self, *, pace: float = _PACE) -> None:
        self._pace = pace

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        written = 0
        reason: FinishReason = "stop"
        # In a thread: it may have much to read in what a search has found.
        reply = await asyncio.to_thread(_reply, request)
        for delta in _deltas(reply):
            written += 1
            if request.max_completion_tokens is not None and written > request.max_completion_tokens:
                reason = "length"
                break
            yield delta
            if isinstance(delta, ToolCallDelta):
                reason = "tool_calls"
            await asyncio.sleep(self._pace)
        prompt = tokens.of_messages(request.messages) + tokens.of_tools(request.tools)
        yield Finish(reason, Usage(prompt, min(written, request.max_completion_tokens or written)))

    async def models(self) -> list[Json]:
        return [
            {"id": OFFLINE_TUTOR, "object": "model", "created": 1_763_510_400, "owned_by": "assistants-tui"}
        ]

    async def context(self, model: str) -> StatedContext | None:
        return None

    async def close(self) -> None:
        pass


def _reply(request: ChatRequest) -> Reply:
    talk = Conversation(request)
    reply = _forced(talk, request.tool_choice)
    if reply is None:
        reply = next((found for subject in _subjects(talk) if (found := subject(talk)) is not None), None)
    if isinstance(reply, Say) and talk.is_first:
        reply = Say(f"{reply.text}\n\n{guide.note()}")
    if reply is None:
        reply = Say(guide.help_text(talk))
    if not isinstance(reply, Say):
        if request.tool_choice == "none":
            return Say("I would call a tool for this, but this run does not let me.")
        return list(reply)[: None if request.parallel_tool_calls else 1]
    if request.response_format is not None:
        return Say(structured.as_json(reply.text, request.response_format))
    return reply


def _subjects(talk: Conversation) -> Sequence[Callable[[Conversation], Reply | None]]:
    return _SUBJECTS if talk.code_tool is not None else _SUBJECTS_WITHOUT_CODE


def _forced(talk: Conversation, choice: str | Json) -> Reply | None:
    """The call that a request insists on; None if it leaves the choice."""
    if choice in ("auto", "none"):
        return None
    name = choice["function"]["name"] if isinstance(choice, dict) else None
    if name is None:
        # Any tool will do: one that fits the question if there is one.
        for subject in _subjects(talk):
            if not isinstance(found := subject(talk), Say | None):
                return found
        name = talk.code_tool or talk.search_tool or (talk.functions[0]["name"] if talk.functions else None)
    if name == talk.code_tool and name is not None:
        for subject in (tables.reply, *_MATHEMATICS):
            if not isinstance(found := subject(talk), Say | None):
                return found
        return [Call(name, {"code": 'print("There is nothing to compute in this message.")\n'})]
    if name == talk.search_tool and name is not None:
        return documents.search(talk)
    return calls.reply(talk, forced=name) if name is not None else None


def _deltas(reply: Reply) -> Iterator[Delta]:
    if isinstance(reply, Say):
        yield from (TextDelta(piece) for piece in _PIECE.findall(reply.text))
        return
    for position, call in enumerate(reply):
        yield ToolCallDelta(position, f"call_{secrets.token_hex(12)}", call.name, "")
        for piece in _PIECE.findall(json.dumps(call.arguments, ensure_ascii=False)):
            yield ToolCallDelta(position, "", "", piece)
