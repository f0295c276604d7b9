"""The objects of the Assistants API v2 as they travel: plain JSON objects with names for their fields.

Field names and meanings are those of the API reference (https://platform.openai.com/docs/api-reference/assistants).
Objects are kept as the server sent them, so servers may add keys that are not listed here. `answers.checked`
holds them to these types: `Essential` fields must be there, other required ones get a neutral value where a
server leaves them out, and `NotRequired` ones are read with `get`.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NotRequired, TypeAlias, TypedDict, TypeVar

from assistants_tui.protocol.transitions import (
    FileStatus,
    IngestStatus,
    MessageStatus,
    RunStatus,
    StepStatus,
    UploadStatus,
    VectorStoreStatus,
)

Json: TypeAlias = dict[str, Any]
Metadata: TypeAlias = dict[str, str]

Value = TypeVar("Value")
ESSENTIAL = "essential"
Essential: TypeAlias = Annotated[Value, ESSENTIAL]
"""A field that the program cannot do without."""


class Usage(TypedDict):
    """Tokens, as the model endpoint counted them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ErrorInfo(TypedDict):
    """Why a run, a step or a file failed."""

    code: str
    message: str


class FunctionDefinition(TypedDict):
    name: Essential[str]
    description: NotRequired[str | None]
    parameters: NotRequired[Json]
    strict: NotRequired[bool | None]


class Tool(TypedDict):
    """`type` is `code_interpreter`, `file_search` or `function`."""

    type: Essential[str]
    file_search: NotRequired[Json]
    function: NotRequired[FunctionDefinition]


class CodeInterpreterResources(TypedDict, total=False):
    file_ids: list[str]


class FileSearchResources(TypedDict, total=False):
    vector_store_ids: list[str]


class ToolResources(TypedDict, total=False):
    code_interpreter: CodeInterpreterResources
    file_search: FileSearchResources


class Assistant(TypedDict):
    id: Essential[str]
    object: Literal["assistant"]
    created_at: int
    name: str | None
    description: str | None
    model: str
    instructions: str | None
    tools: list[Tool]
    tool_resources: ToolResources | None
    metadata: Metadata | None
    temperature: float | None
    top_p: float | None
    response_format: str | Json | None


class Thread(TypedDict):
    id: Essential[str]
    object: Literal["thread"]
    created_at: int
    tool_resources: ToolResources | None
    metadata: Metadata | None


class Annotation(TypedDict):
    """A mark in a text: `text` stands there from `start_index` up to, without, `end_index` (code points)."""

    type: Essential[str]
    text: str
    start_index: int
    end_index: int
    file_citation: NotRequired[Json]
    file_path: NotRequired[Json]


class Text(TypedDict):
    value: Essential[str]
    annotations: list[Annotation]


class ImageFile(TypedDict):
    file_id: Essential[str]


class ContentPart(TypedDict):
    """One part of a message; `type` names the key that holds it."""

    type: Essential[str]
    text: NotRequired[Text]
    image_file: NotRequired[ImageFile]
    image_url: NotRequired[Json]
    refusal: NotRequired[str]


class Attachment(TypedDict):
    """A file of a message, and the tools that may read it."""

    file_id: Essential[str]
    tools: list[Tool]


class Message(TypedDict):
    id: Essential[str]
    object: Literal["thread.message"]
    created_at: int
    thread_id: str
    status: NotRequired[MessageStatus]
    incomplete_details: Json | None
    completed_at: int | None
    incomplete_at: int | None
    role: Essential[Literal["user", "assistant"]]
    content: list[ContentPart]
    assistant_id: str | None
    run_id: str | None
    attachments: list[Attachment] | None
    metadata: Metadata | None


class FunctionCall(TypedDict):
    """`arguments` is a JSON text that the model wrote: it may be anything."""

    name: Essential[str]
    arguments: str
    output: NotRequired[str | None]


class CodeOutput(TypedDict):
    """What a piece of code gave: `logs` or an `image`, as `type` says."""

    type: Essential[str]
    logs: NotRequired[str]
    image: NotRequired[ImageFile]


class CodeInterpreterCall(TypedDict):
    input: str
    outputs: list[CodeOutput]


class FileSearchCall(TypedDict):
    ranking_options: NotRequired[Json]
    results: NotRequired[list[Json]]


class ToolCall(TypedDict):
    """One call of a tool in a run step; `type` names the key that holds it."""

    id: Essential[str]
    type: Essential[str]
    code_interpreter: NotRequired[CodeInterpreterCall]
    file_search: NotRequired[FileSearchCall]
    function: NotRequired[FunctionCall]


class SubmitToolOutputs(TypedDict):
    tool_calls: list[ToolCall]


class RequiredAction(TypedDict):
    """What a run waits for; `type` names the key that holds it."""

    type: str
    submit_tool_outputs: NotRequired[SubmitToolOutputs | None]
    approve_code: NotRequired[Json | None]
    """Not part of the hosted API."""


class Run(TypedDict):
    id: Essential[str]
    object: Literal["thread.run"]
    created_at: int
    thread_id: Essential[str]
    assistant_id: str
    status: Essential[RunStatus]
    required_action: RequiredAction | None
    last_error: ErrorInfo | None
    expires_at: int | None
    started_at: int | None
    cancelled_at: int | None
    failed_at: int | None
    completed_at: int | None
    incomplete_details: Json | None
    model: str
    instructions: str
    tools: list[Tool]
    metadata: Metadata | None
    usage: Usage | None
    temperature: float | None
    top_p: float | None
    max_prompt_tokens: int | None
    max_completion_tokens: int | None
    truncation_strategy: Json | None
    tool_choice: str | Json | None
    parallel_tool_calls: NotRequired[bool]
    response_format: str | Json | None


class StepDetails(TypedDict):
    """What a step did; `type` names the key that holds it."""

    type: str
    message_creation: NotRequired[Json]
    tool_calls: NotRequired[list[ToolCall]]


class RunStep(TypedDict):
    id: Essential[str]
    object: Literal["thread.run.step"]
    created_at: int
    assistant_id: str
    thread_id: str
    run_id: str
    type: Essential[str]
    status: Essential[StepStatus]
    step_details: Essential[StepDetails]
    last_error: ErrorInfo | None
    expired_at: int | None
    cancelled_at: int | None
    failed_at: int | None
    completed_at: int | None
    metadata: Metadata | None
    usage: Usage | None


class FileObject(TypedDict):
    id: Essential[str]
    object: Literal["file"]
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: NotRequired[FileStatus]


class FileCounts(TypedDict):
    in_progress: int
    completed: int
    failed: int
    cancelled: int
    total: int


class VectorStore(TypedDict):
    id: Essential[str]
    object: Literal["vector_store"]
    created_at: int
    name: str | None
    usage_bytes: int
    file_counts: FileCounts
    status: VectorStoreStatus
    expires_after: NotRequired[Json | None]
    expires_at: int | None
    last_active_at: int | None
    metadata: Metadata | None


class VectorStoreFile(TypedDict):
    id: Essential[str]
    object: Literal["vector_store.file"]
    usage_bytes: int
    created_at: int
    vector_store_id: str
    status: IngestStatus
    last_error: ErrorInfo | None
    attributes: NotRequired[dict[str, str | float | bool] | None]


class FileBatch(TypedDict):
    """Files that were attached to a vector store together."""

    id: Essential[str]
    object: Literal["vector_store.file_batch"]
    created_at: int
    vector_store_id: str
    status: IngestStatus
    file_counts: FileCounts


class Upload(TypedDict):
    """A file that comes in parts; `file` is what it has become."""

    id: Essential[str]
    object: Literal["upload"]
    created_at: int
    bytes: int
    expires_at: int
    filename: str
    purpose: str
    status: UploadStatus
    file: FileObject | None


class UploadPart(TypedDict):
    id: Essential[str]
    object: Literal["upload.part"]
    created_at: int
    upload_id: str


class Model(TypedDict):
    id: Essential[str]
    object: Literal["model"]
    created: int
    owned_by: str
    shutdown_date: NotRequired[str | None]


class CodeDecision(TypedDict):
    """What is to become of code that waits to run. Not part of the hosted API."""

    tool_call_id: str
    decision: Literal["run", "reject"]
    code: NotRequired[str]
    """To run instead."""
    reason: NotRequired[str]
    """For the model."""


class ToolOutput(TypedDict):
    """The answer to one function call, sent back to the run."""

    tool_call_id: str
    output: str


class Listed(TypedDict):
    """What all objects of lists have."""

    id: Essential[str]


class ListAnswer(TypedDict):
    """A page as it travels; what is in `data` depends on the list."""

    data: Essential[list[Any]]
    has_more: NotRequired[bool]


class SearchAnswerPage(TypedDict):
    """What a search in a vector store gives, best first."""

    data: Essential[list[Json]]


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list. `next_cursor` is the ID to pass as `after` for the next page, None at the end."""

    items: list[Item]
    next_cursor: str | None
