"""Search by meaning: an endpoint that speaks the embeddings protocol, its faults, and a change of model."""

import asyncio
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.models import embedding_client
from assistants_tui.engine.models.embedding_client import EmbeddingError, EndpointEmbedder
from assistants_tui.engine.search import semantic_search, vector_indexer
from assistants_tui.engine.search.chunking import Chunking
from assistants_tui.engine.search.vector_table import packed
from assistants_tui.engine.store.batched_sqlite import BatchedConnection
from assistants_tui.engine.store.database import Database
from support.model_endpoint import Cut, ModelEndpoint, Reply, Request, refuses
from support.patience import until
from support.search import Library

# What the endpoint's model understands: words of one row mean the same.
MEANINGS = (
    ("dog", "hound", "puppy"),
    ("ship", "vessel", "boat"),
    ("money", "cash", "fee"),
    ("storm", "gale"),
)

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
    monkeypatch.setattr(vector_indexer, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(embedding_client, "_FIRST_PAUSE", 0.01)
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


async def until_vectors(library: Library, count: int) -> None:
    async def there() -> bool:
        return (await library.search.progress()).with_vectors >= count

    await until(f"{count} chunks have vectors", there)


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
    commit = BatchedConnection.commit

    async def slowly(connection: BatchedConnection) -> None:
        await asyncio.sleep(0.05)
        await commit(connection)

    monkeypatch.setattr(BatchedConnection, "commit", slowly)
    file_id = await understanding.attach("kennel.txt", "The hound sleeps.")
    assert (await understanding.ingest(file_id)).usage_bytes == len("The hound sleeps.") + 5


async def test_the_model_is_asked_about_letters_not_their_forms(
    understanding: Library, endpoint: ModelEndpoint
) -> None:
    """Soft hyphens, ligatures and full-width forms are rare to a model. The text shown keeps them."""
    text = "The of\ufb01ce ves\u00adsel ＡＢＣ."
    await understanding.add("a.txt", text)
    (hit,) = await understanding.find("ve\u00adssel")
    assert hit.text == text
    inputs = [request.body["input"] for request in endpoint.requests]
    assert inputs == [["The office vessel ABC."], ["vessel"]]


async def test_many_searches_at_once(understanding: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """More different queries than are remembered: no search loses the vector that it is about to use."""
    monkeypatch.setattr(semantic_search, "_REMEMBERED", 1)
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
    await until_vectors(understanding, 3)
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
    await until_vectors(understanding, 3)
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
    await until_vectors(understanding, 3)


async def test_many_chunks(understanding: Library, endpoint: ModelEndpoint) -> None:
    text = "".join(f"Day {day}: nothing to report.\n" for day in range(3000))
    file_id = await understanding.attach("log.txt", text + "The hound barked.\n")
    done = await understanding.ingest(file_id, chunking=Chunking(100, 0))
    assert (await understanding.search.progress()).with_vectors == done.chunk_count > 200
    assert all(len(request.body["input"]) <= 64 for request in endpoint.requests)
    (first, *_) = await understanding.find("puppy")
    assert "hound" in first.text


REFUSALS = {
    "llama.cpp": (500, "input (1320 tokens) is too large to process. increase the physical batch size (512)"),
    "ollama length": (400, "the input length exceeds the context length"),
    "ollama NaN": (500, "failed to encode response: json: unsupported value: NaN"),
    "openai": (400, "This model's maximum context length is 8192 tokens, however you requested 9001 tokens"),
    "text-embeddings-inference": (413, "Input validation error: `inputs` must have less than 512 tokens."),
    "content filter": (400, "The input was flagged."),
}


def refuses_some(
    refused: Callable[[list[str]], bool], status: int, message: str
) -> Callable[[Request], Reply]:
    """An endpoint that refuses certain inputs in the words of a real one."""

    def reply_to(request: Request) -> Reply:
        if refused(request.body["input"]):
            return refuses(status, {"message": message})
        return answers(request)

    return reply_to


def asked(endpoint: ModelEndpoint) -> Counter[str]:
    """How often each text was sent."""
    return Counter(text for request in endpoint.requests for text in request.body["input"])


@pytest.mark.parametrize("server", REFUSALS)
async def test_a_refused_chunk_costs_that_chunk_alone(
    understanding: Library, endpoint: ModelEndpoint, server: str
) -> None:
    endpoint.otherwise = refuses_some(
        lambda texts: any("poison" in text for text in texts), *REFUSALS[server]
    )
    names = ["a.txt", "poison.txt", "harbour.txt"]
    ids = [await understanding.attach(name, f"A vessel named {name}.") for name in names]
    done = await asyncio.gather(*(understanding.ingest(file_id) for file_id in ids))
    assert [
        one.usage_bytes - len(f"A vessel named {name}.") for one, name in zip(done, names, strict=True)
    ] == [
        5,
        0,
        5,
    ]
    assert set(await understanding.found("boat")) == {"a.txt", "harbour.txt"}
    assert (await understanding.found("poison"))[0] == "poison.txt"  # by its words
    state = await understanding.search.store_progress(understanding.store)
    assert (state.chunks, state.with_vectors, state.refused, state.fault) == (3, 2, 1, None)
    (note,) = state.notes
    assert (note.file_id, REFUSALS[server][1] in note.text) == (ids[1], True)
    before = asked(endpoint)
    await understanding.reopen()
    await understanding.add("later.txt", "A later boat.")
    assert asked(endpoint) - before == Counter(["A later boat."])


async def test_what_succeeded_is_stored_at_once(understanding: Library, endpoint: ModelEndpoint) -> None:
    """The endpoint ends in the middle; what it gave is not asked for again, also after a restart."""
    served = 0

    def until_empty(request: Request) -> Reply:
        nonlocal served
        served += 1
        return answers(request) if served <= 2 else refuses(401, {"message": "no more credit"})

    endpoint.otherwise = until_empty
    text = "".join(f"Day {day}: nothing to report.\n" for day in range(3000))
    file_id = await understanding.attach("log.txt", text)
    done = await understanding.ingest(file_id, chunking=Chunking(100, 0))
    assert done.usage_bytes == len(text) + 5 * 128
    state = await understanding.search.store_progress(understanding.store)
    assert state.fault is not None
    assert "no more credit" in state.fault
    paid = [text for request in endpoint.requests[:2] for text in request.body["input"]]
    await understanding.close()
    sent = len(endpoint.requests)
    endpoint.otherwise = answers
    await understanding.reopen()
    await until_vectors(understanding, done.chunk_count)
    again = [text for request in endpoint.requests[sent:] for text in request.body["input"]]
    assert len(again) == len(set(again)) == done.chunk_count - 128
    assert not {*again} & {*paid}


async def test_a_fault_is_over_when_nothing_is_missing_any_more(
    understanding: Library, endpoint: ModelEndpoint
) -> None:
    endpoint.otherwise = lambda _: refuses(401, {"message": "no more credit"})
    file_id = await understanding.attach("kennel.txt", "The hound sleeps.")
    await understanding.ingest(file_id)

    async def fault() -> bool:
        return (await understanding.search.store_progress(understanding.store)).fault is not None

    async def no_fault() -> bool:
        return not await fault()

    await until("the store tells of the fault", fault)
    await understanding.detach(file_id)
    await until("the fault is over", no_fault)


async def test_two_engines_do_not_pay_for_the_same(
    understanding: Library, endpoint: ModelEndpoint, database: Database
) -> None:
    embedder = EndpointEmbedder(endpoint.url, "meaning-1")
    other = Library(understanding.data_dir, database, embedder=embedder)
    other.store = understanding.store
    await other.open()
    text = "".join(f"Day {day}: nothing to report.\n" for day in range(3000))
    file_id = await understanding.attach("log.txt", text)
    done = await understanding.ingest(file_id, chunking=Chunking(100, 0))
    counts = asked(endpoint)
    assert (len(counts), max(counts.values())) == (done.chunk_count, 1)
    await other.close()
    await embedder.close()


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
        ("status", "message", "most"),
        [
            (413, "batch size 64 > maximum allowed batch size 32", 32),  # text-embeddings-inference
            (422, "batch size 64 > maximum allowed batch size 32", 32),
            (400, "batch size is invalid, it should not be larger than 10.: input.contents", 10),
            (400, "Requested 309209 tokens, max 300000 tokens per request", 40),
            (429, "Request too large for text-embedding-3-small: Limit 40000, Requested 51200", 20),
            (413, "Request Entity Too Large", 5),  # a proxy
            (400, "Bad Request", 4),
        ],
    )
    async def test_how_many_texts_a_server_takes_is_learned(
        self, endpoint: ModelEndpoint, embedder: EndpointEmbedder, status: int, message: str, most: int
    ) -> None:
        endpoint.otherwise = refuses_some(lambda texts: len(texts) > most, status, message)
        texts = [f"text {number}" for number in range(64)]
        assert len(await embedder.embed(texts)) == 64
        sent = len(endpoint.requests)
        assert len(await embedder.embed(texts)) == 64
        sizes = [len(request.body["input"]) for request in endpoint.requests[sent:]]
        assert max(sizes) <= most
        assert min(sizes[:-1] or sizes) > most // 4

    async def test_many_texts_that_break_a_server_are_soon_left(
        self, endpoint: ModelEndpoint, embedder: EndpointEmbedder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding_client, "_FIRST_PAUSE", 0.0)
        endpoint.otherwise = refuses_some(
            lambda texts: any("0xff" in text for text in texts), *REFUSALS["ollama NaN"]
        )
        texts = ["dog"] * 20 + ["0xff"] * 64 + ["ship"] * 20
        found = {place: one async for part in embedder.embed_each(texts) for place, one in part.items()}
        refused = [place for place, one in found.items() if isinstance(one, embedding_client.Refused)]
        assert refused == list(range(20, 84))
        assert len(endpoint.requests) < 180  # each text is asked for alone, and the server whether it lives

    @pytest.mark.parametrize(
        "body",
        [
            b'{"detail": "the inputs are too long"}',
            b'{"error": "the input length exceeds the context length"}',
            b"input is too large to process",
        ],
    )
    async def test_refusals_in_other_forms_are_understood(
        self, endpoint: ModelEndpoint, embedder: EndpointEmbedder, body: bytes
    ) -> None:
        def short_only(request: Request) -> Reply:
            if any(len(text) > 700 for text in request.body["input"]):
                return Reply([body], 400, JSON_TYPE)
            return answers(request)

        endpoint.otherwise = short_only
        [vector] = await embedder.embed(["dog " * 300])
        assert vector[0] > 0.5

    async def test_how_long_a_text_may_be_is_learned(
        self, endpoint: ModelEndpoint, embedder: EndpointEmbedder
    ) -> None:
        """A model of few tokens: long texts get the mean of their parts, and soon without a refusal."""
        endpoint.otherwise = refuses_some(
            lambda texts: any(len(text) > 700 for text in texts), *REFUSALS["llama.cpp"]
        )
        texts = [f"{number} " + "dog " * 200 + "ship " * 130 for number in range(6)]
        vectors = await embedder.embed(texts)
        assert all(vector[0] > 0.5 and vector[1] > 0.5 for vector in vectors)
        sent = len(endpoint.requests)
        await embedder.embed(texts)
        assert all(len(text) <= 700 for request in endpoint.requests[sent:] for text in request.body["input"])

    async def test_a_text_of_many_tokens_does_not_shorten_the_others(
        self, endpoint: ModelEndpoint, embedder: EndpointEmbedder
    ) -> None:
        endpoint.otherwise = refuses_some(
            lambda texts: any("0xff" in text and len(text) > 400 for text in texts), *REFUSALS["llama.cpp"]
        )
        await embedder.embed(["dog " * 400])
        await embedder.embed(["0xff " * 150])
        await embedder.embed(["ship " * 300])
        assert len(endpoint.requests[-1].body["input"][0]) == 1500

    async def test_a_server_that_answers_one_text_only(
        self, endpoint: ModelEndpoint, embedder: EndpointEmbedder
    ) -> None:
        endpoint.otherwise = lambda request: reply([meaning(request.body["input"][0])])
        assert await embedder.embed(["dog", "ship"]) == [meaning("dog"), meaning("ship")]

    async def test_a_busy_server_is_waited_for(
        self, endpoint: ModelEndpoint, embedder: EndpointEmbedder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding_client, "_FIRST_PAUSE", 0.0)
        endpoint.replies = [
            refuses(429, {"message": "Model is overloaded"}),
            refuses(503, {"message": "Loading"}),
        ]
        assert await embedder.embed(["dog"]) == [meaning("dog")]

    @pytest.mark.parametrize(
        "message",
        [
            "Too Many Requests",
            "Too many tokens, please wait before trying again.",  # Bedrock
            "Requests to the Embeddings_Create Operation under Azure OpenAI API version 2024-02-01 have "
            "exceeded token rate limit of your current OpenAI S0 pricing tier.",
        ],
    )
    async def test_the_pace_of_requests_says_nothing_of_texts(
        self,
        endpoint: ModelEndpoint,
        embedder: EndpointEmbedder,
        message: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(embedding_client, "_FIRST_PAUSE", 0.0)
        endpoint.replies = [refuses(429, {"message": message})] * 3
        texts = ["dog " * 200, "ship " * 200]
        assert len(await embedder.embed(texts)) == 2
        assert [request.body["input"] for request in endpoint.requests] == [texts] * 4
        endpoint.otherwise = lambda _: refuses(429, {"message": message})
        with pytest.raises(EmbeddingError, match="429"):
            [part async for part in embedder.embed_each(texts)]

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
            lambda _: Reply([b'{"data": [{"index": Infinity, "embedding": [1]}]}'], headers=JSON_TYPE),
            lambda _: Reply([b"[" * 100_000], headers=JSON_TYPE),
        ],
    )
    async def test_faults(
        self,
        endpoint: ModelEndpoint,
        embedder: EndpointEmbedder,
        fault: Callable[[Request], Reply],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(embedding_client, "_FIRST_PAUSE", 0.0)
        endpoint.otherwise = fault
        with pytest.raises(EmbeddingError) as caught:
            await embedder.embed(["text"])
        assert endpoint.url in str(caught.value)
        assert "sk-secret" not in f"{caught.value} {embedder!r}"

    async def test_a_refusal_is_kept_short(self, endpoint: ModelEndpoint, embedder: EndpointEmbedder) -> None:
        endpoint.otherwise = lambda _: refuses(413, {"message": "Too Large" + "x" * 100_000})
        [found] = [part async for part in embedder.embed_each(["text"])]
        refusal = found[0]
        assert isinstance(refusal, embedding_client.Refused)
        assert "Too Large" in refusal.reason
        assert len(refusal.reason) < 700

    async def test_nobody_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedding_client, "_FIRST_PAUSE", 0.0)
        embedder = EndpointEmbedder("http://me:hidden@127.0.0.1:1/v1", "m")
        with pytest.raises(EmbeddingError, match="cannot be reached") as caught:
            await embedder.embed(["text"])
        assert "hidden" not in f"{caught.value} {embedder!r}"
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


async def test_an_answer_of_too_many_values_is_not_read() -> None:
    async with ModelEndpoint() as endpoint:
        body = b'{"data": [' + b"[]," * 20_000 + b"[]]}"
        endpoint.refused = Reply([body], headers={"content-type": "application/json"})
        embedder = EndpointEmbedder(endpoint.url, "m")
        with pytest.raises(EmbeddingError, match="sent no valid answer: more than 16384 values"):
            await embedder.embed(["text"])
        await embedder.close()
