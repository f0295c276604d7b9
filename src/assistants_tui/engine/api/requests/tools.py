"""Tools of assistants and runs, and the files and vector stores they work on."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, Tag, model_validator

from assistants_tui.engine.api.json_schema import schema_fault
from assistants_tui.engine.api.requests.common import (
    FileId,
    Metadata,
    RequestBody,
    VectorStoreId,
    alternative,
    by_json_type,
    refuse,
)

_Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")]


class FunctionDefinition(RequestBody):
    name: _Name
    description: Annotated[str, StringConstraints(max_length=1024)] | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    @model_validator(mode="after")
    def _takes_an_object(self) -> Self:
        kind = (self.parameters or {}).get("type", "object")
        if kind != "object":
            raise refuse(
                f"Invalid schema for function '{self.name}': schema must be a JSON Schema of "
                f"'type: \"object\"', got 'type: {kind!r}'.",
                code="invalid_function_parameters",
                at="parameters",
            )
        fault = schema_fault(self.parameters) if self.strict and self.parameters else None
        if fault is not None:
            raise refuse(
                f"Invalid schema for function '{self.name}': {fault}",
                code="invalid_function_parameters",
                at="parameters",
            )
        return self


class RankingOptions(RequestBody):
    """`hybrid_search` may be null, as the service shows it; weights of one's own are not offered."""

    ranker: Literal["auto", "default_2024_08_21"] | None = None
    score_threshold: Annotated[float, Field(ge=0, le=1)]
    hybrid_search: None = None


_RANKING = {"ranker": "default_2024_08_21", "score_threshold": 0.0, "hybrid_search": None}


class FileSearchOptions(RequestBody):
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None = None
    ranking_options: RankingOptions | None = None


class Tool(RequestBody):
    type: Literal["code_interpreter", "file_search", "function"]
    file_search: FileSearchOptions | None = None
    function: FunctionDefinition | None = None

    @model_validator(mode="after")
    def _has_what_its_type_says(self) -> Self:
        if self.type == "function" and self.function is None:
            raise refuse(
                "Missing required parameter: '{path}'.", code="missing_required_parameter", at="function"
            )
        for name in ("file_search", "function"):
            if name in self.model_fields_set and self.type != name:
                raise refuse("Unknown parameter: '{path}'.", code="unknown_parameter", at=name)
        return self

    def to_wire(self) -> dict[str, Any]:
        """The tool as objects show it, with the defaults that the hosted service fills in."""
        if self.type == "code_interpreter":
            return {"type": "code_interpreter"}
        if self.function is None:
            options = self.file_search.model_dump(exclude_none=True) if self.file_search else {}
            ranking = _RANKING | options.get("ranking_options", {})
            return {"type": "file_search", "file_search": options | {"ranking_options": ranking}}
        return {
            "type": "function",
            "function": {
                "name": self.function.name,
                "description": self.function.description,
                "parameters": self.function.parameters or {"type": "object", "properties": {}},
                "strict": bool(self.function.strict),
            },
        }


def _distinct_functions(tools: list[Tool]) -> list[Tool]:
    names: set[str] = set()
    for index, tool in enumerate(tools):
        if tool.function is None:
            continue
        if tool.function.name in names:
            raise refuse(
                f"Invalid '{{path}}': the function name '{tool.function.name}' is used twice.",
                code="invalid_value",
                at=f"[{index}].function.name",
            )
        names.add(tool.function.name)
    return tools


Tools = Annotated[list[Tool], Field(max_length=128), AfterValidator(_distinct_functions)]


class StaticChunking(RequestBody):
    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _overlaps_by_half_at_most(self) -> Self:
        if self.chunk_overlap_tokens > self.max_chunk_size_tokens // 2:
            raise refuse(
                "Invalid '{path}': integer above maximum value. Expected a value <= "
                f"{self.max_chunk_size_tokens // 2}, half of 'max_chunk_size_tokens', "
                f"but got {self.chunk_overlap_tokens} instead.",
                code="integer_above_max_value",
                at="chunk_overlap_tokens",
            )
        return self


class ChunkingStrategy(RequestBody):
    type: Literal["auto", "static"]
    static: StaticChunking | None = None

    @model_validator(mode="after")
    def _has_what_its_type_says(self) -> Self:
        if self.type == "static" and self.static is None:
            raise refuse(
                "Missing required parameter: '{path}'.", code="missing_required_parameter", at="static"
            )
        if self.type == "auto" and self.static is not None:
            raise refuse("Unknown parameter: '{path}'.", code="unknown_parameter", at="static")
        return self


class CodeInterpreterResources(RequestBody):
    file_ids: Annotated[list[FileId], Field(max_length=20, default_factory=list)]


class FileSearchResources(RequestBody):
    vector_store_ids: Annotated[list[VectorStoreId], Field(max_length=1, default_factory=list)]


class StoreToMake(RequestBody):
    file_ids: Annotated[list[FileId], Field(max_length=10_000, default_factory=list)]
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None


class NewFileSearchResources(FileSearchResources):
    vector_stores: Annotated[list[StoreToMake], Field(max_length=1, default_factory=list)]

    @model_validator(mode="after")
    def _names_or_makes_a_store(self) -> Self:
        if self.vector_store_ids and self.vector_stores:
            raise refuse(
                "Invalid '{path}': 'vector_stores' makes a vector store and 'vector_store_ids' names one; "
                "send only one of the two.",
                code="invalid_value",
                at="vector_stores",
            )
        return self


class ToolResources(RequestBody):
    """What a change may name."""

    code_interpreter: CodeInterpreterResources | None = None
    file_search: FileSearchResources | None = None


class NewToolResources(RequestBody):
    """What a new assistant or thread may name, or have made for it."""

    code_interpreter: CodeInterpreterResources | None = None
    file_search: NewFileSearchResources | None = None


class JsonSchema(RequestBody):
    name: _Name
    description: str | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    strict: bool | None = None

    @model_validator(mode="after")
    def _has_a_schema(self) -> Self:
        fault = schema_fault(self.schema_) if self.schema_ else None
        if fault is not None:
            raise refuse(
                f"Invalid schema for response_format '{self.name}': {fault}",
                code="invalid_json_schema",
                at="schema",
            )
        return self


class ResponseFormatObject(RequestBody):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _has_what_its_type_says(self) -> Self:
        if self.type == "json_schema" and self.json_schema is None:
            raise refuse(
                "Missing required parameter: '{path}'.", code="missing_required_parameter", at="json_schema"
            )
        if self.type != "json_schema" and self.json_schema is not None:
            raise refuse("Unknown parameter: '{path}'.", code="unknown_parameter", at="json_schema")
        return self


ResponseFormat = Annotated[
    Annotated[Literal["auto"], Tag(alternative("text"))]
    | Annotated[ResponseFormatObject, Tag(alternative("object"))],
    by_json_type(text=str, object=dict),
]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
