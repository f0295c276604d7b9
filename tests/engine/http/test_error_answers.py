"""What the API refuses, with the status, type, param, code and words of the hosted service."""

import json
from typing import Any

import httpx2
import pytest

from assistants_tui.protocol.objects import Json
from support.engine import error_of, make, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")

USER = {"role": "user", "content": "hello"}
V1_HINT = "In version 2 of the API, files go into 'tool_resources'"

# what is sent; status, param, code, what the message has in it
BODIES: list[tuple[str, Json, str, str, str]] = [
    ("/assistants", {}, "model", "missing_required_parameter", "Missing required parameter: 'model'."),
    (
        "/assistants",
        {"model": 7},
        "model",
        "invalid_type",
        "Invalid type for 'model': expected a string, but got an integer instead.",
    ),
    ("/assistants", {"model": None}, "model", "invalid_type", "but got null instead"),
    ("/assistants", {"model": "m", "file_ids": []}, "file_ids", "unknown_parameter", V1_HINT),
    ("/assistants", {"model": "m", "colour": 1}, "colour", "unknown_parameter", "'colour'"),
    (
        "/assistants",
        {"model": "m", "tools": [{"type": "retrieval"}]},
        "tools[0].type",
        "invalid_value",
        "Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'file_search', and "
        "'function'. The tool 'retrieval' of version 1 is called 'file_search' in version 2.",
    ),
    (
        "/assistants",
        {"model": "m", "tools": [{"type": "code-interpreter"}]},
        "tools[0].type",
        "invalid_value",
        "Did you mean 'code_interpreter'?",
    ),
    (
        "/assistants",
        {"model": "m", "tools": [{"type": "function"}]},
        "tools[0].function",
        "missing_required_parameter",
        "'tools[0].function'",
    ),
    (
        "/assistants",
        {"model": "m", "tools": [{"type": "code_interpreter", "function": {"name": "f"}}]},
        "tools[0].function",
        "unknown_parameter",
        "'tools[0].function'",
    ),
    (
        "/assistants",
        {"model": "m", "tools": {"type": "function"}},
        "tools",
        "invalid_type",
        "expected an array, but got an object instead",
    ),
    (
        "/assistants",
        {"model": "m", "metadata": {"modified": True}},
        "metadata.modified",
        "invalid_type",
        "Invalid type for 'metadata.modified': expected a string, but got a boolean instead.",
    ),
    ("/assistants", {"model": "m", "temperature": "hot"}, "temperature", "invalid_type", "a decimal"),
    ("/assistants", {"model": "m", "temperature": True}, "temperature", "invalid_type", "a boolean"),
    (
        "/assistants",
        {"model": "m", "response_format": "json"},
        "response_format",
        "invalid_value",
        "Supported values are: 'auto'.",
    ),
    (
        "/assistants",
        {"model": "m", "response_format": {"type": "json_schema"}},
        "response_format.json_schema",
        "missing_required_parameter",
        "",
    ),
    (
        "/assistants",
        {"model": "m", "response_format": 1},
        "response_format",
        "invalid_type",
        "expected one of a string or an object, but got an integer instead",
    ),
    (
        "/threads",
        {"messages": [USER | {"file_ids": []}]},
        "messages[0].file_ids",
        "unknown_parameter",
        "Unknown parameter: 'messages[0].file_ids'. " + V1_HINT,
    ),
    (
        "/threads",
        {"messages": [{"role": "system", "content": "x"}]},
        "messages[0].role",
        "invalid_value",
        "Supported values are: 'user' and 'assistant'.",
    ),
    ("/threads", {"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter", ""),
    (
        "/threads",
        {"messages": [{"role": "user", "content": 5}]},
        "messages[0].content",
        "invalid_type",
        "expected one of a string or an array, but got an integer instead",
    ),
    (
        "/threads",
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        "messages[0].content[0].text",
        "missing_required_parameter",
        "",
    ),
    (
        "/threads",
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///x"}}]}
            ]
        },
        "messages[0].content[0].image_url.url",
        "invalid_value",
        "",
    ),
    (
        "/threads",
        {"messages": [USER | {"attachments": [{"file_id": "file-x", "tools": []}]}]},
        "messages[0].attachments[0].tools",
        "empty_array",
        "",
    ),
    (
        "/threads",
        {
            "messages": [
                USER | {"attachments": [{"file_id": "file-x", "tools": [{"type": "code_interpreter"}]}]}
            ]
        },
        "messages[0].attachments",
        "",
        "No such File object: file-x",
    ),
    (
        "/threads",
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_file", "image_file": {"file_id": "file-x"}}]}
            ]
        },
        "messages[0].content",
        "",
        "No such File object: file-x",
    ),
    (
        "/threads",
        {"tool_resources": {"code_interpreter": {"file_ids": ["file-x", "file-y"]}}},
        "tool_resources.code_interpreter.file_ids",
        "",
        "No such File object: file-x, file-y",
    ),
    (
        "/threads",
        {"tool_resources": {"file_search": {"vector_store_ids": ["vs_x"]}}},
        "tool_resources.file_search.vector_store_ids",
        "",
        "No vector store found with id 'vs_x'.",
    ),
    (
        "/threads",
        {"tool_resources": {"file_search": {"vector_store_ids": ["vs_x"], "vector_stores": [{}]}}},
        "tool_resources.file_search.vector_stores",
        "invalid_value",
        "send only one",
    ),
    (
        "/threads",
        {"tool_resources": {"file_search": {"vector_stores": [{"file_ids": ["file-x"]}]}}},
        "tool_resources.file_search.vector_stores[0].file_ids",
        "",
        "No such File object: file-x",
    ),
    ("/vector_stores", {"file_ids": ["file-x"]}, "file_ids", "", "No such File object: file-x"),
    (
        "/vector_stores",
        {"chunking_strategy": {"type": "auto"}},
        "chunking_strategy",
        "invalid_value",
        "only be set together with 'file_ids'",
    ),
    (
        "/vector_stores",
        {"expires_after": {"anchor": "created_at", "days": 1}},
        "expires_after.anchor",
        "invalid_value",
        "'last_active_at'",
    ),
    (
        "/uploads",
        {"filename": "x", "bytes": 0, "mime_type": "text/plain", "purpose": "assistants"},
        "bytes",
        "integer_below_min_value",
        "",
    ),
    (
        "/uploads",
        {"filename": "x", "bytes": 8 * 1024**3 + 1, "mime_type": "text/plain", "purpose": "assistants"},
        "bytes",
        "integer_above_max_value",
        "",
    ),
    (
        "/uploads",
        {"filename": "", "bytes": 1, "mime_type": "", "purpose": ""},
        "filename",
        "empty_string",
        "",
    ),
]


@pytest.mark.parametrize(("path", "body", "param", "code", "words"), BODIES)
async def test_refused_bodies(
    shared: httpx2.AsyncClient, path: str, body: Json, param: str, code: str, words: str
) -> None:
    response = await shared.post(path, json=body)
    error = error_of(response)
    assert response.status_code == 400
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code or None)
    assert words in error["message"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b'{"model": NaN}',
        b'{"model": "m", "temperature": 1e999}',
        b'{"model": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"model": ' + b"1" * 5000 + b"}",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"[" * 65 + b"]" * 65,
    ],
)
async def test_bodies_that_are_not_json(shared: httpx2.AsyncClient, content: bytes) -> None:
    response = await shared.post("/assistants", content=content)
    assert response.status_code == 400
    assert error_of(response)["message"].startswith("We could not parse the JSON body")


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"1", b"null"])
async def test_bodies_that_are_no_objects(shared: httpx2.AsyncClient, content: bytes) -> None:
    error = error_of(await shared.post("/assistants", content=content))
    assert (error["param"], error["code"]) == (None, "invalid_type")
    assert "expected an object" in error["message"]


async def test_empty_body_is_an_empty_object(shared: httpx2.AsyncClient) -> None:
    assert (await shared.post("/threads")).status_code == 200
    assert (await shared.post("/threads", content=b" \n")).status_code == 200


async def test_body_size(shared: httpx2.AsyncClient) -> None:
    limit = 16 * 1024 * 1024
    frame = len(json.dumps({"model": "", "instructions": None}, separators=(",", ":")))
    for size, status in ((limit, 200), (limit + 1, 413)):
        body = {"model": "m" * (size - frame), "instructions": None}
        response = await shared.post("/assistants", content=json.dumps(body, separators=(",", ":")))
        assert response.status_code == status
    assert str(limit) in error_of(response)["message"]


async def test_body_that_only_claims_to_be_small(shared: httpx2.AsyncClient) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 1024 * 1024

    response = await shared.post("/assistants", content=endless())
    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/assistants", "/files"])
async def test_a_body_that_says_it_is_too_large_is_not_read(shared: httpx2.AsyncClient, path: str) -> None:
    read = 0

    async def body() -> Any:
        nonlocal read
        read += 1
        yield b"x"

    form = "multipart/form-data; boundary=edge"
    headers = {"content-length": str(2 * 1024**3), "content-type": form}
    response = await shared.post(path, content=body(), headers=headers)
    assert (response.status_code, response.headers["connection"], read) == (413, "close", 0)
    assert error_of(response)["type"] == "invalid_request_error"


_THREAD_ID = "thread_abc"
_ATTACHMENT = {"file_id": _THREAD_ID, "tools": [{"type": "file_search"}]}


@pytest.mark.parametrize(
    ("path", "body", "param", "begins"),
    [
        ("/threads/thread_x/runs", {"assistant_id": _THREAD_ID}, "assistant_id", "asst"),
        ("/threads/runs", {"assistant_id": _THREAD_ID}, "assistant_id", "asst"),
        (
            "/threads/thread_x/messages",
            USER | {"attachments": [_ATTACHMENT]},
            "attachments[0].file_id",
            "file",
        ),
        (
            "/threads",
            {"tool_resources": {"file_search": {"vector_store_ids": [_THREAD_ID]}}},
            "tool_resources.file_search.vector_store_ids[0]",
            "vs",
        ),
        ("/vector_stores", {"file_ids": ["file-x", _THREAD_ID]}, "file_ids[1]", "file"),
        ("/vector_stores/vs_x/files", {"file_id": _THREAD_ID}, "file_id", "file"),
        ("/uploads/upload_x/complete", {"part_ids": [_THREAD_ID]}, "part_ids[0]", "part"),
    ],
)
async def test_an_id_of_the_wrong_kind(
    shared: httpx2.AsyncClient, path: str, body: Json, param: str, begins: str
) -> None:
    response = await shared.post(path, json=body)
    error = error_of(response)
    assert (response.status_code, error["param"], error["code"]) == (400, param, "invalid_value")
    assert (
        error["message"] == f"Invalid '{param}': '{_THREAD_ID}'. Expected an ID that begins with '{begins}'."
    )


async def test_a_run_needs_something_to_answer(shared: httpx2.AsyncClient) -> None:
    silent = await make(shared, "/assistants", model="m")
    thread = await make(shared, "/threads", messages=[{"role": "assistant", "content": "Hello"}])
    path = f"/threads/{thread['id']}/runs"
    for address in (path, "/threads/runs"):
        response = await shared.post(address, json={"assistant_id": silent["id"]})
        error = error_of(response)
        assert (response.status_code, error["param"], error["code"]) == (400, None, "invalid_thread")
        assert error["message"] == (
            "Run creation requires a Thread with a user message or an assistant with instructions."
        )
    await make(shared, path, assistant_id=silent["id"], instructions="Greet.")


UNKNOWN = [
    ("assistant", "/assistants/asst_x", ["GET", "POST", "DELETE"]),
    ("thread", "/threads/thread_x", ["GET", "POST", "DELETE"]),
    ("thread", "/threads/thread_x/messages", ["GET"]),
    ("thread", "/threads/thread_x/messages/msg_x", ["GET", "POST", "DELETE"]),
    ("thread", "/threads/thread_x/runs", ["GET"]),
    ("thread", "/threads/thread_x/runs/run_x", ["GET", "POST"]),
    ("message", "/threads/{thread}/messages/msg_x", ["GET", "POST", "DELETE"]),
    ("run", "/threads/{thread}/runs/run_x", ["GET", "POST"]),
    ("run", "/threads/{thread}/runs/run_x/cancel", ["POST"]),
    ("run", "/threads/{thread}/runs/run_x/steps", ["GET"]),
    ("run", "/threads/{thread}/runs/run_x/steps/step_x", ["GET"]),
    ("vector store", "/vector_stores/vs_x", ["GET", "POST", "DELETE"]),
    ("vector store", "/vector_stores/vs_x/files", ["GET"]),
    ("vector store", "/vector_stores/vs_x/files/file-x", ["GET", "DELETE"]),
    ("vector store", "/vector_stores/vs_x/file_batches/vsfb_x", ["GET"]),
    ("vector store", "/vector_stores/vs_x/file_batches/vsfb_x/cancel", ["POST"]),
    ("file batch", "/vector_stores/{store}/file_batches/vsfb_x", ["GET"]),
    ("file batch", "/vector_stores/{store}/file_batches/vsfb_x/files", ["GET"]),
    ("file batch", "/vector_stores/{store}/file_batches/vsfb_x/cancel", ["POST"]),
    ("upload", "/uploads/upload_x/cancel", ["POST"]),
]


@pytest.mark.parametrize(("kind", "path", "methods"), UNKNOWN)
async def test_unknown_objects(shared: httpx2.AsyncClient, kind: str, path: str, methods: list[str]) -> None:
    thread, store = await make(shared, "/threads"), await make(shared, "/vector_stores")
    address = path.format(thread=thread["id"], store=store["id"])
    for method in methods:
        response = await shared.request(method, address)
        error = error_of(response)
        assert response.status_code == 404
        assert (error["param"], error["code"]) == (None, None)
        assert error["message"].startswith(f"No {kind} found with id '")


async def test_message_of_another_thread(shared: httpx2.AsyncClient) -> None:
    first, second = await make(shared, "/threads"), await make(shared, "/threads")
    message = await make(shared, f"/threads/{first['id']}/messages", **USER)
    for method in ("GET", "POST", "DELETE"):
        response = await shared.request(method, f"/threads/{second['id']}/messages/{message['id']}")
        assert error_of(response)["message"] == f"No message found with id '{message['id']}'."


@pytest.mark.parametrize("path", ["/files/fake_id", "/files/fake_id/content"])
async def test_unknown_file(shared: httpx2.AsyncClient, path: str) -> None:
    response = await shared.get(path)
    message = "No such File object: fake_id"
    assert response.status_code == 404
    assert response.json() == {
        "error": {"message": message, "type": "invalid_request_error", "param": "id", "code": None},
        "detail": {"message": message, "code": None},
    }


@pytest.mark.parametrize(
    ("path", "param", "prefix"),
    [
        ("/assistants/thread_x", "assistant_id", "asst"),
        ("/threads/asst_x", "thread_id", "thread"),
        ("/threads/asst_x/messages", "thread_id", "thread"),
        ("/threads/thread_x/messages/run_x", "message_id", "msg"),
        ("/threads/thread_x/runs/msg_x", "run_id", "run"),
        ("/vector_stores/file-x", "vector_store_id", "vs"),
        ("/vector_stores/vs_x/file_batches/x", "batch_id", "vsfb"),
    ],
)
async def test_ids_of_another_kind(shared: httpx2.AsyncClient, path: str, param: str, prefix: str) -> None:
    response = await shared.get(path)
    error = error_of(response)
    assert (response.status_code, error["param"], error["code"]) == (400, param, "invalid_value")
    assert error["message"].endswith(f"Expected an ID that begins with '{prefix}'.")


@pytest.mark.parametrize("path", ["/nothing", "/threads/thread_x/nothing", "/assistants/asst_x/files"])
async def test_unknown_url(shared: httpx2.AsyncClient, path: str) -> None:
    response = await shared.get(path)
    assert (response.status_code, error_of(response)["code"]) == (404, "unknown_url")
    assert f"GET /v1{path}" in error_of(response)["message"]


async def test_url_outside_of_all_prefixes(shared: httpx2.AsyncClient) -> None:
    response = await shared.get("http://localhost/")
    assert (response.status_code, error_of(response)["code"]) == (404, "unknown_url")


async def test_unknown_method(shared: httpx2.AsyncClient) -> None:
    response = await shared.put("/threads/thread_x")
    assert (response.status_code, error_of(response)["code"]) == (405, "method_not_supported")
    assert response.headers["allow"] == "DELETE, GET, HEAD, POST"


@pytest.mark.parametrize("path", ["/assistants", "/files", "/threads", "/vector_stores"])
@pytest.mark.parametrize("parameter", ["after", "before"])
async def test_unknown_cursor(shared: httpx2.AsyncClient, path: str, parameter: str) -> None:
    response = await shared.get(path, params={parameter: "asst_x"})
    error = error_of(response)
    assert (response.status_code, error["param"]) == (400, parameter)


async def test_cursor_of_another_list(shared: httpx2.AsyncClient) -> None:
    first, second = await make(shared, "/threads"), await make(shared, "/threads")
    message = await make(shared, f"/threads/{first['id']}/messages", **USER)
    response = await shared.get(f"/threads/{second['id']}/messages", params={"after": message["id"]})
    assert error_of(response)["param"] == "after"


async def test_unknown_order(shared: httpx2.AsyncClient) -> None:
    error = error_of(await shared.get("/threads", params={"order": "up"}))
    assert (error["param"], error["code"]) == ("order", "invalid_value")
    assert error["message"] == "Invalid value: 'up'. Supported values are: 'asc' and 'desc'."


async def test_unfit_purpose(shared: httpx2.AsyncClient) -> None:
    file = await upload(shared, purpose="batch")
    for resources in (
        {"code_interpreter": {"file_ids": [file["id"]]}},
        {"file_search": {"vector_stores": [{"file_ids": [file["id"]]}]}},
    ):
        error = error_of(await shared.post("/threads", json={"tool_resources": resources}))
        assert error["code"] == "invalid_value"
        assert "Upload it with the purpose 'assistants'" in error["message"]


async def test_every_answer_has_a_request_id(shared: httpx2.AsyncClient) -> None:
    answers = [await shared.get(path) for path in ("/threads", "/nothing", "/assistants/x", "/assistants/x")]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 4
    assert all(request_id.startswith("req_") for request_id in ids)


@pytest.mark.parametrize("header", [None, "", "assistants=v1", "threads=v2"])
@pytest.mark.parametrize("path", ["/assistants", "/threads", "/threads/thread_x/messages"])
async def test_beta_header(shared: httpx2.AsyncClient, path: str, header: str | None) -> None:
    request = shared.build_request("GET", path)
    del request.headers["OpenAI-Beta"]
    if header is not None:
        request.headers["OpenAI-Beta"] = header
    response = await shared.send(request)
    error = error_of(response)
    assert (response.status_code, error["param"], error["code"]) == (400, None, "invalid_beta")
    assert "OpenAI-Beta: assistants=v2" in error["message"]


async def test_beta_header_among_others(shared: httpx2.AsyncClient) -> None:
    headers = {"OpenAI-Beta": "realtime=v1, assistants=v2"}
    assert (await shared.get("/threads", headers=headers)).status_code == 200


@pytest.mark.parametrize("path", ["/files", "/models", "/vector_stores"])
async def test_where_no_beta_header_is_needed(shared: httpx2.AsyncClient, path: str) -> None:
    request = shared.build_request("GET", path)
    del request.headers["OpenAI-Beta"]
    assert (await shared.send(request)).status_code == 200
