"""Searching vector stores over HTTP, and reading what was parsed from their files."""

from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from assistants_tui.protocol.objects import Json
from support import documents
from support.documents import pdf
from support.engine import ManualClock, error_of, make, settled, upload

shared_engine = pytest.mark.asyncio(loop_scope="module")
SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 20}}
FILES: dict[str, tuple[bytes, Json]] = {
    "rent.md": (b"# Rent\n\nThe rent of the office is due in May.\n", {"year": 2026, "kind": "ledger"}),
    "heating.txt": (b"Heating of the office costs 80 euros.\n", {"year": 2025, "kind": "ledger"}),
    "manual.pdf": (
        pdf([["Press the green button."], ["The office printer needs paper."]]),
        {"year": 2025, "kind": "manual", "draft": True},
    ),
    "plain.txt": (b"An office without attributes.\n", {}),
}


@dataclass
class Shelf:
    """A vector store with the files, whose IDs are by name."""

    http: httpx2.AsyncClient
    path: str
    ids: dict[str, str]

    async def search(self, query: str | list[str], **options: Any) -> Json:
        return await make(self.http, f"{self.path}/search", query=query, **options)

    async def found(self, query: str | list[str], **options: Any) -> list[str]:
        """The names of the files that are found, best first."""
        return [result["filename"] for result in (await self.search(query, **options))["data"]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shelf(shared: httpx2.AsyncClient) -> Shelf:
    ids = {name: (await upload(shared, name, data))["id"] for name, (data, _) in FILES.items()}
    store = await make(shared, "/vector_stores", name="shelf")
    path = f"/vector_stores/{store['id']}"
    files = [{"file_id": ids[name], "attributes": attributes} for name, (_, attributes) in FILES.items()]
    batch = await make(shared, f"{path}/file_batches", files=files)
    done = await settled(shared, f"{path}/file_batches/{batch['id']}")
    assert done["file_counts"]["completed"] == len(FILES)
    return Shelf(shared, path, ids)


@shared_engine
async def test_a_result(shelf: Shelf) -> None:
    page = await shelf.search("rent")
    [result] = page["data"]
    text = "# Rent\n\nThe rent of the office is due in May.\n"
    assert page == {
        "object": "vector_store.search_results.page",
        "search_query": ["rent"],
        "data": [result],
        "has_more": False,
        "next_page": None,
        "embedding_model": None,
    }
    assert 0 < result["score"] <= 1
    assert result == {
        "file_id": shelf.ids["rent.md"],
        "filename": "rent.md",
        "score": result["score"],
        "attributes": {"year": 2026, "kind": "ledger"},
        "content": [
            {"type": "text", "text": text, "start": 0, "end": len(text), "line": 1, "heading": "Rent"}
        ],
    }


@shared_engine
async def test_order_number_and_threshold_of_results(shelf: Shelf) -> None:
    assert (await shelf.found("heating of the office"))[0] == "heating.txt"
    assert len(await shelf.found("office")) == 4
    assert len(await shelf.found("office", max_num_results=3)) == 3
    assert await shelf.found("unicorns") == []
    scores = [result["score"] for result in (await shelf.search("heating office"))["data"]]
    assert scores == sorted(scores, reverse=True)
    options = {"score_threshold": scores[0]}
    assert await shelf.found("heating office", ranking_options=options) == ["heating.txt"]
    unranked = await shelf.found("heating office", ranking_options={"ranker": "none"})
    assert sorted(unranked) == sorted(await shelf.found("heating office"))


@shared_engine
async def test_several_queries_and_rewritten_ones(shelf: Shelf) -> None:
    page = await shelf.search(["green button", "rent"])
    assert page["search_query"] == ["green button", "rent"]
    assert {result["filename"] for result in page["data"]} == {"manual.pdf", "rent.md"}
    question = "Hello, when is the rent due? And where is the green button?"
    assert (await shelf.search(question))["search_query"] == [question]
    rewritten = await shelf.search(question, rewrite_query=True)
    assert len(rewritten["search_query"]) == 2
    assert not any("Hello" in query for query in rewritten["search_query"])
    assert {result["filename"] for result in rewritten["data"]} >= {"manual.pdf", "rent.md"}


@shared_engine
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"type": "eq", "key": "year", "value": 2025}, {"heating.txt", "manual.pdf"}),
        ({"type": "gt", "key": "year", "value": 2025}, {"rent.md"}),
        ({"type": "ne", "key": "kind", "value": "ledger"}, {"manual.pdf", "plain.txt"}),
        ({"type": "in", "key": "kind", "value": ["manual", "memo"]}, {"manual.pdf"}),
        ({"type": "nin", "key": "kind", "value": ["manual"]}, {"rent.md", "heating.txt", "plain.txt"}),
        ({"type": "eq", "key": "draft", "value": True}, {"manual.pdf"}),
        (
            {
                "type": "and",
                "filters": [
                    {"type": "gte", "key": "year", "value": 2025},
                    {
                        "type": "or",
                        "filters": [
                            {"type": "eq", "key": "kind", "value": "manual"},
                            {"type": "lt", "key": "year", "value": 2026},
                        ],
                    },
                ],
            },
            {"heating.txt", "manual.pdf"},
        ),
        ({"type": "eq", "key": "nothing", "value": "x"}, set()),
    ],
)
async def test_filters(shelf: Shelf, condition: Json, expected: set[str]) -> None:
    assert set(await shelf.found("office", filters=condition)) == expected


@shared_engine
async def test_what_was_read_from_a_file(shelf: Shelf) -> None:
    page = (await shelf.http.get(f"{shelf.path}/files/{shelf.ids['manual.pdf']}/content")).json()
    assert (page["object"], page["has_more"], page["next_page"]) == (
        "vector_store.file_content.page",
        False,
        None,
    )
    [piece] = page["data"]
    assert piece["type"] == "text" and piece["page"] == 1
    assert "green button" in piece["text"] and "needs paper" in piece["text"]


@shared_engine
async def test_chunks_of_a_long_file(shared: httpx2.AsyncClient) -> None:
    text = "".join(f"Line {number} says something of its own.\n" for number in range(400))
    file = await upload(shared, "long.txt", text.encode())
    store = await make(shared, "/vector_stores", file_ids=[file["id"]], chunking_strategy=SMALL)
    path = f"/vector_stores/{store['id']}"
    assert (await settled(shared, path))["usage_bytes"] >= len(text)
    pieces = (await shared.get(f"{path}/files/{file['id']}/content")).json()["data"]
    assert len(pieces) > 20
    rebuilt = ""
    for piece in pieces:
        assert piece["text"] == text[piece["start"] : piece["end"]] and piece["start"] <= len(rebuilt)
        rebuilt = rebuilt[: piece["start"]] + piece["text"]
    assert rebuilt == text


@shared_engine
async def test_nothing_to_read(shared: httpx2.AsyncClient, shelf: Shelf) -> None:
    broken = await upload(shared, "broken.pdf", b"%PDF-1.7 and no more")
    store = await make(shared, "/vector_stores", file_ids=[broken["id"]])
    path = f"/vector_stores/{store['id']}"
    await settled(shared, path)
    failed = await shared.get(f"{path}/files/{broken['id']}/content")
    assert failed.status_code == 400
    assert error_of(failed)["message"].startswith(f"Nothing was read from file {broken['id']}: ")
    elsewhere = await shared.get(f"{path}/files/{shelf.ids['rent.md']}/content")
    assert elsewhere.status_code == 404
    assert (await shared.get(f"/vector_stores/vs_x/files/{broken['id']}/content")).status_code == 404
    assert (await shared.post("/vector_stores/vs_x/search", json={"query": "a"})).status_code == 404


@shared_engine
async def test_what_cannot_be_read_fails_alone_and_says_why(shared: httpx2.AsyncClient) -> None:
    hostile = {
        "locked.pdf": (pdf([["x"]], user_password="secret"), "password"),
        "bomb.docx": (documents.archive({"word/document.xml": bytes(300 << 20)}), "unpack"),
        "empty.txt": (b"", "empty"),
        "binary.txt": (bytes(range(256)) * 10, "binary"),
    }
    ids = {name: (await upload(shared, name, data))["id"] for name, (data, _) in hostile.items()}
    sound = [(await upload(shared, f"{name}.txt", b"Remarkable okapis."))["id"] for name in "ab"]
    path = f"/vector_stores/{(await make(shared, '/vector_stores'))['id']}"
    batch = await make(shared, f"{path}/file_batches", file_ids=[sound[0], *ids.values(), sound[1]])
    done = await settled(shared, f"{path}/file_batches/{batch['id']}")
    assert (done["status"], done["file_counts"]["completed"], done["file_counts"]["failed"]) == (
        "completed",
        2,
        4,
    )
    for name, (_, reason) in hostile.items():
        error = (await shared.get(f"{path}/files/{ids[name]}")).json()["last_error"]
        assert error["code"] == "invalid_file" and reason in error["message"], error
    assert sorted(await Shelf(shared, path, {}).found("okapis")) == ["a.txt", "b.txt"]


@shared_engine
async def test_what_leaves_a_store_is_not_found_any_more(shared: httpx2.AsyncClient, shelf: Shelf) -> None:
    ids = [(await upload(shared, f"{name}.txt", b"Remarkable zebras."))["id"] for name in "abc"]
    store = await make(shared, "/vector_stores", file_ids=ids)
    path = f"/vector_stores/{store['id']}"
    await settled(shared, path)
    here = Shelf(shared, path, {})
    assert sorted(await here.found("zebras")) == ["a.txt", "b.txt", "c.txt"]
    assert await shelf.found("zebras") == []
    await shared.delete(f"{path}/files/{ids[0]}")
    assert sorted(await here.found("zebras")) == ["b.txt", "c.txt"]
    await shared.delete(f"/files/{ids[1]}")
    assert await here.found("zebras") == ["c.txt"]
    await make(shared, f"{path}/files", file_id=ids[0], attributes={"again": True})
    await settled(shared, path)
    assert sorted(await here.found("zebras")) == ["a.txt", "c.txt"]
    again = {"type": "eq", "key": "again", "value": True}
    assert await here.found("zebras", filters=again) == ["a.txt"]
    await make(shared, f"{path}/files/{ids[2]}", attributes={"again": True})
    assert sorted(await here.found("zebras", filters=again)) == ["a.txt", "c.txt"]


@shared_engine
async def test_sdk(shared: httpx2.AsyncClient, shelf: Shelf) -> None:
    """The official client's helpers, which poll, and its readers of results and contents."""
    sdk = AsyncOpenAI(api_key="any", base_url="http://localhost/v1", http_client=shared)
    store = await sdk.vector_stores.create(name="sdk")
    one = await sdk.vector_stores.files.upload_and_poll(
        vector_store_id=store.id, file=("a.md", b"# Ants\n\nAnts are busy."), poll_interval_ms=5
    )
    two = await sdk.vector_stores.files.create_and_poll(
        shelf.ids["rent.md"], vector_store_id=store.id, attributes={"year": 2026}, poll_interval_ms=5
    )
    batch = await sdk.vector_stores.file_batches.upload_and_poll(
        store.id, files=[("b.txt", b"Bees are busy."), ("c.txt", b"\x00\x01")], poll_interval_ms=5
    )
    again = await sdk.vector_stores.file_batches.create_and_poll(
        store.id, file_ids=[shelf.ids["heating.txt"]], poll_interval_ms=5
    )
    assert (one.status, two.status, again.status) == ("completed", "completed", "completed")
    assert (batch.status, batch.file_counts.completed, batch.file_counts.failed) == ("completed", 1, 1)
    found = await sdk.vector_stores.search(
        store.id, query="busy ants", max_num_results=1, ranking_options={"score_threshold": 0.1}
    )
    assert [(result.file_id, result.content[0].text) for result in found.data] == [
        (one.id, "# Ants\n\nAnts are busy.")
    ]
    content = await sdk.vector_stores.files.content(one.id, vector_store_id=store.id)
    assert [piece.text async for piece in content] == ["# Ants\n\nAnts are busy."]
    counts = (await sdk.vector_stores.retrieve(store.id)).file_counts
    assert (counts.completed, counts.failed, counts.total) == (4, 1, 5)


async def test_expiry_counts_from_the_last_search(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    expiry = {"anchor": "last_active_at", "days": 1}
    store = await make(http, "/vector_stores", expires_after=expiry)
    path = f"/vector_stores/{store['id']}"
    clock.advance(86_399)
    assert (await make(http, f"{path}/search", query="rent"))["data"] == []
    used = (await http.get(path)).json()
    assert (used["last_active_at"], used["expires_at"]) == (int(clock.now), int(clock.now) + 86_400)
    clock.advance(86_400)
    refused = await http.post(f"{path}/search", json={"query": "rent"})
    assert refused.status_code == 400
    assert error_of(refused)["message"] == f"Vector store {store['id']} has expired. Make a new one."
