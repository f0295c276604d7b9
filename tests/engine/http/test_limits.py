"""Every limit of the API at its last good value and at the first bad one, on every endpoint that has it."""

from typing import Any

import httpx2
import pytest

from assistants_tui.protocol.objects import Json
from support.engine import error_of, make, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")

FUNCTION: Json = {"type": "function", "function": {"name": "tide_height"}}


def function(**fields: Any) -> Json:
    return {"type": "function", "function": {"name": "tide_height"} | fields}


def file_search(**options: Any) -> Json:
    return {"type": "file_search", "file_search": options}


def pairs(count: int) -> dict[str, str]:
    return {str(number): "" for number in range(count)}


METADATA = [
    ("metadata", pairs(16), pairs(17), "object_above_max_properties", "metadata"),
    ("metadata", {"k" * 64: ""}, {"k" * 65: ""}, "property_name_above_max_length", "metadata." + "k" * 65),
    ("metadata", {"k": "v" * 512}, {"k": "v" * 513}, "string_above_max_length", "metadata.k"),
]

# field, the last good value, the first bad one, code and path of the error
ASSISTANT = [
    *METADATA,
    ("name", "n" * 256, "n" * 257, "string_above_max_length", "name"),
    ("name", "é" * 256, "é" * 257, "string_above_max_length", "name"),
    ("description", "d" * 512, "d" * 513, "string_above_max_length", "description"),
    ("instructions", "i" * 256_000, "i" * 256_001, "string_above_max_length", "instructions"),
    (
        "tools",
        [{"type": "code_interpreter"}] * 128,
        [{"type": "code_interpreter"}] * 129,
        "array_above_max_length",
        "tools",
    ),
    ("temperature", 0, -0.1, "decimal_below_min_value", "temperature"),
    ("temperature", 2, 2.1, "decimal_above_max_value", "temperature"),
    ("top_p", 0, -0.1, "decimal_below_min_value", "top_p"),
    ("top_p", 1, 1.1, "decimal_above_max_value", "top_p"),
    ("model", "m", "", "empty_string", "model"),
    (
        "tools",
        [function(description="d" * 1024)],
        [function(description="d" * 1025)],
        "string_above_max_length",
        "tools[0].function.description",
    ),
    (
        "tools",
        [FUNCTION | {"function": {"name": "n" * 64}}],
        [FUNCTION | {"function": {"name": "n" * 65}}],
        "string_above_max_length",
        "tools[0].function.name",
    ),
    (
        "tools",
        [FUNCTION | {"function": {"name": "a-Z_9"}}],
        [FUNCTION | {"function": {"name": "a b"}}],
        "invalid_value",
        "tools[0].function.name",
    ),
    (
        "tools",
        [FUNCTION, {"type": "function", "function": {"name": "other"}}],
        [FUNCTION, FUNCTION],
        "invalid_value",
        "tools[1].function.name",
    ),
    (
        "tools",
        [function(parameters={"type": "object"})],
        [function(parameters={"type": "string"})],
        "invalid_function_parameters",
        "tools[0].function.parameters",
    ),
    (
        "tools",
        [file_search(max_num_results=1)],
        [file_search(max_num_results=0)],
        "integer_below_min_value",
        "tools[0].file_search.max_num_results",
    ),
    (
        "tools",
        [file_search(max_num_results=50)],
        [file_search(max_num_results=51)],
        "integer_above_max_value",
        "tools[0].file_search.max_num_results",
    ),
    (
        "tools",
        [file_search(ranking_options={"score_threshold": 1})],
        [file_search(ranking_options={"score_threshold": 1.01})],
        "decimal_above_max_value",
        "tools[0].file_search.ranking_options.score_threshold",
    ),
    (
        "tools",
        [file_search(ranking_options={"score_threshold": 0})],
        [file_search(ranking_options={"ranker": "auto"})],
        "missing_required_parameter",
        "tools[0].file_search.ranking_options.score_threshold",
    ),
    (
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "n" * 64, "schema": {"type": "object"}}},
        {"type": "json_schema", "json_schema": {"name": "n" * 65}},
        "string_above_max_length",
        "response_format.json_schema.name",
    ),
]

MESSAGE = [
    *METADATA,
    ("content", "t" * 256_000, "t" * 256_001, "string_above_max_length", "content"),
    ("content", "t", "", "empty_string", "content"),
    (
        "content",
        [{"type": "text", "text": "t" * 256_000}],
        [{"type": "text", "text": "t" * 256_001}],
        "string_above_max_length",
        "content[0].text",
    ),
    ("content", [{"type": "text", "text": "t"}], [], "empty_array", "content"),
]

RUN = [
    *METADATA,
    *[case for case in ASSISTANT if case[0] in {"instructions", "temperature", "top_p", "model", "tools"}],
    ("max_prompt_tokens", 256, 255, "integer_below_min_value", "max_prompt_tokens"),
    ("max_completion_tokens", 1, 0, "integer_below_min_value", "max_completion_tokens"),
    (
        "truncation_strategy",
        {"type": "last_messages", "last_messages": 1},
        {"type": "last_messages", "last_messages": 0},
        "integer_below_min_value",
        "truncation_strategy.last_messages",
    ),
    (
        "additional_instructions",
        "i" * 256_000,
        "i" * 256_001,
        "string_above_max_length",
        "additional_instructions",
    ),
]

STORE = [
    *METADATA,
    (
        "expires_after",
        {"anchor": "last_active_at", "days": 1},
        {"anchor": "last_active_at", "days": 0},
        "integer_below_min_value",
        "expires_after.days",
    ),
    (
        "expires_after",
        {"anchor": "last_active_at", "days": 365},
        {"anchor": "last_active_at", "days": 366},
        "integer_above_max_value",
        "expires_after.days",
    ),
]


def name_of(case: tuple[Any, ...]) -> str:
    return f"{case[4][:60]}-{case[3]}"


async def check(
    http: httpx2.AsyncClient, path: str, base: Json, case: tuple[str, Any, Any, str, str]
) -> Json:
    """The bad value is refused in the right words, the good one taken. Returns what it made."""
    field, good, bad, code, param = case
    refused = await http.post(path, json=base | {field: bad})
    assert refused.status_code == 400
    error = error_of(refused)
    assert (error["code"], error["param"]) == (code, param)
    if code != "invalid_function_parameters":
        assert f"'{param}'" in error["message"] or f"'{param.rpartition('.')[0]}'" in error["message"]
    return await make(http, path, **(base | {field: good}))


@pytest.mark.parametrize("case", ASSISTANT, ids=name_of)
async def test_create_assistant(shared: httpx2.AsyncClient, case: tuple[str, Any, Any, str, str]) -> None:
    made = await check(shared, "/assistants", {"model": "m"}, case)
    if case[0] != "tools":
        assert made[case[0]] == case[1]
    assert (await shared.get(f"/assistants/{made['id']}")).json() == made


@pytest.mark.parametrize("case", ASSISTANT, ids=name_of)
async def test_modify_assistant(shared: httpx2.AsyncClient, case: tuple[str, Any, Any, str, str]) -> None:
    assistant = await make(shared, "/assistants", model="before")
    changed = await check(shared, f"/assistants/{assistant['id']}", {}, case)
    untouched = assistant.keys() - {case[0], "tool_resources"}  # which show what the tools need
    assert {name: changed[name] for name in untouched} == {name: assistant[name] for name in untouched}


@pytest.mark.parametrize("case", METADATA, ids=name_of)
async def test_create_and_modify_thread(
    shared: httpx2.AsyncClient, case: tuple[str, Any, Any, str, str]
) -> None:
    thread = await check(shared, "/threads", {}, case)
    assert thread["metadata"] == case[1]
    assert (await check(shared, f"/threads/{thread['id']}", {}, case))["metadata"] == case[1]


@pytest.mark.parametrize("case", MESSAGE, ids=name_of)
async def test_create_message(shared: httpx2.AsyncClient, case: tuple[str, Any, Any, str, str]) -> None:
    thread = await make(shared, "/threads")
    await check(shared, f"/threads/{thread['id']}/messages", {"role": "user", "content": "hello"}, case)


@pytest.mark.parametrize("case", MESSAGE, ids=name_of)
async def test_messages_of_new_thread(
    shared: httpx2.AsyncClient, case: tuple[str, Any, Any, str, str]
) -> None:
    field, good, bad, code, param = case
    message = {"role": "user", "content": "hello"}
    refused = await shared.post("/threads", json={"messages": [message, message | {field: bad}]})
    error = error_of(refused)
    assert (refused.status_code, error["code"], error["param"]) == (400, code, f"messages[1].{param}")
    await make(shared, "/threads", messages=[message, message | {field: good}])


@pytest.mark.parametrize("case", METADATA, ids=name_of)
async def test_modify_message(shared: httpx2.AsyncClient, case: tuple[str, Any, Any, str, str]) -> None:
    thread = await make(shared, "/threads")
    path = f"/threads/{thread['id']}/messages"
    message = await make(shared, path, role="user", content="hello")
    await check(shared, f"{path}/{message['id']}", {}, case)


@pytest.mark.parametrize("case", RUN, ids=name_of)
async def test_run_options(shared: httpx2.AsyncClient, case: tuple[str, Any, Any, str, str]) -> None:
    """Bad values are refused before anything else is looked at; good ones are taken with a real run."""
    field, _, bad, code, param = case
    thread = await make(shared, "/threads")
    path = f"/threads/{thread['id']}/runs"
    refused = await shared.post(path, json={"assistant_id": "asst_none", field: bad})
    error = error_of(refused)
    assert (refused.status_code, error["code"], error["param"]) == (400, code, param)
    good = await shared.post(path, json={"assistant_id": "asst_none", field: case[1]})
    assert error_of(good)["message"] == "No assistant found with id 'asst_none'."


@pytest.mark.parametrize("case", STORE, ids=name_of)
async def test_create_and_modify_vector_store(
    shared: httpx2.AsyncClient, case: tuple[str, Any, Any, str, str]
) -> None:
    store = await check(shared, "/vector_stores", {"name": "ledgers"}, case)
    assert store[case[0]] == case[1]
    await check(shared, f"/vector_stores/{store['id']}", {}, case)


ATTRIBUTES = [
    ("attributes", pairs(16), pairs(17), "object_above_max_properties", "attributes"),
    (
        "attributes",
        {"k" * 64: ""},
        {"k" * 65: ""},
        "property_name_above_max_length",
        "attributes." + "k" * 65,
    ),
    ("attributes", {"k": "v" * 512}, {"k": "v" * 513}, "string_above_max_length", "attributes.k"),
    ("attributes", {"k": 1, "l": 1.5, "m": True}, {"k": None}, "invalid_type", "attributes.k"),
    *[
        (
            "chunking_strategy",
            {"type": "static", "static": {"max_chunk_size_tokens": good[0], "chunk_overlap_tokens": good[1]}},
            {"type": "static", "static": {"max_chunk_size_tokens": bad[0], "chunk_overlap_tokens": bad[1]}},
            code,
            f"chunking_strategy.static.{field}",
        )
        for good, bad, code, field in [
            ((100, 0), (99, 0), "integer_below_min_value", "max_chunk_size_tokens"),
            ((4096, 0), (4097, 0), "integer_above_max_value", "max_chunk_size_tokens"),
            ((800, 0), (800, -1), "integer_below_min_value", "chunk_overlap_tokens"),
            ((800, 400), (800, 401), "integer_above_max_value", "chunk_overlap_tokens"),
            ((101, 50), (101, 51), "integer_above_max_value", "chunk_overlap_tokens"),
        ]
    ],
]


@pytest.mark.parametrize("case", ATTRIBUTES, ids=name_of)
async def test_attach_file(shared: httpx2.AsyncClient, case: tuple[str, Any, Any, str, str]) -> None:
    store = await make(shared, "/vector_stores")
    file = await upload(shared)
    path = f"/vector_stores/{store['id']}"
    attached = await check(shared, f"{path}/files", {"file_id": file["id"]}, case)
    assert attached[case[0]] == case[1]
    await check(shared, f"{path}/file_batches", {"file_ids": [file["id"]]}, case)


LISTS = [
    (
        "/assistants",
        {"model": "m"},
        "tool_resources",
        {"code_interpreter": {"file_ids": ["file-x"] * 21}},
        "tool_resources.code_interpreter.file_ids",
    ),
    (
        "/threads",
        {},
        "tool_resources",
        {"file_search": {"vector_store_ids": ["vs_1", "vs_2"]}},
        "tool_resources.file_search.vector_store_ids",
    ),
    (
        "/threads",
        {},
        "tool_resources",
        {"file_search": {"vector_stores": [{}, {}]}},
        "tool_resources.file_search.vector_stores",
    ),
    (
        "/threads",
        {},
        "tool_resources",
        {"file_search": {"vector_stores": [{"file_ids": ["file-x"] * 10_001}]}},
        "tool_resources.file_search.vector_stores[0].file_ids",
    ),
    ("/vector_stores", {}, "file_ids", ["file-x"] * 501, "file_ids"),
]


@pytest.mark.parametrize(("path", "base", "field", "value", "param"), LISTS)
async def test_lists_that_are_too_long(
    shared: httpx2.AsyncClient, path: str, base: Json, field: str, value: Any, param: str
) -> None:
    error = error_of(await shared.post(path, json=base | {field: value}))
    assert (error["code"], error["param"]) == ("array_above_max_length", param)


async def test_twenty_files_for_the_code_interpreter(shared: httpx2.AsyncClient) -> None:
    files = [(await upload(shared, f"{number}.csv"))["id"] for number in range(21)]
    resources = {"code_interpreter": {"file_ids": files[:20]}}
    assistant = await make(shared, "/assistants", model="m", tool_resources=resources)
    assert assistant["tool_resources"] == resources
    # a thread's files come with its messages, one by one
    thread = await make(shared, "/threads", tool_resources=resources)
    attachment = {"file_id": files[20], "tools": [{"type": "code_interpreter"}]}
    message = {"role": "user", "content": "one more", "attachments": [attachment]}
    error = error_of(await shared.post(f"/threads/{thread['id']}/messages", json=message))
    assert (error["code"], error["param"]) == ("array_above_max_length", "attachments")
    again = message | {"attachments": [attachment | {"file_id": files[0]}]}
    await make(shared, f"/threads/{thread['id']}/messages", **again)


@pytest.mark.parametrize("number", [0, 2001])
async def test_batch_sizes(shared: httpx2.AsyncClient, number: int) -> None:
    store = await make(shared, "/vector_stores")
    path = f"/vector_stores/{store['id']}/file_batches"
    for field, entry in (("file_ids", "file-x"), ("files", {"file_id": "file-x"})):
        refused = error_of(await shared.post(path, json={field: [entry] * number}))
        code = "array_above_max_length" if number else "empty_array"
        assert (refused["code"], refused["param"]) == (code, field)


PAGES = ["/assistants", "/threads", "/vector_stores", "/threads/{}/messages", "/threads/{}/runs"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("0", "integer_below_min_value"),
        ("-1", "integer_below_min_value"),
        ("101", "integer_above_max_value"),
        ("9" * 30, "integer_above_max_value"),
        ("ten", "invalid_type"),
        ("1.5", "invalid_type"),
        ("٣", "invalid_type"),
    ],
)
async def test_page_sizes(shared: httpx2.AsyncClient, path: str, limit: str, code: str) -> None:
    thread = await make(shared, "/threads")
    address = path.format(thread["id"])
    error = error_of(await shared.get(address, params={"limit": limit}))
    assert (error["code"], error["param"]) == (code, "limit")
    for good in ("1", "100"):
        assert (await shared.get(address, params={"limit": good})).status_code == 200


@pytest.mark.parametrize(("limit", "status"), [("0", 400), ("1", 200), ("10000", 200), ("10001", 400)])
async def test_page_sizes_of_files(shared: httpx2.AsyncClient, limit: str, status: int) -> None:
    assert (await shared.get("/files", params={"limit": limit})).status_code == status


async def test_default_page_is_twenty_of_the_newest(http: httpx2.AsyncClient) -> None:
    made = [(await make(http, "/threads"))["id"] for _ in range(21)]
    page = (await http.get("/threads")).json()
    assert [thread["id"] for thread in page["data"]] == made[:0:-1]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (made[20], made[1], True)
