"""`serve --embedding-model`: finding by meaning, and what happens when the model is another one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from support.engine import make, settled, upload
from support.engines import BETA
from support.model_endpoint import ModelEndpoint, Reply, Request
from support.serve_command import serve_command

DIMENSIONS = {"small": 2, "large": 3}


class Embeddings:
    """Texts about time off point one way, all others another. Vectors of documents can be held back."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        """The model of each request, and whether it was about documents."""
        self.held: asyncio.Event | None = None

    def answer(self, request: Request) -> Reply:
        model, texts = request.body["model"], request.body["input"]
        documents = any(text.endswith(".") for text in texts)
        self.asked.append((model, documents))
        vectors = [self._vector(text, DIMENSIONS[model]) for text in texts]
        data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
        body = json.dumps({"object": "list", "model": model, "data": data}).encode()
        held = [self.held] if documents and self.held is not None else []
        return Reply([*held, body], headers={"content-type": "application/json"})

    def _vector(self, text: str, dimensions: int) -> list[float]:
        about_leave = any(word in text.lower() for word in ("holiday", "leave"))
        return [1.0 if number == (0 if about_leave else 1) else 0.1 for number in range(dimensions)]


@asynccontextmanager
async def served(data_dir: Path, *arguments: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        serve_command(data_dir, *arguments) as server,
        httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA, timeout=60) as http,
    ):
        yield http


async def find(http: httpx2.AsyncClient, store: str, query: str) -> tuple[list[str], str | None]:
    """The names of the files found, and the model that compared meanings."""
    page: dict[str, Any] = await make(http, f"/vector_stores/{store}/search", query=query)
    return [result["filename"] for result in page["data"]], page["embedding_model"]


async def test_meanings_follow_the_model_while_search_goes_on(tmp_path: Path) -> None:
    embeddings = Embeddings()
    async with ModelEndpoint() as endpoint:
        endpoint.otherwise = embeddings.answer
        async with served(tmp_path) as http:
            leave = await upload(http, "leave.txt", b"Employees get 25 days of paid leave.")
            rent = await upload(http, "rent.txt", b"The rent is due on the first.")
            store = (await make(http, "/vector_stores", file_ids=[leave["id"], rent["id"]]))["id"]
            await settled(http, f"/vector_stores/{store}")
            assert await find(http, store, "holidays") == ([], None), "no word of it is there"
            assert await find(http, store, "rent") == (["rent.txt"], None)
        model = ("--model-url", endpoint.url, "--embedding-model")
        async with served(tmp_path, *model, "small") as http:
            while (found := await find(http, store, "holidays"))[0][:1] != ["leave.txt"]:
                assert found[1] == "small"
        embeddings.held = asyncio.Event()
        async with served(tmp_path, *model, "large") as http:
            while ("large", True) not in embeddings.asked:
                assert await find(http, store, "holidays") == ([], "large"), "old vectors say nothing now"
            assert await find(http, store, "rent") == (["rent.txt"], "large")
            embeddings.held.set()
            while not (found := await find(http, store, "holidays"))[0]:
                assert found[1] == "large"
            assert found[0][0] == "leave.txt"
    assert [documents for asked, documents in embeddings.asked if asked == "small"].count(True) == 1
