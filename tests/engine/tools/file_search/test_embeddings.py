"""Search by meaning: an endpoint that speaks the embeddings protocol, its faults, and a change of model."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.one_trip import OneTripConnection
from assistants_tui.engine.tools.file_search import embedding, meanings
from assistants_tui.engine.tools.file_search.chunking import Chunking
from assistants_tui.engine.tools.file_search.embeddings import EmbeddingError, EndpointEmbedder
from assistants_tui.engine.tools.file_search.vectors import packed
from support.model_endpoint import Cut, ModelEndpoint, Reply, Request, refuses
from support.search import Library

# What the endpoint's model understands: words of one row mean the same.
MEANINGS = (
    ("dog", "hound", "puppy"),
    ("ship", "vessel", "boat"),
    ("money", "cash", "fee"),
    ("storm", "gale"),
)

JSON = dict[str, Any]
JSON_TYPE = {"content-type": "application/json"}


def meaning(text: str) -> list[float]:
    words = text.lower().replace(".", " ").split()
    vector = [float(sum(words.count(word) for word in row)) for row in MEANINGS]
    return [*vector, 0.1]


def answers(request: Request) -> Reply:
    return reply([meaning(text) for text in request.body["input"]])


def reply(vectors: Sequence[Sequence[float]]) -> Reply:
    data = [{"object": "embedding", "index": at, "embedding": list(v)} for at, v in enumerate(vectors)]
    body = {
        "object": "list",
        "data": data,
        "model": "served",
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
    return Reply([json.dumps(body).encode()], headers=JSON_TYPE)


@pytest.fixture
async def endpoint() -> AsyncIterator[ModelEndpoint]:
    async with ModelEndpoint() as endpoint:
        endpoint.otherwise = answers
        yield endpoint


@pytest.fixture
async def understanding(
    tmp_path: Path, database: Database, endpoint: ModelEndpoint, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Library]:
    """A library with an embedding model."""
    monkeypatch.setattr(embedding, "_RETRY_SECONDS", 0.01)
    embedder = EndpointEmbedder(endpoint.url, "meaning-1", api_key="sk-secret")
    library = Library(tmp_path / "data", database, embedder=embedder)
    await library.open()
    yield library
    await library.close()
    await embedder.close()


async def fill(library: Library) -> None:
    await library.add("kennel.txt", "The hound sleeps in the kennel.")
    await library.add("harbour.txt", "A vessel waits in the harbour.")
    await library.add("bank.txt", "Pay in cash at the counter.")


async def test_what_is_meant_is_found_without_its_words(understanding: Library) -> None:
    await fill(understanding)
    assert (await understanding.found("puppy"))[0] == "kennel.txt"
    assert (await understanding.found("boat"))[0] == "harbour.txt"
    hits = await understanding.find("boat")
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    progress = await understanding.search.progress()
    assert (progress.with_vectors, progress.embedding_model) == (3, "meaning-1")


async def test_words_decide_where_they_are(understanding: Library) -> None:
    await fill(understanding)
    await understanding.add("code.txt", "Error E4711 means that the boat is full.")
    assert (await understanding.found("E4711 puppy"))[0] == "code.txt"


async def test_what_the_endpoint_is_asked(understanding: Library, endpoint: ModelEndpoint) -> None:
    file_id = await understanding.attach("kennel.txt", "The hound sleeps.")
    done = await understanding.ingest(file_id)
    assert done.usage_bytes == len("The hound sleeps.") + 5  # and one byte for each dimension
    (request,) = endpoint.requests
    assert request.path == "/v1/embeddings"
    assert request.headers["authorization"] == "Bearer sk-secret"
    assert request.body == {
        "model": "meaning-1",
        "input": ["The hound sleeps."],
        "encoding_format": "float",
    }
    await understanding.find("dog")
    await understanding.find("dog")  # remembered
    assert [request.body["input"] for request in endpoint.requests[1:]] == [["dog"]]


async def test_the_vectors_of_a_file_are_committed_when_it_is_done(
    understanding: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow disk: the size of a file includes its vectors however long their commit takes."""
    commit = OneTripConnection.commit

    async def slowly(connection: OneTripConnection) -> None:
        await asyncio.sleep(0.05)
        await commit(connection)

    monkeypatch.setattr(OneTripConnection, "commit", slowly)
    file_id = await understanding.attach("kennel.txt", "The hound sleeps.")
    assert (await understanding.ingest(file_id)).usage_bytes == len("The hound sleeps.") + 5


async def test_many_searches_at_once(understanding: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """More different queries than are remembered: no search loses the vector that it is about to use."""
    monkeypatch.setattr(meanings, "_REMEMBERED", 1)
    await fill(understanding)
    questions = [["puppy", *(f"boat {count} {number}" for number in range(count))] for count in range(1, 5)]
    found = await asyncio.gather(
        *(understanding.search.search([understanding.store], queries) for queries in questions)
    )
    assert all({"kennel.txt", "harbour.txt"} <= {hit.filename for hit in hits} for hits in found)


async def test_filters_and_stores_hold(understanding: Library) -> None:
    other = await understanding.new_store()
    await understanding.add("a.txt", "A vessel.", attributes={"year": 1})
    await understanding.add("b.txt", "A vessel.", attributes={"year": 2})
    await understanding.add("c.txt", "A vessel.", store=other)
    assert set(await understanding.found("boat")) <= {"a.txt", "b.txt"}
    condition = {"type": "eq", "key": "year", "value": 2}
    assert set(await understanding.found("vessel boat", filters=condition)) == {"b.txt"}


async def test_deleted_documents_are_found_no_more(understanding: Library) -> None:
    await fill(understanding)
    gone = await understanding.add("ship.txt", "The vessel, the vessel.")
    assert "ship.txt" in await understanding.found("boat")
    await understanding.detach(gone)
    assert "ship.txt" not in await understanding.found("boat")


async def test_the_endpoint_is_away(understanding: Library, endpoint: ModelEndpoint) -> None:
    """Files are read and found by their words all the same, and get their vectors when it is back."""
    endpoint.otherwise = lambda _: refuses(401, {"message": "who are you?"})
    await fill(understanding)
    assert (await understanding.found("hound"))[0] == "kennel.txt"
    assert await understanding.found("puppy") == []
    endpoint.otherwise = answers
    while (await understanding.search.progress()).with_vectors < 3:
        await asyncio.sleep(0.01)
    assert (await understanding.found("puppy"))[0] == "kennel.txt"


async def test_another_model(understanding: Library, endpoint: ModelEndpoint) -> None:
    """While its vectors are made, the search goes on by words; then by the new vectors alone."""
    await fill(understanding)
    held = asyncio.Event()
    wide = {"wide": True}

    def widely(request: Request) -> Reply:
        vectors = [[*meaning(text), 0.0, 0.2] for text in request.body["input"]]
        whole = reply(vectors)
        return whole if not wide else Reply([held, *whole.body], headers=whole.headers)

    endpoint.otherwise = widely
    embedder = EndpointEmbedder(endpoint.url, "meaning-2")
    await understanding.reopen(embedder=embedder)
    search = asyncio.create_task(understanding.found("hound"))
    assert (await understanding.search.progress()).with_vectors == 0
    held.set()
    wide.clear()
    assert (await search)[0] == "kennel.txt"
    while (await understanding.search.progress()).with_vectors < 3:
        await asyncio.sleep(0.01)
    assert (await understanding.found("puppy"))[0] == "kennel.txt"
    assert (await understanding.search.progress()).embedding_model == "meaning-2"
    await understanding.close()
    await embedder.close()


async def test_vectors_that_were_missing_at_the_end(understanding: Library, endpoint: ModelEndpoint) -> None:
    endpoint.otherwise = lambda _: refuses(400, {"message": "no"})
    await fill(understanding)
    await understanding.close()
    endpoint.otherwise = answers
    await understanding.reopen()
    while (await understanding.search.progress()).with_vectors < 3:
        await asyncio.sleep(0.01)


async def test_many_chunks(understanding: Library, endpoint: ModelEndpoint) -> None:
    text = "".join(f"Day {day}: nothing to report.\n" for day in range(3000))
    file_id = await understanding.attach("log.txt", text + "The hound barked.\n")
    done = await understanding.ingest(file_id, chunking=Chunking(100, 0))
    assert (await understanding.search.progress()).with_vectors == done.chunk_count > 200
    assert all(len(request.body["input"]) <= 64 for request in endpoint.requests)
    (first, *_) = await understanding.find("puppy")
    assert "hound" in first.text


class TestEndpoint:
    """The protocol, and how servers depart from it."""

    @pytest.fixture
    async def embedder(self, endpoint: ModelEndpoint) -> AsyncIterator[EndpointEmbedder]:
        embedder = EndpointEmbedder(endpoint.url, "m", api_key="sk-secret")
        yield embedder
        await embedder.close()

    async def test_order_is_that_of_the_texts(
        self, endpoint: ModelEndpoint, embedder: EndpointEmbedder
    ) -> None:
        body = {"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]}
        endpoint.replies = [Reply([json.dumps(body).encode()], headers=JSON_TYPE)]
        assert await embedder.embed(["a", "b"]) == [[1.0], [2.0]]
        assert await embedder.embed([]) == []

    async def test_servers_that_take_few_texts_at_once(
        self, endpoint: ModelEndpoint, embedder: EndpointEmbedder
    ) -> None:
        def few(request: Request) -> Reply:
            if len(request.body["input"]) > 3:
                return refuses(400, {"message": "at most 3 inputs"})
            return reply([[float(len(text))] for text in request.body["input"]])

        endpoint.otherwise = few
        texts = ["x" * length for length in range(1, 30)]
        assert await embedder.embed(texts) == [[float(length)] for length in range(1, 30)]

    @pytest.mark.parametrize(
        "fault",
        [
            lambda _: refuses(401, {"message": "bad key sk-secret"}),
            lambda _: refuses(400, {"message": "no such model"}),
            lambda _: Reply([b"<html>"], headers=JSON_TYPE),
            lambda _: Reply([b'{"data": []}'], headers=JSON_TYPE),
            lambda _: Reply([b'{"data": [{"index": 5, "embedding": [1]}]}'], headers=JSON_TYPE),
            lambda _: Reply([b'{"data": [{"index": 0, "embedding": []}]}'], headers=JSON_TYPE),
            lambda _: Reply([b'{"data": [{"index": 0, "embedding": ["x"]}]}'], headers=JSON_TYPE),
            lambda _: Reply([b'{"data": [{"index": 0, "emb', Cut()], headers=JSON_TYPE),
        ],
    )
    async def test_faults(
        self,
        endpoint: ModelEndpoint,
        embedder: EndpointEmbedder,
        fault: Callable[[Request], Reply],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(embedder._api, "max_retries", 0)
        endpoint.otherwise = fault
        with pytest.raises(EmbeddingError) as caught:
            await embedder.embed(["text"])
        assert endpoint.url in str(caught.value)
        assert "sk-secret" not in f"{caught.value} {embedder!r}"

    async def test_nobody_there(self) -> None:
        embedder = EndpointEmbedder("http://127.0.0.1:1/v1", "m")
        assert embedder._api is not None
        embedder._api.max_retries = 0
        with pytest.raises(EmbeddingError, match="cannot be reached"):
            await embedder.embed(["text"])
        await embedder.close()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=64))
def test_packed_vectors_keep_their_direction(vector: list[float]) -> None:
    data = packed(vector)
    assert len(data) == len(vector)
    parts = [part - 256 if part > 127 else part for part in data]
    length = math.hypot(*vector)
    if length > 1e-30:
        dot = sum(a * b for a, b in zip(vector, parts, strict=True))
        assert dot / (length * math.hypot(*parts)) > 0.99


def test_packing_what_is_no_vector() -> None:
    assert packed([0.0, 0.0]) == packed([float("nan"), 1.0]) == packed([float("inf"), 1.0]) == b"\0\0"
