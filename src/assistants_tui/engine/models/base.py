"""What the engine asks of a language model, and what it gets back: one stream of small pieces per turn."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from assistants_tui.protocol.error_codes import RunErrorCode
from assistants_tui.protocol.objects import Json

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class TextDelta(NamedTuple):
    """The next piece of the answer's text, never empty."""

    text: str


class ReasoningDelta(NamedTuple):
    """The next piece of what the model thinks before it answers, never empty. It is no part of the answer."""

    text: str


class ReasoningSoFar(NamedTuple):
    """All text of the turn that came before was reasoning, which the server did not mark in time."""


class RefusalDelta(NamedTuple):
    """The next piece of a refusal: the model declines to answer and says so."""

    text: str


class ToolCallDelta(NamedTuple):
    """The next piece of a call to a tool.

    Positions count the calls of a turn from 0 without gaps, in the order of their first pieces. The first
    piece of a call has its ID and name, and may have arguments; later ones have only arguments. Joined,
    the arguments are what the model wrote: they should be a JSON object, but nobody guarantees it.
    """

    position: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one turn, as the endpoint counted them, or the sum of several."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt's: those that the endpoint knew from before."""
    reasoning_tokens: int = 0
    """Of the completion's: those that the answer does not show."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )


class Finish(NamedTuple):
    """The last item of every stream. `usage` is None where the endpoint does not count."""

    reason: FinishReason
    usage: Usage | None
    returned: Json | None = None
    """Fields of the turn that go back to the server, untouched, with the results of its calls."""
    returned_with_calls: Mapping[int, Json] | None = None
    """The same for single calls, by position."""


class AnsweredBy(NamedTuple):
    """Comes first where another model answers than the one that was named."""

    model: str
    """Its name, as a request would have to say it."""


class StatedContext(NamedTuple):
    """How many tokens a model reads, as its server says."""

    tokens: int
    seconds: float
    """How long that may be taken to be true."""


Delta = TextDelta | ReasoningDelta | ReasoningSoFar | RefusalDelta | ToolCallDelta | Finish | AnsweredBy


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One turn. Messages, tools, tool choice and response format have the shape of chat completions."""

    model: str
    messages: Sequence[Json]
    tools: Sequence[Json] = ()
    tool_choice: str | Json = "auto"
    parallel_tool_calls: bool = True
    temperature: float = 1.0
    top_p: float = 1.0
    response_format: Json | None = None
    max_completion_tokens: int | None = None
    reasoning_effort: str | None = None


class ModelError(Exception):
    """A turn that could not be had. The message is for the user of the run, without keys."""

    def __init__(self, message: str, code: RunErrorCode = "server_error") -> None:
        super().__init__(message)
        self.code: RunErrorCode = code


class ContextOverflowError(ModelError):
    """The messages are longer than the model can read; `limit` is its context in tokens, where it said so."""

    def __init__(self, message: str, limit: int | None = None) -> None:
        super().__init__(message, "invalid_prompt")
        self.limit = limit


class ChatModel(Protocol):
    """A source of answers."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """The turn's pieces as they come, ended by one `Finish`. Closing the iterator stops the turn.

        Raises `ModelError` before or between the pieces.
        """

    async def models(self) -> list[Json]:
        """The models that can be named in a request, as objects of the Models API. Raises `ModelError`."""

    async def context(self, model: str) -> StatedContext | None:
        """What a model reads, if its server says so. Raises `ModelError`."""

    async def close(self) -> None:
        """Lets go of connections."""
