"""Bodies of the Assistants endpoints."""

from typing import Annotated

from pydantic import StringConstraints

from assistants_tui.engine.http.requests.common import (
    ONE_LINE,
    Instructions,
    Metadata,
    RequestBody,
    Temperature,
    TopP,
)
from assistants_tui.engine.http.requests.tools import (
    NewToolResources,
    ResponseFormat,
    ToolResources,
    Tools,
)
from assistants_tui.protocol import limits

_Model = Annotated[str, StringConstraints(min_length=1)]
_Name = Annotated[str, StringConstraints(max_length=limits.MAX_NAME), *ONE_LINE]
_Description = Annotated[str, StringConstraints(max_length=limits.MAX_DESCRIPTION)]


class NewAssistant(RequestBody):
    model: _Model
    name: _Name | None = None
    description: _Description | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    tool_resources: NewToolResources | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: limits.ReasoningEffort | None = None


class AssistantChanges(RequestBody):
    model: _Model = ""  # may be absent, but not null: an assistant always has a model
    name: _Name | None = None
    description: _Description | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: limits.ReasoningEffort | None = None
