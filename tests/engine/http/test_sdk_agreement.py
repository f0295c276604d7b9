"""Our forms have the fields of the SDK's parameter types, and our objects are what its models describe."""

import typing
from typing import Any, Literal, Required, get_args, get_origin

import httpx2
import openai.types as sdk
import pytest
from openai.types import (
    beta,
    file_create_params,
    shared_params,
    upload_complete_params,
    upload_create_params,
    vector_store_create_params,
    vector_store_search_params,
    vector_store_update_params,
)
from openai.types.beta import (
    assistant_create_params,
    assistant_tool_choice_param,
    assistant_update_params,
    file_search_tool_param,
    thread_create_and_run_params,
    thread_create_params,
    thread_update_params,
    threads,
)
from openai.types.beta.threads import (
    image_file_param,
    image_url_param,
    message_create_params,
    message_update_params,
    run_create_params,
    run_submit_tool_outputs_params,
    run_update_params,
)
from openai.types.beta.threads.runs import RunStep
from openai.types.shared_params import response_format_json_schema
from openai.types.uploads import UploadPart
from openai.types.vector_stores import (
    VectorStoreFile,
    VectorStoreFileBatch,
    VectorStoreFileDeleted,
    file_batch_create_params,
    file_update_params,
)
from openai.types.vector_stores import file_create_params as store_file_params
from pydantic import BaseModel

from assistants_tui.engine.http.requests import assistants, files, messages, runs, tools, vector_stores
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Json
from support.engine import make, upload
from support.patience import until

# our form, the SDK's type, names that are not in the body, names that only we want
FORMS: list[tuple[type[BaseModel], Any, set[str], set[str]]] = [
    (assistants.NewAssistant, assistant_create_params.AssistantCreateParams, set(), set()),
    (assistants.AssistantChanges, assistant_update_params.AssistantUpdateParams, set(), set()),
    (tools.NewToolResources, assistant_create_params.ToolResources, set(), set()),
    (tools.NewFileSearchResources, assistant_create_params.ToolResourcesFileSearch, set(), set()),
    (tools.StoreToMake, assistant_create_params.ToolResourcesFileSearchVectorStore, set(), set()),
    (tools.ToolResources, assistant_update_params.ToolResources, set(), set()),
    (tools.FileSearchResources, assistant_update_params.ToolResourcesFileSearch, set(), set()),
    (tools.CodeInterpreterResources, assistant_update_params.ToolResourcesCodeInterpreter, set(), set()),
    (tools.FunctionDefinition, shared_params.FunctionDefinition, set(), set()),
    (tools.FileSearchOptions, file_search_tool_param.FileSearch, set(), set()),
    (tools.RankingOptions, file_search_tool_param.FileSearchRankingOptions, set(), set()),
    (tools.StaticChunking, sdk.StaticFileChunkingStrategyParam, set(), set()),
    (tools.JsonSchema, response_format_json_schema.JSONSchema, set(), set()),
    (messages.NewThread, thread_create_params.ThreadCreateParams, set(), set()),
    (messages.NewMessage, thread_create_params.Message, set(), set()),
    (messages.ThreadChanges, thread_update_params.ThreadUpdateParams, set(), set()),
    (messages.NewMessage, message_create_params.MessageCreateParams, set(), set()),
    (messages.Attachment, message_create_params.Attachment, set(), {"file_id", "tools"}),
    (messages.ImageFile, image_file_param.ImageFileParam, set(), set()),
    (messages.ImageUrl, image_url_param.ImageURLParam, set(), set()),
    (messages.MetadataChange, message_update_params.MessageUpdateParams, {"thread_id"}, set()),
    (messages.MetadataChange, run_update_params.RunUpdateParams, {"thread_id"}, set()),
    (runs.NewRun, run_create_params.RunCreateParamsNonStreaming, {"include"}, set()),
    (runs.TruncationStrategy, run_create_params.TruncationStrategy, set(), set()),
    (runs.ToolChoice, assistant_tool_choice_param.AssistantToolChoiceParam, set(), set()),
    (runs.NewThreadAndRun, thread_create_and_run_params.ThreadCreateAndRunParamsNonStreaming, set(), set()),
    (
        runs.ToolOutputs,
        run_submit_tool_outputs_params.RunSubmitToolOutputsParamsNonStreaming,
        {"thread_id"},
        set(),
    ),
    (runs.ToolOutput, run_submit_tool_outputs_params.ToolOutput, set(), {"tool_call_id", "output"}),
    (files.FileForm, file_create_params.FileCreateParams, {"file"}, set()),
    (files.FileExpiry, file_create_params.ExpiresAfter, set(), set()),
    (files.NewUpload, upload_create_params.UploadCreateParams, set(), set()),
    (files.UploadCompletion, upload_complete_params.UploadCompleteParams, set(), set()),
    (vector_stores.NewVectorStore, vector_store_create_params.VectorStoreCreateParams, set(), set()),
    (vector_stores.StoreExpiry, vector_store_create_params.ExpiresAfter, set(), set()),
    (vector_stores.VectorStoreChanges, vector_store_update_params.VectorStoreUpdateParams, set(), set()),
    (vector_stores.FileInStore, store_file_params.FileCreateParams, set(), set()),
    (vector_stores.AttributesChange, file_update_params.FileUpdateParams, {"vector_store_id"}, set()),
    (vector_stores.NewFileBatch, file_batch_create_params.FileBatchCreateParams, set(), set()),
    (vector_stores.FileInStore, file_batch_create_params.File, set(), set()),
    (vector_stores.Search, vector_store_search_params.VectorStoreSearchParams, set(), set()),
    (vector_stores.SearchRankingOptions, vector_store_search_params.RankingOptions, set(), set()),
]

# What the service shows in its own objects, so that clients send it back.
BEYOND: dict[type[BaseModel], set[str]] = {tools.RankingOptions: {"hybrid_search"}}


@pytest.mark.parametrize(
    ("form", "params", "elsewhere", "wanted"),
    FORMS,
    ids=[f"{form.__name__}-{params.__name__}" for form, params, _, _ in FORMS],
)
def test_forms(form: type[BaseModel], params: Any, elsewhere: set[str], wanted: set[str]) -> None:
    hints = typing.get_type_hints(params, include_extras=True)
    ours = {field.alias or name: field for name, field in form.model_fields.items()}
    assert ours.keys() == (hints.keys() - elsewhere) | BEYOND.get(form, set())
    required = {name for name, hint in hints.items() if get_origin(hint) is Required} - elsewhere
    assert {name for name, field in ours.items() if field.is_required()} == required | wanted


def literals(annotation: Any) -> set[object]:
    """All values that a type lists, however deep."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return {value for argument in get_args(annotation) for value in literals(argument)}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (limits.ReasoningEffort, shared_params.ReasoningEffort),
        (Literal[files.PURPOSES], sdk.FilePurpose),
        (
            tools.RankingOptions.model_fields["ranker"].annotation,
            file_search_tool_param.FileSearchRankingOptions,
        ),
        (vector_stores.Filter.model_fields["type"].annotation, vector_store_search_params.Filters),
        (
            vector_stores.SearchRankingOptions.model_fields["ranker"].annotation,
            vector_store_search_params.RankingOptions,
        ),
    ],
    ids=["reasoning effort", "purposes", "rankers", "filters", "search rankers"],
)
def test_listed_values(ours: Any, theirs: Any) -> None:
    expected = literals(theirs)
    for part in get_args(theirs) or (theirs,):
        if isinstance(part, type) and hasattr(part, "__required_keys__"):
            for name, hint in typing.get_type_hints(part).items():
                if name in {"type", "ranker"}:
                    expected |= literals(hint)
    assert expected
    assert literals(ours) == expected


def unknown_fields(value: object, path: str = "") -> set[str]:
    """Fields that an SDK model took although it does not describe them."""
    if isinstance(value, list):
        return {name for item in value for name in unknown_fields(item, f"{path}[]")}
    if not isinstance(value, BaseModel):
        return set()
    found = {f"{path}.{name}" for name in value.model_extra or {}}
    return found.union(
        *(unknown_fields(getattr(value, name), f"{path}.{name}") for name in type(value).model_fields)
    )


def validate(model: type[BaseModel], body: Json, *beyond: str) -> None:
    """The body is strictly what the SDK's model says, with all its fields and those `beyond`."""
    assert unknown_fields(model.model_validate(body, strict=True)) == set(beyond)
    assert model.model_fields.keys() <= body.keys()


async def test_objects(http: httpx2.AsyncClient) -> None:
    file = await upload(http)
    validate(sdk.FileObject, file)
    validate(sdk.FileDeleted, (await http.delete(f"/files/{(await upload(http))['id']}")).json())
    validate(sdk.Model, (await http.get("/models")).json()["data"][1] | {"shutdown_date": None})

    begun = await make(http, "/uploads", filename="x", bytes=1, mime_type="t", purpose="assistants")
    validate(sdk.Upload, begun)
    part = (await http.post(f"/uploads/{begun['id']}/parts", files={"data": ("p", b"x")})).json()
    validate(UploadPart, part)
    validate(sdk.Upload, await make(http, f"/uploads/{begun['id']}/complete", part_ids=[part["id"]]))

    strategy = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    store = await make(
        http, "/vector_stores", name="x", expires_after={"anchor": "last_active_at", "days": 1}
    )
    validate(sdk.VectorStore, store, ".description")
    path = f"/vector_stores/{store['id']}"
    attached = await make(
        http,
        f"{path}/files",
        file_id=file["id"],
        attributes={"a": 1.5, "b": True, "c": "d"},
        chunking_strategy=strategy,
    )
    validate(VectorStoreFile, attached)
    batch = await make(http, f"{path}/file_batches", file_ids=[file["id"]])
    # The service calls it otherwise than its description says.
    assert batch["object"] == "vector_store.file_batch"
    validate(VectorStoreFileBatch, batch | {"object": "vector_store.files_batch"})
    detached = (await http.delete(f"{path}/files/{file['id']}")).json()
    validate(VectorStoreFileDeleted, detached)

    resources = {
        "code_interpreter": {"file_ids": [file["id"]]},
        "file_search": {"vector_store_ids": [store["id"]]},
    }
    assistant = await make(
        http,
        "/assistants",
        model="m",
        tools=[
            {"type": "code_interpreter"},
            {"type": "file_search", "file_search": {"max_num_results": 5}},
            {"type": "function", "function": {"name": "f"}},
        ],
        tool_resources=resources,
        response_format="auto",
    )
    validate(
        beta.Assistant,
        assistant,
        ".reasoning_effort",
        ".tools[].file_search.ranking_options.hybrid_search",
    )
    attachments = [{"file_id": file["id"], "tools": [{"type": "code_interpreter"}, {"type": "file_search"}]}]
    message = {"role": "user", "content": "x", "attachments": attachments, "metadata": {"a": "b"}}
    thread = await make(http, "/threads", messages=[message], tool_resources=resources)
    validate(beta.Thread, thread)
    stored = (await http.get(f"/threads/{thread['id']}/messages")).json()["data"][0]
    validate(threads.Message, stored, ".file_ids")
    deleted = await http.delete(f"/threads/{thread['id']}/messages/{stored['id']}")
    validate(threads.MessageDeleted, deleted.json())
    validate(beta.ThreadDeleted, (await http.delete(f"/threads/{thread['id']}")).json())
    validate(beta.AssistantDeleted, (await http.delete(f"/assistants/{assistant['id']}")).json())
    validate(sdk.VectorStoreDeleted, (await http.delete(path)).json())


async def test_runs_and_their_steps(http: httpx2.AsyncClient) -> None:
    """With what the service shows beyond its own description, which the SDK passes on."""
    assistant = await make(
        http,
        "/assistants",
        model="m",
        instructions="Help.",
        tools=[{"type": "function", "function": {"name": "f"}}],
    )
    thread = await make(http, "/threads", messages=[{"role": "user", "content": "2 + 2"}])
    path = f"/threads/{thread['id']}/runs"
    run = await make(http, path, assistant_id=assistant["id"])
    beyond = {".reasoning_effort", ".tool_resources", ".file_ids"}
    validate(threads.Run, run, *beyond)
    path = f"{path}/{run['id']}"

    async def ended() -> bool:
        return (await http.get(path)).json()["status"] not in ("queued", "in_progress")

    await until("the run has ended", ended)
    run = (await http.get(path)).json()
    details = {".usage.prompt_token_details", ".usage.completion_tokens_details"}
    validate(threads.Run, run, *beyond, *details)
    [step] = (await http.get(f"{path}/steps")).json()["data"]
    validate(RunStep, step, ".expires_at", *details)
