"""Keys go where they are meant to go: to the server that the user names them for, and not in the clear."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from assistants_tui.engine.models.base import ModelError
from assistants_tui.engine.models.embedding_client import EmbeddingError, EndpointEmbedder
from assistants_tui.engine.models.endpoint import EndpointModel
from assistants_tui.service.client.backend import open_backend
from assistants_tui.service.client.profile_trial import try_profile
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Profile
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.secrets import Secret
from support.app import use_model
from support.model_endpoint import ModelEndpoint, refuses, says
from support.terminal import COMMAND

CANARY = "sk-canary"
FAR = "http://models.invalid/v1"  # reached through a proxy that answers itself


async def command(*arguments: str) -> tuple[int | None, str]:
    """The exit code, and all that was printed."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ),
    )
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()


def keys_sent_to(endpoint: ModelEndpoint) -> bool:
    return any(CANARY in value for request in endpoint.requests for value in request.headers.values())


async def test_the_key_of_openai_is_not_sent_to_another_model_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    async with ModelEndpoint() as endpoint:
        endpoint.refused = refuses(401, {"message": "You need a key."})
        use_model(endpoint.url, 'model_api_key_env = "OPENAI_API_KEY"')
        host = endpoint.url.removeprefix("http://").removesuffix("/v1")
        why = f"The key in OPENAI_API_KEY is not sent to {host}: it is for api.openai.com alone."
        [problem] = load_config(user_paths().config_file).problems
        assert why in str(problem) and "model_api_key_env" in str(problem)
        code, printed = await command("ask", "hi")
        assert code == 1
        assert f"asks for an API key, and none is sent to it. {why}" in printed
        assert "name that one in `model_api_key_env` of [profiles.local]" in printed
        code, printed = await command("doctor")
        assert code == 1 and "✗ local (default): embedded; The key in OPENAI_API_KEY is not" in printed
        assert endpoint.requests and not keys_sent_to(endpoint)
        endpoint.refused, endpoint.replies = None, [says("Hello.")]
        use_model(endpoint.url, 'model_api_key_env = "MODEL_KEY"')
        monkeypatch.setenv("MODEL_KEY", CANARY)
        assert await command("ask", "hi") == (0, "Hello.\n")
        assert keys_sent_to(endpoint)


@pytest.mark.parametrize("kind", ["openai", "azure", "foundry"])
async def test_nor_to_another_server_of_the_protocol(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    async with ModelEndpoint() as endpoint:
        profiles = {
            "openai": Profile("p", "openai", base_url=endpoint.url, api_key_env="OPENAI_API_KEY"),
            "azure": Profile("p", "azure", api_version="2024-05-01-preview", api_key_env="OPENAI_API_KEY"),
            "foundry": Profile("p", "foundry", project_endpoint=endpoint.url, api_key_env="OPENAI_API_KEY"),
        }
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", endpoint.url)
        with pytest.raises(ServiceError, match="OPENAI_API_KEY is not sent to 127") as error:
            await open_backend(profiles[kind], paths=user_paths())
        assert "name that one in `api_key_env` of [profiles.p]" in str(error.value)
        assert endpoint.requests == []


@pytest.fixture
def through_proxy(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TEAM_KEY", CANARY)
    return monkeypatch


async def test_a_model_on_another_computer_gets_no_key_in_the_clear(
    through_proxy: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with ModelEndpoint() as endpoint:
        through_proxy.setenv("HTTP_PROXY", endpoint.url)
        endpoint.refused = refuses(401, {"message": "You need a key."})
        use_model(FAR, 'model_api_key_env = "TEAM_KEY"')
        code, printed = await command("ask", "hi")
        assert code == 1
        assert "No key is sent to models.invalid over plain http" in printed
        assert "Use https, or allow it with `allow_plain_http = true` in [profiles.local]" in printed
        assert endpoint.requests and not keys_sent_to(endpoint)
        endpoint.refused, endpoint.replies = None, [says("Hello.")]
        use_model(FAR, 'model_api_key_env = "TEAM_KEY"', "allow_plain_http = true")
        assert await command("ask", "hi") == (0, "Hello.\n")
        assert keys_sent_to(endpoint)


async def test_nor_does_a_server_of_the_protocol(through_proxy: pytest.MonkeyPatch) -> None:
    async with ModelEndpoint() as endpoint:
        through_proxy.setenv("HTTP_PROXY", endpoint.url)
        token = ("printf", CANARY)
        for profile, key in (
            (Profile("p", "openai", base_url=FAR), Secret(CANARY)),
            (Profile("p", "embedded", model_url=FAR), Secret(CANARY)),
            (Profile("p", "azure", azure_endpoint=FAR, api_version="v", token_command=token), None),
            (Profile("p", "foundry", project_endpoint=FAR, token_command=token), None),
        ):
            with pytest.raises(ServiceError, match=r"No key is sent to models\.invalid over plain http"):
                await try_profile(profile, key)
        named = Profile("p", "openai", base_url=FAR, api_key_env="TEAM_KEY")
        with pytest.raises(ServiceError, match=r"`allow_plain_http = true` in \[profiles.p\]"):
            await open_backend(named, paths=user_paths())
        assert endpoint.requests == []
        allowed = Profile("p", "embedded", model_url=FAR, allow_plain_http=True)
        await try_profile(allowed, Secret(CANARY))
        assert keys_sent_to(endpoint)
        await try_profile(Profile("p", "embedded", model_url=FAR), None)  # without a key there is no secret


async def test_what_the_environment_has_for_openai_goes_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"Authorization: Bearer {CANARY}\nX-Mine: {CANARY}")
    async with ModelEndpoint() as endpoint:
        model = EndpointModel(endpoint.url)
        await model.models()
        await model.close()
        embedder = EndpointEmbedder(endpoint.url, "m")
        endpoint.otherwise = lambda _: refuses(401, {"message": "no"})
        with pytest.raises(EmbeddingError):
            await embedder.embed(["text"])
        await embedder.close()
        await try_profile(Profile("p", "embedded", model_url=endpoint.url), None)
        azure = Profile("p", "azure", azure_endpoint=endpoint.url, api_version="v")
        with pytest.raises(ServiceError):
            await try_profile(azure, Secret("mine"))
        assert len(endpoint.requests) == 4 and not keys_sent_to(endpoint)


async def test_an_endpoint_that_wants_a_key_says_which_one_is_missing() -> None:
    async with ModelEndpoint() as endpoint:
        endpoint.refused = refuses(401, {"message": "You need a key."})
        model = EndpointModel(endpoint.url, key_advice="Name it.")
        with pytest.raises(ModelError, match=r"asks for an API key, and none is sent to it\. Name it\."):
            await model.models()
        await model.close()
        embedder = EndpointEmbedder(endpoint.url, "m", key_advice="Name it.")
        with pytest.raises(EmbeddingError, match=r"asks for an API key, and none is sent to it\. Name it\."):
            await embedder.embed(["text"])
        await embedder.close()
        use_model(endpoint.url, 'model_api_key_env = "MODEL_KEY"')
        assert "The environment variable MODEL_KEY is not set" in (await command("ask", "hi"))[1]
