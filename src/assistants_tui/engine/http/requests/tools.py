"""Tools of assistants and runs, and the files and vector stores they work on."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, Tag, model_validator

from assistants_tui.engine.http.errors import shown
from assistants_tui.engine.http.json_schema import schema_fault
from assistants_tui.engine.http.requests.common import (
    Fields,
    FileId,
    Metadata,
    RequestBody,
    TypedBody,
    VectorStoreId,
    alternative,
    by_json_type,
    refuse,
)
from assistants_tui.protocol import limits, objects

_Name = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=limits.MAX_FUNCTION_NAME, pattern=f"^{limits.FUNCTION_NAME_CHARACTER}+$"
    ),
]


class FunctionDefinition(RequestBody):
    name: _Name
    description: Annotated[str, StringConstraints(max_length=limits.MAX_FUNCTION_DESCRIPTION)] | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    @model_validator(mode="after")
    def _takes_an_object(self) -> Self:
        kind = (self.parameters or {}).get("type", "object")
        if kind != "object":
            raise refuse(
                f"Invalid schema for function '{self.name}': schema must be a JSON Schema of "
                f"'type: \"object\"', got 'type: {shown(repr(kind))}'.",
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
    score_threshold: Annotated[float, Field(ge=limits.SCORE_THRESHOLD[0], le=limits.SCORE_THRESHOLD[1])]
    hybrid_search: None = None


_RANKING = {"ranker": "default_2024_08_21", "score_threshold": 0.0, "hybrid_search": None}


class FileSearchOptions(RequestBody):
    max_num_results: (
        Annotated[int, Field(ge=limits.SEARCH_RESULTS[0], le=limits.SEARCH_RESULTS[1])] | None
    ) = None
    ranking_options: RankingOptions | None = None


class Tool(TypedBody):
    types: ClassVar = {
        "code_interpreter": Fields(),
        "file_search": Fields(allowed=("file_search",)),
        "function": Fields(needed=("function",)),
    }

    type: Literal["code_interpreter", "file_search", "function"]
    file_search: FileSearchOptions | None = None
    function: FunctionDefinition | None = None

    def to_wire(self) -> objects.Tool:
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


Tools = Annotated[
    list[Tool], Field(fail_fast=True, max_length=limits.MAX_TOOLS), AfterValidator(_distinct_functions)
]


class StaticChunking(RequestBody):
    max_chunk_size_tokens: Annotated[int, Field(ge=limits.CHUNK_TOKENS[0], le=limits.CHUNK_TOKENS[1])]
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


class ChunkingStrategy(TypedBody):
    types: ClassVar = {"auto": Fields(), "static": Fields(needed=("static",))}

    type: Literal["auto", "static"]
    static: StaticChunking | None = None


class CodeInterpreterResources(RequestBody):
    file_ids: Annotated[
        list[FileId], Field(fail_fast=True, max_length=limits.MAX_CODE_FILES, default_factory=list)
    ]


class FileSearchResources(RequestBody):
    vector_store_ids: Annotated[
        list[VectorStoreId], Field(fail_fast=True, max_length=limits.MAX_SEARCH_STORES, default_factory=list)
    ]


class StoreToMake(RequestBody):
    file_ids: Annotated[
        list[FileId], Field(fail_fast=True, max_length=limits.MAX_STORE_FILES, default_factory=list)
    ]
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None


class NewFileSearchResources(FileSearchResources):
    vector_stores: Annotated[
        list[StoreToMake], Field(fail_fast=True, max_length=limits.MAX_SEARCH_STORES, default_factory=list)
    ]

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


class ResponseFormatObject(TypedBody):
    types: ClassVar = {
        "text": Fields(),
        "json_object": Fields(),
        "json_schema": Fields(needed=("json_schema",)),
    }

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


ResponseFormat = Annotated[
    Annotated[Literal["auto"], Tag(alternative("text"))]
    | Annotated[ResponseFormatObject, Tag(alternative("object"))],
    by_json_type(text=str, object=dict),
]
