"""Model servers of this computer are found by what they answer, and whatever else listens is passed over."""

from typing import Any

import pytest

from assistants_tui.service.client.local_model_servers import FoundEndpoint, KnownEndpoint, find_endpoints
from support.model_endpoint import ModelEndpoint


async def test_those_that_list_models_are_found_at_once(server: Any, wires: Any) -> None:
    server.on("GET", "/page/models", wires.answer(b"<html>Welcome</html>", media_type="text/html"))
    server.on("GET", "/list/models", wires.answer([1, 2]))
    server.on("GET", "/odd/models", wires.answer({"data": [{"id": "m"}, {"id": 3}, "x", {"id": "n"}]}))
    server.on("GET", "/locked/models", wires.answer({"error": "no key"}, status=401))
    server.on("GET", "/cut/models", wires.cut)
    server.on("GET", "/garbage/models", wires.garbage)
    server.on("GET", "/huge/models", wires.answer(b'{"data": [' + b" " * 4 * 1024 * 1024 + b"]}"))
    places = ("page", "list", "odd", "locked", "cut", "garbage", "huge")
    async with ModelEndpoint(models=["a", "b"]) as endpoint:
        found = await find_endpoints(
            [
                *(KnownEndpoint(name, f"{server.url}/{name}") for name in places),
                KnownEndpoint("Ollama", endpoint.url),
                KnownEndpoint("nobody", "http://127.0.0.1:1/v1"),
            ]
        )
        assert found == [
            FoundEndpoint("odd", f"{server.url}/odd", ("m", "n"), "odd"),
            FoundEndpoint("Ollama", endpoint.url, ("a", "b"), "ollama"),
        ]
        assert "authorization" not in endpoint.requests[0].headers


async def test_a_server_that_never_answers_is_not_waited_for(
    server: Any, wires: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistants_tui.service.client.local_model_servers._SECONDS", 0.05)
    server.on("GET", "/models", wires.stream(b"data", then="silent"))
    assert await find_endpoints([KnownEndpoint("slow", server.url)]) == []


def test_models_that_only_make_embeddings_do_not_answer() -> None:
    models = (
        "text-embedding-nomic-embed-text-v1.5",
        "bge-m3:latest",
        "all-minilm",
        "snowflake-arctic-embed2",
        "Qwen3-Embedding-0.6B",
        "qwen3:4b",
        "minicpm-v",
    )
    assert FoundEndpoint("Ollama", "http://localhost:1/v1", models, "ollama").answering == (
        "qwen3:4b",
        "minicpm-v",
    )
    assert FoundEndpoint("Ollama", "http://localhost:1/v1", models[:1], "ollama").answering == ()
