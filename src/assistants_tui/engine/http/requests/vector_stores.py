"""Bodies of the Vector stores endpoints."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, Tag, WithJsonSchema, model_validator

from assistants_tui.engine.http.requests.common import (
    ONE_LINE,
    Fields,
    FileId,
    Metadata,
    RequestBody,
    TypedBody,
    alternative,
    by_json_type,
    few,
    refuse,
)
from assistants_tui.engine.http.requests.tools import ChunkingStrategy
from assistants_tui.protocol import limits

_Text = Annotated[str, StringConstraints(max_length=limits.MAX_VALUE)]

Attributes = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=limits.MAX_KEY)],
        Annotated[
            Annotated[_Text, Tag(alternative("text"))]
            | Annotated[bool, Tag(alternative("flag"))]
            | Annotated[int | float, Tag(alternative("number"))],
            by_json_type(text=str, flag=bool, number=float),
        ],
    ],
    Field(max_length=limits.MAX_PAIRS),
    BeforeValidator(lambda value: few(value, limits.MAX_PAIRS)),
]


class StoreExpiry(RequestBody):
    anchor: Literal["last_active_at"]
    days: Annotated[int, Field(ge=limits.STORE_EXPIRY_DAYS[0], le=limits.STORE_EXPIRY_DAYS[1])]


class NewVectorStore(RequestBody):
    name: Annotated[str, *ONE_LINE] | None = None
    description: str | None = None
    file_ids: Annotated[
        list[FileId], Field(fail_fast=True, max_length=limits.MAX_FILES_OF_NEW_STORE, default_factory=list)
    ]
    expires_after: StoreExpiry | None = None
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _has_something_to_cut_up(self) -> Self:
        if self.chunking_strategy is not None and not self.file_ids:
            raise refuse(
                "Invalid '{path}': it can only be set together with 'file_ids'.",
                code="invalid_value",
                at="chunking_strategy",
            )
        return self


class VectorStoreChanges(RequestBody):
    name: Annotated[str, *ONE_LINE] | None = None
    expires_after: StoreExpiry | None = None
    metadata: Metadata | None = None


class FileInStore(RequestBody):
    """A file to attach, alone or as one of a batch."""

    file_id: FileId
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class AttributesChange(RequestBody):
    attributes: Attributes | None


class NewFileBatch(RequestBody):
    file_ids: (
        Annotated[list[FileId], Field(fail_fast=True, min_length=1, max_length=limits.MAX_BATCH_FILES)] | None
    ) = None
    files: (
        Annotated[list[FileInStore], Field(fail_fast=True, min_length=1, max_length=limits.MAX_BATCH_FILES)]
        | None
    ) = None
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None

    @model_validator(mode="after")
    def _names_files_in_one_way(self) -> Self:
        if self.file_ids is None and self.files is None:
            raise refuse(
                "Missing required parameter: '{path}'.", code="missing_required_parameter", at="file_ids"
            )
        if self.file_ids is not None and self.files is not None:
            raise refuse(
                "Invalid '{path}': send either 'file_ids' or 'files'.", code="invalid_value", at="files"
            )
        return self

    def entries(self) -> list[FileInStore]:
        """The files, each with its own settings or else those of the batch."""
        files = self.files or [FileInStore(file_id=file_id) for file_id in self.file_ids or []]
        return [
            FileInStore(
                file_id=file.file_id,
                attributes=file.attributes if file.attributes is not None else self.attributes,
                chunking_strategy=file.chunking_strategy or self.chunking_strategy,
            )
            for file in files
        ]


_Scalar = str | float | bool
_COMPARABLE = {
    "type": ["string", "number", "boolean", "array"],
    "items": {"type": ["string", "number", "boolean"]},
}


_MOST_FILTERS = 1_000

_COMPARISONS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin")


class Filter(TypedBody):
    """A condition on attributes: one comparison, or several filters joined."""

    types: ClassVar = dict.fromkeys(_COMPARISONS, Fields(needed=("key", "value"))) | dict.fromkeys(
        ("and", "or"), Fields(needed=("filters",))
    )

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "and", "or"]
    key: str | None = None
    value: Annotated[Any, WithJsonSchema(_COMPARABLE)] = None
    filters: Annotated[list["Filter"], Field(fail_fast=True, min_length=1, max_length=100)] | None = None

    def count(self) -> int:
        """How many conditions it has in all, with those that it joins."""
        return 1 + sum(part.count() for part in self.filters or ())

    @model_validator(mode="after")
    def _compares_what_can_be_compared(self) -> Self:
        compares = self.type in _COMPARISONS
        if compares and not _is_comparable(self.value, several=self.type in {"in", "nin"}):
            raise refuse(
                "Invalid type for '{path}': expected a string, a number or a boolean; "
                "for 'in' and 'nin' an array of them.",
                code="invalid_type",
                at="value",
            )
        return self


def _is_comparable(value: object, *, several: bool) -> bool:
    if several:
        return isinstance(value, list) and all(isinstance(item, _Scalar | int) for item in value)
    return isinstance(value, _Scalar | int)


class SearchRankingOptions(RequestBody):
    ranker: Literal["none", "auto", "default-2024-11-15"] = "auto"
    score_threshold: Annotated[float, Field(ge=limits.SCORE_THRESHOLD[0], le=limits.SCORE_THRESHOLD[1])] = 0.0


class Search(RequestBody):
    query: Annotated[
        Annotated[str, StringConstraints(min_length=1), Tag(alternative("text"))]
        | Annotated[
            list[Annotated[str, StringConstraints(min_length=1)]],
            Field(fail_fast=True, min_length=1, max_length=limits.MAX_QUERIES),
            Tag(alternative("texts")),
        ],
        by_json_type(text=str, texts=list),
    ]
    filters: Filter | None = None
    max_num_results: Annotated[int, Field(ge=limits.SEARCH_RESULTS[0], le=limits.SEARCH_RESULTS[1])] = 10
    ranking_options: SearchRankingOptions = SearchRankingOptions()
    rewrite_query: bool = False

    @model_validator(mode="after")
    def _has_few_filters(self) -> Self:
        if self.filters is not None and self.filters.count() > _MOST_FILTERS:
            raise refuse(
                f"Invalid '{{path}}': too many conditions. A filter has at most {_MOST_FILTERS} in all.",
                code="invalid_value",
                at="filters",
            )
        return self
