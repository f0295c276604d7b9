"""Vector stores: their files one by one and in batches, counts, states, attributes, expiry."""

from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from assistants_tui.engine.app import EngineSettings
from assistants_tui.engine.store import file_batches, vector_store_files
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.vector_store_files import NewFile
from assistants_tui.protocol.objects import ErrorInfo, Json
from support.documents import pdf
from support.engine import ManualClock, error_of, make, settled, upload

DAY = 86_400
STATIC = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
AUTO = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}


def counts(**numbers: int) -> Json:
    every = dict.fromkeys(("in_progress", "completed", "failed", "cancelled"), 0) | numbers
    return every | {"total": sum(numbers.values())}


async def get(http: httpx2.AsyncClient, path: str, **query: str) -> Any:
    response = await http.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def test_empty_store(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    store = await make(http, "/vector_stores")
    now = int(clock.now)
    assert store == {
        "id": store["id"],
        "object": "vector_store",
        "created_at": now,
        "name": None,
        "description": None,
        "usage_bytes": 0,
        "file_counts": counts(),
        "status": "completed",
        "expires_after": None,
        "expires_at": None,
        "last_active_at": now,
        "metadata": {},
    }
    assert await get(http, f"/vector_stores/{store['id']}") == store
    assert (await get(http, "/vector_stores"))["data"] == [store]


async def test_new_store_with_files(http: httpx2.AsyncClient) -> None:
    files = [await upload(http, f"{number}.md", b"x" * number) for number in (1, 2)]
    ids = [file["id"] for file in files]
    store = await make(
        http, "/vector_stores", name="ledgers", file_ids=[*ids, ids[0]], chunking_strategy=STATIC
    )
    assert (store["status"], store["file_counts"]) == ("in_progress", counts(in_progress=2))
    done = await settled(http, f"/vector_stores/{store['id']}")
    assert (done["status"], done["file_counts"]) == ("completed", counts(completed=2))
    assert done["usage_bytes"] == 3
    listed = await get(http, f"/vector_stores/{store['id']}/files", order="asc")
    assert [file["id"] for file in listed["data"]] == ids
    assert all(file["chunking_strategy"] == STATIC for file in listed["data"])


async def test_change_store(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    store = await make(http, "/vector_stores", name="a", description="b", metadata={"c": "d"})
    path = f"/vector_stores/{store['id']}"
    assert await make(http, path) == store
    expiry = {"anchor": "last_active_at", "days": 2}
    changed = await make(http, path, name="e", metadata=None, expires_after=expiry)
    expires_at = int(clock.now) + 2 * DAY
    expected = {"name": "e", "metadata": {}, "expires_after": expiry, "expires_at": expires_at}
    assert changed == store | expected
    cleared = await make(http, path, name=None, expires_after=None)
    assert cleared == store | {"name": None, "metadata": {}}


async def test_delete_store_but_not_its_files(http: httpx2.AsyncClient) -> None:
    file = await upload(http)
    store = await make(http, "/vector_stores", file_ids=[file["id"]])
    resources = {"file_search": {"vector_store_ids": [store["id"]]}}
    thread = await make(http, "/threads", tool_resources=resources)
    path = f"/vector_stores/{store['id']}"
    deleted = (await http.delete(path)).json()
    assert deleted == {"id": store["id"], "object": "vector_store.deleted", "deleted": True}
    assert (await http.get(path)).status_code == 404
    assert (await http.get(f"/files/{file['id']}")).status_code == 200
    left = (await get(http, f"/threads/{thread['id']}"))["tool_resources"]
    assert left["file_search"] == {"vector_store_ids": []}


async def test_attach_and_detach(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    file = await upload(http, data=b"x" * 20)
    store = await make(http, "/vector_stores")
    path = f"/vector_stores/{store['id']}/files"
    attributes = {"year": 2026, "share": 0.5, "draft": False, "kind": "ledger"}
    attached = await make(http, path, file_id=file["id"], attributes=attributes)
    assert attached == {
        "id": file["id"],
        "object": "vector_store.file",
        "created_at": int(clock.now),
        "vector_store_id": store["id"],
        "status": "in_progress",
        "last_error": None,
        "usage_bytes": 0,
        "chunking_strategy": AUTO,
        "attributes": attributes,
    }
    done = await settled(http, f"{path}/{file['id']}")
    assert done == attached | {"status": "completed", "usage_bytes": 20}
    changed = await make(http, f"{path}/{file['id']}", attributes={"year": 2027})
    assert changed == done | {"attributes": {"year": 2027}}
    assert (await make(http, f"{path}/{file['id']}", attributes=None))["attributes"] == {}
    assert error_of(await http.post(f"{path}/{file['id']}", json={}))["param"] == "attributes"
    detached = (await http.delete(f"{path}/{file['id']}")).json()
    assert detached == {"id": file["id"], "object": "vector_store.file.deleted", "deleted": True}
    assert (await get(http, f"/vector_stores/{store['id']}"))["usage_bytes"] == 0
    for method in ("GET", "DELETE"):
        missing = await http.request(method, f"{path}/{file['id']}")
        assert missing.status_code == 404
    assert (await http.get(f"/files/{file['id']}")).status_code == 200


async def test_attach_again_is_a_new_start(http: httpx2.AsyncClient) -> None:
    file = await upload(http)
    store = await make(http, "/vector_stores", file_ids=[file["id"]])
    path = f"/vector_stores/{store['id']}/files"
    again = await make(http, path, file_id=file["id"], attributes={"a": 1}, chunking_strategy=STATIC)
    assert (again["status"], again["chunking_strategy"]) == ("in_progress", STATIC)
    assert (await get(http, f"/vector_stores/{store['id']}"))["file_counts"]["total"] == 1


async def test_one_file_in_two_stores(http: httpx2.AsyncClient) -> None:
    file = await upload(http)
    first = await make(http, "/vector_stores", file_ids=[file["id"]])
    second = await make(http, "/vector_stores", file_ids=[file["id"]])
    await http.delete(f"/vector_stores/{first['id']}/files/{file['id']}")
    assert (await get(http, f"/vector_stores/{second['id']}"))["file_counts"]["total"] == 1


@pytest.mark.parametrize("name", ["table.csv", "plot.PNG", "notes", "archive.tar.gz"])
async def test_files_that_cannot_be_searched(http: httpx2.AsyncClient, name: str) -> None:
    file = await upload(http, name)
    store = await make(http, "/vector_stores")
    attachment = {"file_id": file["id"], "tools": [{"type": "file_search"}]}
    message = {"role": "user", "content": "x", "attachments": [attachment]}
    path = f"/vector_stores/{store['id']}"
    for address, body, param in (
        (f"{path}/files", {"file_id": file["id"]}, "file_id"),
        ("/threads", {"messages": [message]}, "messages[0].attachments"),
    ):
        error = error_of(await http.post(address, json=body))
        assert (error["code"], error["param"]) == ("unsupported_file", param)
        assert "are not supported for retrieval" in error["message"]
    assert len((await get(http, "/vector_stores"))["data"]) == 1


async def test_one_file_of_several_that_cannot_be_searched(http: httpx2.AsyncClient) -> None:
    """It fails alone: the others are not refused because of it."""
    table, notes = await upload(http, "table.csv"), await upload(http, "notes.txt")
    ids = [table["id"], notes["id"]]
    store = await make(http, "/vector_stores", file_ids=ids)
    resources = {"file_search": {"vector_stores": [{"file_ids": ids}]}}
    assistant = await make(http, "/assistants", model="m", tool_resources=resources)
    other = await make(http, "/vector_stores")
    path = f"/vector_stores/{other['id']}"
    batch = await make(http, f"{path}/file_batches", file_ids=ids)
    assert batch["file_counts"] == counts(in_progress=1, failed=1)
    done = await settled(http, f"{path}/file_batches/{batch['id']}")
    assert (done["status"], done["file_counts"]) == ("completed", counts(completed=1, failed=1))
    [made] = assistant["tool_resources"]["file_search"]["vector_store_ids"]
    for store_id in (store["id"], made, other["id"]):
        await settled(http, f"/vector_stores/{store_id}")
        failed = await get(http, f"/vector_stores/{store_id}/files/{table['id']}")
        assert (failed["status"], failed["last_error"]["code"]) == ("failed", "unsupported_file")
        assert ".csv" in failed["last_error"]["message"]
        read = await get(http, f"/vector_stores/{store_id}/files/{notes['id']}")
        assert (read["status"], read["last_error"]) == ("completed", None)
    alone = await make(http, f"{path}/file_batches", files=[{"file_id": table["id"]}])
    assert alone["status"] == "failed"


async def test_batch(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    files = [(await upload(http, f"{number}.txt"))["id"] for number in range(3)]
    store = await make(http, "/vector_stores", file_ids=[files[2]])
    path = f"/vector_stores/{store['id']}/file_batches"
    batch = await make(
        http,
        path,
        files=[{"file_id": files[0], "attributes": {"a": 1}}, {"file_id": files[1]}],
        attributes={"b": 2},
        chunking_strategy=STATIC,
    )
    assert batch == {
        "id": batch["id"],
        "object": "vector_store.file_batch",
        "created_at": int(clock.now),
        "vector_store_id": store["id"],
        "status": "in_progress",
        "file_counts": counts(in_progress=2),
    }
    done = await settled(http, f"{path}/{batch['id']}")
    assert done == batch | {"status": "completed", "file_counts": counts(completed=2)}
    listed = (await get(http, f"{path}/{batch['id']}/files", order="asc"))["data"]
    assert [(file["id"], file["attributes"]) for file in listed] == [
        (files[0], {"a": 1}),
        (files[1], {"b": 2}),
    ]
    assert all(file["chunking_strategy"] == STATIC for file in listed)
    assert await get(http, f"{path}/{batch['id']}/files", filter="failed") == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }
    # a batch that is done stays so
    assert await make(http, f"{path}/{batch['id']}/cancel") == done


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, "file_ids"), ({"file_ids": ["file-x"], "files": [{"file_id": "file-x"}]}, "files")],
)
async def test_batch_names_files_in_one_way(http: httpx2.AsyncClient, body: Json, param: str) -> None:
    store = await make(http, "/vector_stores")
    refused = await http.post(f"/vector_stores/{store['id']}/file_batches", json=body)
    assert error_of(refused)["param"] == param


async def test_files_still_being_indexed(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    """Work in progress is made in the store itself: nothing indexes these files while the test looks."""
    ids = [(await upload(http, f"{number}.txt", b"x" * 9))["id"] for number in range(3)]
    store = await make(http, "/vector_stores")
    path = f"/vector_stores/{store['id']}"
    database = await Database.open(engine_settings.data_dir)
    async with database.write() as connection:
        batch_id = await file_batches.create(connection, "local", store["id"], 1)
        new = [NewFile(file_id, {}, AUTO) for file_id in ids]
        await vector_store_files.attach(connection, "local", store["id"], 1, new, batch_id=batch_id)
        first, second, third = await vector_store_files.waiting(connection)
        trouble = ErrorInfo(code="invalid_file", message="The file is empty.")
        assert await vector_store_files.settle(connection, first, "failed", last_error=trouble)
    batch = await http.get(f"{path}/file_batches/{batch_id}")
    assert batch.json()["file_counts"] == counts(failed=1, in_progress=2)
    assert int(batch.headers["openai-poll-after-ms"]) > 0
    waiting = await http.get(f"{path}/files/{ids[1]}")
    assert int(waiting.headers["openai-poll-after-ms"]) > 0
    assert (await get(http, path))["status"] == "in_progress"
    for status, expected in (("failed", [ids[0]]), ("in_progress", [ids[2], ids[1]]), ("cancelled", [])):
        listed = await get(http, f"{path}/files", filter=status)
        assert [file["id"] for file in listed["data"]] == expected
    assert (await get(http, f"{path}/files/{ids[0]}"))["last_error"] == trouble
    refused = await http.get(f"{path}/files", params={"filter": "lost"})
    assert error_of(refused)["param"] == "filter"

    cancelled = await make(http, f"{path}/file_batches/{batch_id}/cancel")
    assert (cancelled["status"], cancelled["file_counts"]) == ("cancelled", counts(failed=1, cancelled=2))
    # what comes too late changes nothing: the file was cancelled, detached, or attached anew meanwhile
    await http.delete(f"{path}/files/{ids[2]}")
    await make(http, f"{path}/files", file_id=ids[0])
    async with database.write() as connection:
        for file in (first, second, third):
            assert not await vector_store_files.settle(connection, file, "completed", usage_bytes=9)
    await database.close()
    assert (await settled(http, path))["file_counts"] == counts(cancelled=1, completed=1)


async def test_batch_whose_files_all_fail(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    file = await upload(http)
    store = await make(http, "/vector_stores")
    database = await Database.open(engine_settings.data_dir)
    async with database.write() as connection:
        batch_id = await file_batches.create(connection, "local", store["id"], 1)
        new = [NewFile(file["id"], {}, AUTO)]
        await vector_store_files.attach(connection, "local", store["id"], 1, new, batch_id=batch_id)
        [waiting] = await vector_store_files.waiting(connection)
        await vector_store_files.settle(connection, waiting, "failed")
    await database.close()
    batch = await get(http, f"/vector_stores/{store['id']}/file_batches/{batch_id}")
    assert batch["status"] == "failed"


async def test_attaching_has_a_pace(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    file, store, other = (
        await upload(http),
        await make(http, "/vector_stores"),
        await make(http, "/vector_stores"),
    )
    one, many = ({"file_id": file["id"]}, "files"), ({"file_ids": [file["id"]]}, "file_batches")
    clock.now -= clock.now % 60
    clock.now += 15
    for _ in range(298):  # those that are refused count as well
        missing = await http.post(f"/vector_stores/{store['id']}/files", json={"file_id": "file-none"})
        assert missing.status_code == 400
    for body, name in (one, many):
        await make(http, f"/vector_stores/{store['id']}/{name}", **body)
    for body, name in (one, many):
        refused = await http.post(f"/vector_stores/{store['id']}/{name}", json=body)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "45")
        error = error_of(refused)
        assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
        assert store["id"] in error["message"] and "45 s" in error["message"]
        await make(http, f"/vector_stores/{other['id']}/{name}", **body)
    clock.now += 45
    await make(http, f"/vector_stores/{store['id']}/files", file_id=file["id"])


async def test_capacity(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    file, last = await upload(http, "a.txt"), await upload(http, "b.txt")
    store = await make(http, "/vector_stores", file_ids=[file["id"]])
    database = await Database.open(engine_settings.data_dir)
    async with database.write() as connection:
        # thousands of files whose uploads a test need not wait for
        for table, columns in (
            ("files", "id, owner, created_at, bytes, filename, purpose, status, blob"),
            (
                "vector_store_files",
                "id, owner, created_at, vector_store_id, status, usage_bytes, chunking_strategy, attributes",
            ),
        ):
            named = ["'file-' || value" if name == "id" else name for name in columns.split(", ")]
            await connection.exec_driver_sql(
                "WITH RECURSIVE numbers(value) AS "
                "(SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < 9998) "
                f"INSERT INTO {table} ({columns}) SELECT {', '.join(named)} "
                f"FROM numbers, (SELECT * FROM {table} ORDER BY seq LIMIT 1)"
            )
    await database.close()
    path = f"/vector_stores/{store['id']}"
    assert (await get(http, path))["file_counts"]["total"] == 9_999
    both = {"file_ids": [file["id"], last["id"]]}
    await make(http, f"{path}/file_batches", **both)  # one of them is in the store already
    assert (await get(http, path))["file_counts"]["total"] == 10_000
    one_more = await upload(http, "c.txt")
    refused = await http.post(f"{path}/files", json={"file_id": one_more["id"]})
    assert refused.status_code == 400
    assert "10001 files, but 10000 is the most" in error_of(refused)["message"]


async def test_expiry_counts_from_the_last_use(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    file = await upload(http)
    expiry = {"anchor": "last_active_at", "days": 1}
    store = await make(http, "/vector_stores", expires_after=expiry)
    path = f"/vector_stores/{store['id']}"
    clock.advance(DAY - 1)
    await make(http, f"{path}/files", file_id=file["id"])
    used = await get(http, path)
    assert (used["last_active_at"], used["expires_at"]) == (int(clock.now), int(clock.now) + DAY)
    clock.advance(DAY)
    assert (await get(http, path))["status"] == "expired"
    assert (await get(http, "/vector_stores"))["data"][0]["status"] == "expired"
    refused = await http.post(f"{path}/files", json={"file_id": file["id"]})
    assert error_of(refused)["message"] == f"Vector store {store['id']} has expired. Make a new one."


@pytest.mark.parametrize(
    ("search", "param", "code"),
    [
        ({}, "query", "missing_required_parameter"),
        ({"query": ""}, "query", "empty_string"),
        ({"query": []}, "query", "empty_array"),
        ({"query": 5}, "query", "invalid_type"),
        ({"query": ["a", 5]}, "query[1]", "invalid_type"),
        ({"query": "a", "max_num_results": 0}, "max_num_results", "integer_below_min_value"),
        ({"query": "a", "max_num_results": 51}, "max_num_results", "integer_above_max_value"),
        (
            {"query": "a", "ranking_options": {"ranker": "best"}},
            "ranking_options.ranker",
            "invalid_value",
        ),
        (
            {"query": "a", "ranking_options": {"score_threshold": 1.1}},
            "ranking_options.score_threshold",
            "decimal_above_max_value",
        ),
        ({"query": "a", "filters": {"type": "is"}}, "filters.type", "invalid_value"),
        ({"query": "a", "filters": {"type": "eq"}}, "filters.key", "missing_required_parameter"),
        (
            {"query": "a", "filters": {"type": "eq", "key": "k", "value": [1]}},
            "filters.value",
            "invalid_type",
        ),
        ({"query": "a", "filters": {"type": "in", "key": "k", "value": 1}}, "filters.value", "invalid_type"),
        ({"query": "a", "filters": {"type": "and", "filters": []}}, "filters.filters", "empty_array"),
        (
            {"query": "a", "filters": {"type": "or", "filters": [{"type": "and", "key": "k"}]}},
            "filters.filters[0].filters",
            "missing_required_parameter",
        ),
    ],
)
async def test_searches_that_make_no_sense(
    http: httpx2.AsyncClient, search: Json, param: str, code: str
) -> None:
    store = await make(http, "/vector_stores")
    error = error_of(await http.post(f"/vector_stores/{store['id']}/search", json=search))
    assert (error["param"], error["code"]) == (param, code)


async def test_sdk_helpers(http: httpx2.AsyncClient) -> None:
    sdk = AsyncOpenAI(api_key="any", base_url="http://localhost/v1", http_client=http)
    store = await sdk.vector_stores.create(name="manuals")
    one = await sdk.vector_stores.files.upload_and_poll(
        vector_store_id=store.id, file=("manual.pdf", pdf([["Press the green button."]]))
    )
    batch = await sdk.vector_stores.file_batches.upload_and_poll(
        store.id, files=[("a.md", b"# a"), ("b.md", b"# b")]
    )
    assert (one.status, batch.status, batch.file_counts.completed) == ("completed", "completed", 2)
    assert (await sdk.vector_stores.files.delete(one.id, vector_store_id=store.id)).deleted


class TestToolResources:
    """Stores that assistants and threads are given, or have made for them."""

    async def test_store_made_for_an_assistant(self, http: httpx2.AsyncClient) -> None:
        file = await upload(http)
        helper = {"file_ids": [file["id"]], "chunking_strategy": STATIC, "metadata": {"a": "b"}}
        assistant = await make(
            http, "/assistants", model="m", tool_resources={"file_search": {"vector_stores": [helper]}}
        )
        [store_id] = assistant["tool_resources"]["file_search"]["vector_store_ids"]
        store = await settled(http, f"/vector_stores/{store_id}")
        assert (store["metadata"], store["file_counts"]) == ({"a": "b"}, counts(completed=1))
        attached = await get(http, f"/vector_stores/{store_id}/files/{file['id']}")
        assert attached["chunking_strategy"] == STATIC

    async def test_a_change_cannot_make_a_store(self, http: httpx2.AsyncClient) -> None:
        assistant, thread = await make(http, "/assistants", model="m"), await make(http, "/threads")
        body: Json = {"tool_resources": {"file_search": {"vector_stores": [{}]}}}
        for path in (f"/assistants/{assistant['id']}", f"/threads/{thread['id']}"):
            error = error_of(await http.post(path, json=body))
            assert error["code"] == "unknown_parameter"

    async def test_changes_replace(self, http: httpx2.AsyncClient) -> None:
        file = await upload(http)
        store = await make(http, "/vector_stores")
        both = {
            "code_interpreter": {"file_ids": [file["id"]]},
            "file_search": {"vector_store_ids": [store["id"]]},
        }
        thread = await make(http, "/threads", tool_resources=both)
        path = f"/threads/{thread['id']}"
        assert (await make(http, path, metadata={"a": "b"}))["tool_resources"] == both
        one: Json = {"code_interpreter": {"file_ids": []}}
        assert (await make(http, path, tool_resources=one))["tool_resources"] == one
        assert (await make(http, path, tool_resources=None))["tool_resources"] == one

    async def test_attachments_go_to_a_store_of_the_thread(
        self, http: httpx2.AsyncClient, clock: ManualClock
    ) -> None:
        files = [(await upload(http, f"{number}.txt"))["id"] for number in range(3)]
        tools = [{"type": "file_search"}, {"type": "code_interpreter"}]
        message = {"role": "user", "content": "x", "attachments": [{"file_id": files[0], "tools": tools}]}
        thread = await make(http, "/threads", messages=[message])
        [store_id] = thread["tool_resources"]["file_search"]["vector_store_ids"]
        assert thread["tool_resources"]["code_interpreter"] == {"file_ids": [files[0]]}
        store = await get(http, f"/vector_stores/{store_id}")
        assert store["expires_after"] == {"anchor": "last_active_at", "days": 7}
        clock.advance(DAY)
        attachments = [{"file_id": file_id, "tools": tools[:1]} for file_id in files[1:]]
        await make(
            http, f"/threads/{thread['id']}/messages", role="user", content="y", attachments=attachments
        )
        store = await settled(http, f"/vector_stores/{store_id}")
        assert store["file_counts"] == counts(completed=3)
        assert store["expires_at"] == int(clock.now) + 7 * DAY

    async def test_expired_store_of_a_thread_is_followed_by_a_new_one(
        self, http: httpx2.AsyncClient, clock: ManualClock
    ) -> None:
        file = await upload(http)
        attachment = {"file_id": file["id"], "tools": [{"type": "file_search"}]}
        message = {"role": "user", "content": "x", "attachments": [attachment]}
        thread = await make(http, "/threads", messages=[message])
        clock.advance(7 * DAY)
        await make(http, f"/threads/{thread['id']}/messages", **message)
        later = await get(http, f"/threads/{thread['id']}")
        [old], [new] = (
            found["tool_resources"]["file_search"]["vector_store_ids"] for found in (thread, later)
        )
        assert (await get(http, f"/vector_stores/{old}"))["status"] == "expired"
        assert (await settled(http, f"/vector_stores/{new}"))["status"] == "completed"

    async def test_refused_attachment_leaves_nothing_behind(self, http: httpx2.AsyncClient) -> None:
        good, bad = await upload(http, "a.txt"), await upload(http, "b.csv")
        tools = [{"type": "file_search"}]
        messages = [
            {"role": "user", "content": "x", "attachments": [{"file_id": file["id"], "tools": tools}]}
            for file in (good, bad)
        ]
        assert (await http.post("/threads", json={"messages": messages})).status_code == 400
        assert (await get(http, "/threads"))["data"] == []
        assert (await get(http, "/vector_stores"))["data"] == []
