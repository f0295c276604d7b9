"""The description of the interface, in the form of the OpenAPI Specification 3.1."""

import re
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import assistants_tui
from assistants_tui.engine.http.requests import assistants, files, messages, runs, vector_stores
from assistants_tui.engine.http.requests.common import TypedBody
from assistants_tui.engine.store.ids import PREFIXES
from assistants_tui.protocol.objects import Json
from assistants_tui.protocol.transitions import INGEST_STATUSES


@dataclass(frozen=True)
class Operation:
    """What can be done at a path: with which JSON body or form, and which parameters in the query."""

    summary: str
    body: type[BaseModel] | None = None
    form: Json | None = None
    query: tuple[Json, ...] = ()
    content_type: str = "application/json"


def _parameter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


_STRING: Json = {"type": "string"}
_PAGE = (
    _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
    _parameter("order", {"type": "string", "enum": ["asc", "desc"], "default": "desc"}),
    _parameter("after", _STRING),
    _parameter("before", _STRING),
)
_INCLUDE = _parameter(
    "include[]",
    {
        "type": "array",
        "items": {
            "type": "string",
            "enum": ["step_details.tool_calls[*].file_search.results[*].content"],
        },
    },
)
_FILTER = _parameter("filter", {"type": "string", "enum": list(INGEST_STATUSES)})
_BINARY: Json = {"type": "string", "contentMediaType": "application/octet-stream"}
_FILE_FORM: Json = {
    "type": "object",
    "properties": {
        "file": _BINARY,
        "purpose": {"type": "string", "enum": list(files.PURPOSES)},
        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
        "expires_after[seconds]": {"type": "integer", "minimum": 3600, "maximum": 2_592_000},
    },
    "required": ["file", "purpose"],
}
_PART_FORM: Json = {"type": "object", "properties": {"data": _BINARY}, "required": ["data"]}
_FILES_PAGE = (
    _parameter("purpose", _STRING),
    _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 10_000}),
    *_PAGE[1:],
)

_KINDS = {"batch_id": "file_batch", "step_id": "run_step"}  # parameters that are not named after their kind

_ASSISTANT = "/assistants/{assistant_id}"
_THREAD = "/threads/{thread_id}"
_MESSAGE = f"{_THREAD}/messages/{{message_id}}"
_RUN = f"{_THREAD}/runs/{{run_id}}"
_UPLOAD = "/uploads/{upload_id}"
_STORE = "/vector_stores/{vector_store_id}"
_STORE_FILE = f"{_STORE}/files/{{file_id}}"
_BATCH = f"{_STORE}/file_batches/{{batch_id}}"

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("post", "/assistants"): Operation("Create an assistant", assistants.NewAssistant),
    ("get", "/assistants"): Operation("List assistants", query=_PAGE),
    ("get", _ASSISTANT): Operation("Retrieve an assistant"),
    ("post", _ASSISTANT): Operation("Modify an assistant", assistants.AssistantChanges),
    ("delete", _ASSISTANT): Operation("Delete an assistant"),
    ("post", "/threads"): Operation("Create a thread", messages.NewThread),
    ("get", "/threads"): Operation("List threads; not part of the hosted API", query=_PAGE),
    ("get", _THREAD): Operation("Retrieve a thread"),
    ("post", _THREAD): Operation("Modify a thread", messages.ThreadChanges),
    ("delete", _THREAD): Operation("Delete a thread with its messages and runs"),
    ("post", f"{_THREAD}/messages"): Operation("Create a message", messages.NewMessage),
    ("get", f"{_THREAD}/messages"): Operation("List messages", query=(*_PAGE, _parameter("run_id", _STRING))),
    ("get", _MESSAGE): Operation("Retrieve a message"),
    ("post", _MESSAGE): Operation("Modify a message", messages.MetadataChange),
    ("delete", _MESSAGE): Operation("Delete a message"),
    ("post", f"{_THREAD}/runs"): Operation("Create a run", runs.NewRun, query=(_INCLUDE,)),
    ("post", "/threads/runs"): Operation("Create a thread and run it", runs.NewThreadAndRun),
    ("get", f"{_THREAD}/runs"): Operation("List runs", query=_PAGE),
    ("get", _RUN): Operation("Retrieve a run"),
    ("post", _RUN): Operation("Modify a run", messages.MetadataChange),
    ("post", f"{_RUN}/cancel"): Operation("Cancel a run"),
    ("post", f"{_RUN}/submit_tool_outputs"): Operation("Submit tool outputs", runs.ToolOutputs),
    ("post", f"{_RUN}/approve_code"): Operation(
        "Let code run that no sandbox confines, or reject it, when the run's required action has the type "
        "approve_code; not part of the hosted API",
        runs.CodeDecision,
    ),
    ("get", f"{_RUN}/steps"): Operation("List run steps", query=(*_PAGE, _INCLUDE)),
    ("get", f"{_RUN}/steps/{{step_id}}"): Operation("Retrieve a run step", query=(_INCLUDE,)),
    ("post", "/files"): Operation("Upload a file", form=_FILE_FORM),
    ("get", "/files"): Operation("List files", query=_FILES_PAGE),
    ("get", "/files/{file_id}"): Operation("Retrieve a file"),
    ("delete", "/files/{file_id}"): Operation("Delete a file, wherever it is used"),
    ("get", "/files/{file_id}/content"): Operation(
        "Retrieve a file's bytes", content_type="application/octet-stream"
    ),
    ("post", "/uploads"): Operation("Begin an upload in parts", files.NewUpload),
    ("post", f"{_UPLOAD}/parts"): Operation("Add a part", form=_PART_FORM),
    ("post", f"{_UPLOAD}/complete"): Operation("Complete an upload", files.UploadCompletion),
    ("post", f"{_UPLOAD}/cancel"): Operation("Cancel an upload"),
    ("post", "/vector_stores"): Operation("Create a vector store", vector_stores.NewVectorStore),
    ("get", "/vector_stores"): Operation("List vector stores", query=_PAGE),
    ("get", _STORE): Operation("Retrieve a vector store"),
    ("post", _STORE): Operation("Modify a vector store", vector_stores.VectorStoreChanges),
    ("delete", _STORE): Operation("Delete a vector store, but not its files"),
    ("get", f"{_STORE}/progress"): Operation(
        "How many pieces of a store have vectors, and notes on its files; not part of the hosted API"
    ),
    ("post", f"{_STORE}/search"): Operation("Search a vector store", vector_stores.Search),
    ("post", f"{_STORE}/files"): Operation("Attach a file", vector_stores.FileInStore),
    ("get", f"{_STORE}/files"): Operation("List the files of a store", query=(*_PAGE, _FILTER)),
    ("get", _STORE_FILE): Operation("Retrieve a file of a store"),
    ("post", _STORE_FILE): Operation("Change a file's attributes", vector_stores.AttributesChange),
    ("delete", _STORE_FILE): Operation("Detach a file"),
    ("get", f"{_STORE_FILE}/content"): Operation("Retrieve the text that was read from a file, in chunks"),
    ("post", f"{_STORE}/file_batches"): Operation("Attach several files", vector_stores.NewFileBatch),
    ("get", _BATCH): Operation("Retrieve a batch"),
    ("post", f"{_BATCH}/cancel"): Operation("Cancel a batch"),
    ("get", f"{_BATCH}/files"): Operation("List the files of a batch", query=(*_PAGE, _FILTER)),
    ("get", "/models"): Operation("List models"),
    ("get", "/models/{model}"): Operation("Retrieve a model"),
}


async def serve(request: Request) -> Response:
    return JSONResponse(document())


@cache
def document() -> Json:
    """The whole description. Do not change what it returns."""
    bodies = {operation.body for operation in OPERATIONS.values() if operation.body is not None}
    references, definitions = models_json_schema(
        [(body, "validation") for body in sorted(bodies, key=lambda body: body.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, Json] = {}
    for (method, path), operation in OPERATIONS.items():
        schema = None if operation.body is None else references[(operation.body, "validation")]
        paths.setdefault(path, {})[method] = _describe(path, operation, schema)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Assistants API v2",
            "description": "The OpenAI Assistants API, served by assistants-tui.",
            "version": assistants_tui.__version__,
        },
        "servers": [{"url": "/v1"}],
        "security": [{"key": []}, {}],
        "paths": paths,
        "components": {
            "schemas": _with_unions(definitions["$defs"]) | {"Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _with_unions(schemas: Json) -> Json:
    """The schemas with a schema for each type that a `TypedBody` has, and in its place the choice of them."""
    for body in TypedBody.__subclasses__():
        schemas |= _union(body, schemas[body.__name__])
    return schemas


def _union(body: type[TypedBody], whole: Json) -> Json:
    made: dict[str, Json] = {}
    mapping: dict[str, str] = {}
    for fields in dict.fromkeys(body.types.values()):
        types = [name for name, its_fields in body.types.items() if its_fields == fields]
        name = "".join(word.title() for word in types[0].split("_")) + body.__name__
        others = body.of_other_types(fields)
        properties = {key: value for key, value in whole["properties"].items() if key not in others}
        properties[body.type_field] = {"type": "string", "enum": types}
        for key in fields.needed:
            [properties[key]] = _not_null(properties[key])
        required = [*whole["required"], *fields.needed]
        made[name] = {**whole, "title": name, "properties": properties, "required": required}
        mapping |= dict.fromkeys(types, f"#/components/schemas/{name}")
    made[body.__name__] = {
        "oneOf": [{"$ref": reference} for reference in dict.fromkeys(mapping.values())],
        "discriminator": {"propertyName": body.type_field, "mapping": mapping},
    }
    return made


def _not_null(schema: Json) -> list[Json]:
    """What a field that may be null is if it is not."""
    return [one for one in schema.get("anyOf", [schema]) if one != {"type": "null"}]


_ERROR: Json = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "message": _STRING,
                "type": _STRING,
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
            "required": ["message", "type", "param", "code"],
        }
    },
    "required": ["error"],
}


def _describe(path: str, operation: Operation, body: Json | None) -> Json:
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": _path_parameter(name)}
        for name in re.findall(r"{(\w+)}", path)
    ]
    parameters += operation.query
    if path.startswith(("/assistants", "/threads")):
        beta = {"type": "string", "enum": ["assistants=v2"]}
        parameters.append({"name": "OpenAI-Beta", "in": "header", "required": True, "schema": beta})
    success: Json = {"type": "object"} if operation.content_type == "application/json" else _BINARY
    description: Json = {
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "Done", "content": {operation.content_type: {"schema": success}}},
            "default": {
                "description": "Refused, or failed",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if body is not None:
        description["requestBody"] = {"content": {"application/json": {"schema": body}}}
    if operation.form is not None:
        content = {"multipart/form-data": {"schema": operation.form}}
        description["requestBody"] = {"required": True, "content": content}
    return description


def _path_parameter(name: str) -> Json:
    kind = _KINDS.get(name, name.removesuffix("_id"))
    return {**_STRING, "pattern": f"^{PREFIXES[kind]}"} if kind in PREFIXES else _STRING


routes = [Route("/openapi.json", serve, methods=["GET"])]
