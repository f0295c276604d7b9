"""Bodies of the Runs endpoints."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, Tag

from assistants_tui.engine.http.requests.common import (
    AssistantId,
    Fields,
    Instructions,
    Metadata,
    RequestBody,
    Temperature,
    TopP,
    TypedBody,
    alternative,
    by_json_type,
)
from assistants_tui.engine.http.requests.messages import NewMessages, NewThread
from assistants_tui.engine.http.requests.tools import (
    ResponseFormat,
    ToolResources,
    Tools,
)
from assistants_tui.protocol import limits

_MAX_TOKENS = 2**31 - 1  # a bound only because columns have one
# The reference wants 256 of either, but the service is on record with 16 for the completion.
_PromptTokens = Annotated[int, Field(ge=limits.MIN_TOKENS, le=_MAX_TOKENS)]
_CompletionTokens = Annotated[int, Field(ge=1, le=_MAX_TOKENS)]


class TruncationStrategy(TypedBody):
    types: ClassVar = {
        "auto": Fields(allowed=("last_messages",)),
        "last_messages": Fields(needed=("last_messages",)),
    }

    type: Literal["auto", "last_messages"]
    last_messages: Annotated[int, Field(ge=1)] | None = None


class FunctionChoice(RequestBody):
    name: str


class ToolChoice(TypedBody):
    types: ClassVar = {
        "code_interpreter": Fields(),
        "file_search": Fields(),
        "function": Fields(needed=("function",)),
    }

    type: Literal["code_interpreter", "file_search", "function"]
    function: FunctionChoice | None = None


class _RunOptions(RequestBody):
    assistant_id: AssistantId
    model: Annotated[str, StringConstraints(min_length=1)] | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    stream: bool | None = None
    max_prompt_tokens: _PromptTokens | None = None
    max_completion_tokens: _CompletionTokens | None = None
    truncation_strategy: TruncationStrategy | None = None
    tool_choice: (
        Annotated[
            Annotated[Literal["none", "auto", "required"], Tag(alternative("text"))]
            | Annotated[ToolChoice, Tag(alternative("object"))],
            by_json_type(text=str, object=dict),
        ]
        | None
    ) = None
    parallel_tool_calls: bool = True
    response_format: ResponseFormat | None = None


class NewRun(_RunOptions):
    additional_instructions: Instructions | None = None
    additional_messages: NewMessages | None = None
    reasoning_effort: limits.ReasoningEffort | None = None


class NewThreadAndRun(_RunOptions):
    thread: NewThread | None = None
    tool_resources: ToolResources | None = None


class ToolOutput(RequestBody):
    tool_call_id: str
    output: str


class CodeDecision(TypedBody):
    """Not part of the hosted API."""

    types: ClassVar = {"run": Fields(allowed=("code",)), "reject": Fields(allowed=("reason",))}
    type_field = "decision"

    tool_call_id: str
    decision: Literal["run", "reject"]
    code: Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_MESSAGE_TEXT)] | None = None
    reason: Annotated[str, StringConstraints(max_length=limits.MAX_REJECTION_REASON)] | None = None
    stream: bool | None = None


class ToolOutputs(RequestBody):
    tool_outputs: Annotated[list[ToolOutput], Field(fail_fast=True, max_length=limits.MAX_TOOL_OUTPUTS)]
    stream: bool | None = None
