"""An engine that finds by meaning, with the embeddings of its model endpoint."""

import json
from pathlib import Path

import httpx2

from assistants_tui.engine.app import EngineSettings, ModelProvider
from support.engine import make, open_engine, settled, upload
from support.model_endpoint import ModelEndpoint, Reply, Request, refuses

HOLIDAYS = ("holiday", "vacation", "leave")
KEY = "sk-canary-0123456789"


def embeddings(request: Request) -> Reply:
    """Texts about time off point one way, all others another."""
    assert request.path == "/v1/embeddings"
    assert (request.body["model"], request.headers["authorization"]) == ("vectors", f"Bearer {KEY}")
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": [1.0, 0.1] if any(word in text.lower() for word in HOLIDAYS) else [0.1, 1.0],
        }
        for index, text in enumerate(request.body["input"])
    ]
    answer = {"object": "list", "model": "vectors", "data": data}
    return Reply([json.dumps(answer).encode()], headers={"content-type": "application/json"})


async def found(http: httpx2.AsyncClient, store: str, query: str) -> list[str]:
    page = await make(http, f"/vector_stores/{store}/search", query=query)
    return [result["filename"] for result in page["data"]]


async def filled(http: httpx2.AsyncClient) -> str:
    ids = [
        (await upload(http, name, data))["id"]
        for name, data in (
            ("leave.txt", b"Employees get 25 days of paid leave."),
            ("rent.txt", b"The rent is due on the first."),
        )
    ]
    store = await make(http, "/vector_stores", file_ids=ids)
    await settled(http, f"/vector_stores/{store['id']}")
    return str(store["id"])


async def test_finding_by_meaning(tmp_path: Path) -> None:
    async with ModelEndpoint() as endpoint:
        endpoint.otherwise = embeddings
        settings = EngineSettings(
            tmp_path, providers=[ModelProvider(endpoint.url, api_key=KEY, embeddings="vectors")]
        )
        async with open_engine(settings) as http:
            store = await filled(http)
            while (names := await found(http, store, "holidays")) == []:
                pass  # vectors come in the background; until then the search is by words
            assert names[0] == "leave.txt"
            assert (await found(http, store, "rent"))[0] == "rent.txt"
            # An endpoint that fails costs the meaning, not the search.
            endpoint.otherwise = lambda _: refuses(400, {"message": "Not today."})
            assert (await found(http, store, "days"))[0] == "leave.txt"


async def test_words_alone(tmp_path: Path) -> None:
    async with open_engine(EngineSettings(tmp_path)) as http:
        store = await filled(http)
        assert await found(http, store, "holidays") == []
        assert await found(http, store, "paid leave") == ["leave.txt"]
