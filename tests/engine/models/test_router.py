"""Several providers at once: who answers for a name, over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from assistants_tui.engine.app import EngineSettings, ModelProvider
from assistants_tui.protocol.objects import Json
from support.engine import open_engine
from support.model_endpoint import ModelEndpoint, calls, refuses, says


@asynccontextmanager
async def two(
    settings: EngineSettings, default: str | None = None, **options: Any
) -> AsyncIterator[tuple[httpx2.AsyncClient, ModelEndpoint, ModelEndpoint]]:
    """An engine with the providers `ollama` and `openai`; `options` are further ones of `ollama`."""
    async with (
        ModelEndpoint(models=["llama3.2", "shared"]) as ollama,
        ModelEndpoint(models=["gpt-5.2", "shared", "openai/odd"]) as openai,
    ):
        ollama.otherwise = openai.otherwise = lambda _: says("Hello.")
        providers = [
            ModelProvider(ollama.url, "ollama", api_key="key-of-ollama", **options),
            ModelProvider(openai.url, "openai", api_key="key-of-openai"),
        ]
        async with open_engine(replace(settings, providers=providers, default_model=default)) as http:
            yield http, ollama, openai


async def asked(http: httpx2.AsyncClient, model: str) -> str:
    """The model that a run names after it was asked for this one."""
    assistant = (await http.post("/assistants", json={"model": model})).json()
    body = {"assistant_id": assistant["id"], "thread": {"messages": [{"role": "user", "content": "Hi"}]}}
    run = await ended(http, (await http.post("/threads/runs", json=body)).json())
    assert run["status"] == "completed", run["last_error"]
    return str(run["model"])


async def ended(http: httpx2.AsyncClient, run: Json) -> Json:
    """The run once it has ended or waits for its client."""
    while run["status"] in {"queued", "in_progress"}:
        run = (await http.get(f"/threads/{run['thread_id']}/runs/{run['id']}")).json()
    return run


def names(endpoint: ModelEndpoint) -> list[str]:
    return [body["model"] for body in endpoint.chats]


async def test_all_their_models_are_listed(engine_settings: EngineSettings) -> None:
    async with two(engine_settings, "openai/gpt-5.2") as (http, ollama, _):
        listed = (await http.get("/models")).json()["data"]
        assert {model["id"] for model in listed} == {
            *("ollama/llama3.2", "ollama/shared", "openai/gpt-5.2", "openai/shared", "openai/openai/odd"),
            *("default", "offline-tutor"),
        }
        assert (listed[0]["id"], listed[0]["root"]) == ("default", "openai/gpt-5.2")
        ollama.refused = refuses(500, {"message": "broken"})  # the others go on
        assert len((await http.get("/models")).json()["data"]) == 5


async def test_the_others_are_listed_while_the_first_one_fails(engine_settings: EngineSettings) -> None:
    """Though it is the first one whose list says what the default model is."""
    async with two(engine_settings) as (http, ollama, _):
        ollama.refused = refuses(500, {"message": "broken"})
        answer = await http.get("/models")
        assert answer.status_code == 200, answer.text
        listed = answer.json()["data"]
        assert (listed[0]["id"], listed[0]["root"]) == ("default", "default")
        assert {model["id"] for model in listed[1:]} == {
            *("openai/gpt-5.2", "openai/shared", "openai/openai/odd", "offline-tutor")
        }


async def test_a_provider_that_fails_is_not_asked_for_each_name(engine_settings: EngineSettings) -> None:
    """Until it has answered, or a while has gone by: one that is out of reach costs seconds each time."""
    async with two(engine_settings, "openai/gpt-5.2") as (http, ollama, _):
        ollama.refused = refuses(500, {"message": "broken"}, x_should_retry="false")
        for _ in range(3):
            assert await asked(http, "llama3.2") == "openai/gpt-5.2"
        assert len(ollama.requests) == 1
        ollama.refused = None
        await http.get("/models")  # asks them all
        assert await asked(http, "llama3.2") == "llama3.2"
        assert names(ollama) == ["llama3.2"]


@pytest.mark.parametrize(
    ("default", "model", "answers", "at_ollama", "at_openai"),
    [
        (None, "ollama/llama3.2", "ollama/llama3.2", ["llama3.2"], []),
        (None, "openai/gpt-5.2", "openai/gpt-5.2", [], ["gpt-5.2"]),
        (None, "gpt-5.2", "gpt-5.2", [], ["gpt-5.2"]),
        (None, "shared", "shared", ["shared"], []),
        ("openai/gpt-5.2", "shared", "shared", [], ["shared"]),
        (None, "default", "ollama/llama3.2", ["llama3.2"], []),
        ("openai/gpt-5.2", "default", "openai/gpt-5.2", [], ["gpt-5.2"]),
        ("openai/gpt-5.2", "gpt-4o", "openai/gpt-5.2", [], ["gpt-5.2"]),
        ("gpt-5.2", "gpt-4o", "openai/gpt-5.2", [], ["gpt-5.2"]),
        (None, "gpt-4o", "ollama/llama3.2", ["llama3.2"], []),
        ("offline-tutor", "default", "offline-tutor", [], []),
        (None, "offline-tutor", "offline-tutor", [], []),
    ],
)
async def test_who_answers(
    engine_settings: EngineSettings,
    default: str | None,
    model: str,
    answers: str,
    at_ollama: list[str],
    at_openai: list[str],
) -> None:
    async with two(engine_settings, default) as (http, ollama, openai):
        assert await asked(http, model) == answers
        assert (names(ollama), names(openai)) == (at_ollama, at_openai)


async def test_a_key_goes_to_its_own_provider_alone(engine_settings: EngineSettings) -> None:
    async with two(engine_settings) as (http, ollama, openai):
        for model in ("ollama/llama3.2", "openai/gpt-5.2", "shared", "nothing"):
            await asked(http, model)
        await http.get("/models")
        assert {request.headers["authorization"] for request in ollama.requests} == {"Bearer key-of-ollama"}
        assert {request.headers["authorization"] for request in openai.requests} == {"Bearer key-of-openai"}


async def test_headers_extra_fields_and_the_allowed_models(engine_settings: EngineSettings) -> None:
    options: Any = {"headers": {"X-Title": "mine"}, "extra_body": {"top_k": 40}, "allow": ("shared",)}
    async with two(engine_settings, **options) as (http, ollama, _):
        assert await asked(http, "ollama/llama3.2") == "ollama/shared"
        assert ollama.requests[-1].headers["x-title"] == "mine"
        assert ollama.chats[-1]["top_k"] == 40
        listed = [model["id"] for model in (await http.get("/models")).json()["data"]]
        assert "ollama/shared" in listed
        assert "ollama/llama3.2" not in listed


async def test_no_model_answers_that_is_not_allowed(engine_settings: EngineSettings) -> None:
    async with two(engine_settings, allow=("gone",)) as (http, ollama, _):
        ollama.otherwise = lambda _: refuses(404, {"message": 'model "gone" not found', "code": 404})
        with pytest.raises(AssertionError, match='model "gone" not found'):
            await asked(http, "ollama/gone")
        assert set(names(ollama)) == {"gone"}


async def test_the_model_that_began_a_run_goes_on_with_it(engine_settings: EngineSettings) -> None:
    """Also where it was asked for by a name that is another provider's meanwhile."""
    async with two(engine_settings) as (http, ollama, openai):
        ollama.replies.append(calls(("tide", "{}")))
        tools = [{"type": "function", "function": {"name": "tide"}}]
        assistant = (await http.post("/assistants", json={"model": "gpt-4o", "tools": tools})).json()
        body = {"assistant_id": assistant["id"], "thread": {"messages": [{"role": "user", "content": "Hi"}]}}
        run = await ended(http, (await http.post("/threads/runs", json=body)).json())
        assert (run["status"], run["model"]) == ("requires_action", "ollama/llama3.2")
        openai.models.append("gpt-4o")
        [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
        outputs = [{"tool_call_id": call["id"], "output": "2 m"}]
        run = await ended(http, (await http.post(path, json={"tool_outputs": outputs})).json())
        assert (run["status"], run["model"]) == ("completed", "ollama/llama3.2")
        assert (names(ollama), names(openai)) == (["llama3.2", "llama3.2"], [])


async def test_a_declared_context_is_kept_to(engine_settings: EngineSettings) -> None:
    async with two(engine_settings, context=1000) as (http, ollama, _):
        assistant = (await http.post("/assistants", json={"model": "default"})).json()
        messages = [{"role": "user", "content": f"{number} " + "word " * 300} for number in range(20)]
        body = {"assistant_id": assistant["id"], "thread": {"messages": messages}, "stream": True}
        assert "thread.run.completed" in (await http.post("/threads/runs", json=body)).text
        assert len(ollama.chats[-1]["messages"]) < 6


async def test_a_provider_of_the_responses_api_says_so(engine_settings: EngineSettings) -> None:
    async with two(engine_settings, kind="responses") as (http, _, _):
        with pytest.raises(AssertionError, match='Set `kind = "chat"`'):
            await asked(http, "ollama/llama3.2")
