"""Bodies of the Runs endpoints."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, Tag, model_validator

from assistants_tui.engine.api.requests.common import (
    AssistantId,
    Instructions,
    Metadata,
    RequestBody,
    Temperature,
    TopP,
    alternative,
    by_json_type,
    refuse,
)
from assistants_tui.engine.api.requests.messages import NewMessage, NewThread
from assistants_tui.engine.api.requests.tools import (
    ReasoningEffort,
    ResponseFormat,
    ToolResources,
    Tools,
)

_MAX_TOKENS = 2**31 - 1  # a bound only because columns have one
_Tokens = Annotated[int, Field(ge=256, le=_MAX_TOKENS)]


class TruncationStrategy(RequestBody):
    type: Literal["auto", "last_messages"]
    last_messages: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _has_what_its_type_says(self) -> Self:
        if self.type == "last_messages" and self.last_messages is None:
            raise refuse(
                "Missing required parameter: '{path}'.", code="missing_required_parameter", at="last_messages"
            )
        return self


class FunctionChoice(RequestBody):
    name: str


class ToolChoice(RequestBody):
    type: Literal["code_interpreter", "file_search", "function"]
    function: FunctionChoice | None = None

    @model_validator(mode="after")
    def _has_what_its_type_says(self) -> Self:
        if self.type == "function" and self.function is None:
            raise refuse(
                "Missing required parameter: '{path}'.", code="missing_required_parameter", at="function"
            )
        if self.type != "function" and self.function is not None:
            raise refuse("Unknown parameter: '{path}'.", code="unknown_parameter", at="function")
        return self


class _RunOptions(RequestBody):
    assistant_id: AssistantId
    model: Annotated[str, StringConstraints(min_length=1)] | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    stream: bool | None = None
    max_prompt_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
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
    additional_messages: list[NewMessage] | None = None
    reasoning_effort: ReasoningEffort | None = None


class NewThreadAndRun(_RunOptions):
    thread: NewThread | None = None
    tool_resources: ToolResources | None = None


class ToolOutput(RequestBody):
    tool_call_id: str
    output: str


class CodeDecision(RequestBody):
    """Not part of the hosted API."""

    tool_call_id: str
    decision: Literal["run", "reject"]
    code: Annotated[str, StringConstraints(min_length=1, max_length=256_000)] | None = None
    reason: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    stream: bool | None = None

    @model_validator(mode="after")
    def _has_what_its_decision_needs(self) -> Self:
        other = "reason" if self.decision == "run" else "code"
        if getattr(self, other) is not None:
            raise refuse("Unknown parameter: '{path}'.", code="unknown_parameter", at=other)
        return self


class ToolOutputs(RequestBody):
    tool_outputs: list[ToolOutput]
    stream: bool | None = None
