"""A profile is tried on a real server before it is kept."""

from dataclasses import replace
from typing import Any

import pytest

from assistants_tui.service.client.backend import open_backend
from assistants_tui.service.client.profile_trial import try_profile
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Profile
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.secrets import KeyOwner, Secret

MODELS = {"object": "list", "data": [{"id": "small"}, {"id": "large"}]}
PAGE = {"object": "list", "data": [], "has_more": False}


def embedded(url: str | None) -> Profile:
    return Profile("mine", "embedded", model_url=url)


async def failure(profile: KeyOwner, key: Secret | None = None) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await try_profile(profile, key)
    return caught.value


async def test_the_offline_tutor_needs_nothing() -> None:
    trial = await try_profile(embedded(None), None)
    assert trial.models == ("offline-tutor",)


async def test_a_model_endpoint_lists_its_models_and_gets_the_key(server: Any, wires: Any) -> None:
    server.on("GET", "/v1/models", wires.answer(MODELS))
    trial = await try_profile(embedded(f"{server.url}/v1/"), Secret("sk-canary"))
    assert trial.models == ("small", "large")
    assert trial.words == "It answers, and lists 2 models."
    assert server.requests[0].headers["authorization"] == "Bearer sk-canary"


async def test_the_headers_of_a_provider_are_sent_and_not_repeated(
    server: Any, wires: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a header is the key, a trial without it would be refused."""
    monkeypatch.setenv("ROUTER_TOKEN", "Token sk-canary")
    headers = {"X-Title": "mine", "Authorization": "$ROUTER_TOKEN", "X-Other": "$NOT_SET"}
    provider = ProviderSettings("router", f"{server.url}/v1", headers=headers)
    server.on("GET", "/v1/models", wires.answer(MODELS))
    assert (await try_profile(provider, None)).models == ("small", "large")
    sent = server.requests[0].headers
    assert (sent["authorization"], sent["x-title"], sent.get("x-other")) == ("Token sk-canary", "mine", None)
    server.on("GET", "/v1/models", wires.answer({"error": {"message": "no: Token sk-canary"}}, status=401))
    assert "no: ***" in str(await failure(provider))


@pytest.mark.parametrize("copied", ["sk-canary…", "sk-\ncanary"])
async def test_what_is_no_key_is_not_sent(server: Any, copied: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_TOKEN", copied)
    provider = ProviderSettings("router", f"{server.url}/v1")
    in_header = replace(provider, headers={"X-Key": "$ROUTER_TOKEN"})
    for error in (await failure(provider, Secret(copied)), await failure(in_header)):
        assert "The key has characters that keys do not have" in str(error)
        assert (error.kind, "canary" in str(error)) == ("authentication", False)
    assert server.requests == []


async def test_an_address_without_its_path_is_completed(server: Any, wires: Any) -> None:
    server.on("GET", "/models", wires.answer({"error": {"message": "no such path"}}, status=404))
    server.on("GET", "/v1/models", wires.answer(MODELS))
    trial = await try_profile(embedded(server.url), None)
    assert trial.settings.address == f"{server.url}/v1"


async def test_what_is_no_model_endpoint_says_what_to_check(server: Any, wires: Any) -> None:
    server.on("GET", "/api/models", wires.answer({"models": []}))
    assert "the part before" in (await failure(embedded(f"{server.url}/api"))).advice
    server.on("GET", "/v2/models", wires.answer({"error": {"message": "gone"}}, status=404))
    error = await failure(embedded(f"{server.url}/v2"))
    assert (error.kind, error.status) == ("not_found", 404)
    error = await failure(embedded("http://127.0.0.1:1/v1"))
    assert error.kind == "connection"
    assert "Nothing listens at 127.0.0.1:1" in str(error)


async def test_a_refused_key_is_the_keys_fault_and_is_not_repeated(server: Any, wires: Any) -> None:
    said = {"error": {"message": "Incorrect API key provided: sk-canary"}}
    server.on("GET", "/v1/models", wires.answer(said, status=401))
    error = await failure(embedded(f"{server.url}/v1"), Secret("sk-canary"))
    assert error.kind == "authentication"
    assert "canary" not in str(error)


async def test_a_server_of_the_protocol_lists_its_assistants(server: Any, wires: Any) -> None:
    server.on("GET", "/v1/assistants", wires.answer(PAGE))
    remote = Profile("team", "openai", base_url=f"{server.url}/v1")
    assert (await try_profile(remote, None)).settings == remote
    server.on("GET", "/v1/assistants", wires.answer({"hello": "world"}))
    assert "`data` is missing" in str(await failure(remote))


@pytest.mark.parametrize(
    "refusal", [({"detail": "Not Found"}, 404), ({"error": "Unexpected endpoint"}, 200), ({}, 405)]
)
async def test_a_server_of_models_is_told_from_one_of_assistants(
    server: Any, wires: Any, paths: Paths, refusal: tuple[Any, int]
) -> None:
    """As Ollama, llama.cpp, vLLM and LM Studio refuse; in F3, and wherever the list is read."""
    body, status = refusal
    server.on("GET", "/v1/assistants", wires.answer(body, status=status))
    server.on("GET", "/v1/models", wires.answer(MODELS))
    profile = Profile("team", "openai", base_url=f"{server.url}/v1/")
    backend = await open_backend(profile, paths=paths)
    with pytest.raises(ServiceError) as caught:
        await backend.assistants.list()
    await backend.close()
    for error in (caught.value, await failure(profile)):
        assert "a server of models" in error.what and f"127.0.0.1:{server.port}" in error.what
        assert f"model_url “{server.url}/v1”" in error.advice
    server.on("GET", "/v1/models", wires.answer({"detail": "Not Found"}, status=404))
    assert "a server of models" not in (await failure(profile)).what


async def test_azure_and_foundry_are_asked_in_their_own_ways(server: Any, wires: Any) -> None:
    server.on("GET", "/openai/assistants", wires.answer(PAGE))
    azure = Profile("azure", "azure", azure_endpoint=server.url, api_version="2024-05-01-preview")
    assert "token_command" in str(await failure(azure))
    await try_profile(azure, Secret("k"))
    request = server.requests[-1]
    assert (request.query["api-version"], request.headers["api-key"]) == ("2024-05-01-preview", "k")
    server.on("GET", "/api/projects/p/assistants", wires.answer(PAGE))
    foundry = Profile(
        "foundry",
        "foundry",
        project_endpoint=f"{server.url}/api/projects/p",
        token_command=("echo", "a-token"),
    )
    await try_profile(foundry, None)
    assert server.requests[-1].headers["authorization"] == "Bearer a-token"


async def test_a_server_that_never_answers_is_given_up(
    server: Any, wires: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistants_tui.service.client.profile_trial._SECONDS", 0.2)
    server.on("GET", "/v1/models", wires.stream(b"data", then="silent"))
    assert (await failure(embedded(f"{server.url}/v1"))).kind == "timeout"
