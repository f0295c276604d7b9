"""Which key `serve` sends to its model endpoint."""

import argparse
from pathlib import Path

import httpx2
import pytest

from assistants_tui.cli import build_parser
from assistants_tui.cli.model_key import ModelKeyError, model_key
from assistants_tui.protocol.names import OFFLINE_TUTOR
from assistants_tui.settings.paths import user_paths
from support.engines import BETA
from support.model_endpoint import ModelEndpoint, refuses
from support.serve_command import serve_command

CANARY = "sk-canary"


def serve_options(*arguments: str) -> argparse.Namespace:
    return build_parser().parse_args(["serve", *arguments])


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ((), None),
        (("--model-url", "https://api.openai.com/v1"), "sk-openai"),
        (("--model-url", "https://api.openai.com/v1", "--model-key-env", "MODEL_KEY"), "sk-other"),
        (("--model-url", "http://localhost:1/v1"), None),
        (("--model-url", "https://models.example/v1"), None),
        (("--model-url", "https://models.example/v1", "--model-key-env", "MODEL_KEY"), "sk-other"),
        (
            ("--model-url", "http://10.0.0.7/v1", "--model-key-env", "MODEL_KEY", "--allow-plain-http"),
            "sk-other",
        ),
    ],
)
def test_which_key_is_sent(
    arguments: tuple[str, ...], sent: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.setenv("MODEL_KEY", "sk-other")
    key = model_key(serve_options(*arguments))
    assert key.value == sent
    assert "sk-" not in repr(key)
    assert ("OPENAI_API_KEY is not sent" in key.warning) is (sent is None and arguments != ())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--model-key-env", "MODEL_KEY"), "give --model-url, too"),
        (("--embedding-model", "m"), "give --model-url, too"),
        (("--model-url", "https://x.org", "--model-key-env", "NOT_SET"), "NOT_SET of --model-key-env is not"),
        (
            ("--model-url", "https://x.org", "--model-key-env", "OPENAI_API_KEY"),
            "not sent to x.org: it is for",
        ),
        (("--model-url", "http://x.org/v1", "--model-key-env", "MODEL_KEY"), "allow it with --allow-plain"),
        (("--model-url", "http://api.openai.com/v1"), "allow it with --allow-plain-http"),
    ],
)
def test_which_keys_are_refused(
    arguments: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("MODEL_KEY", CANARY)
    with pytest.raises(ModelKeyError, match=says) as error:
        model_key(serve_options(*arguments))
    assert CANARY not in str(error.value)


@pytest.mark.parametrize(
    "url", ["http://[", "localhost:11434", "http://", "http://x:port/v1", "ftp://x", "http://a b"]
)
def test_an_address_that_is_none_is_refused_at_once(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        serve_options("--model-url", url)
    assert "--model-url: it must be a URL, such as http://localhost:11434/v1" in capsys.readouterr().err


async def test_another_endpoint_gets_no_key_of_openai_and_the_user_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    async with ModelEndpoint() as endpoint:
        endpoint.refused = refuses(401, {"message": "Who are you?"})
        async with (
            serve_command(tmp_path, "--model-url", endpoint.url, "--embedding-model", "m") as server,
            httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA, timeout=60) as http,
        ):
            said = await server.complaint()
            assert said.startswith("The key in OPENAI_API_KEY is not sent to 127.0.0.1:")
            assert "--model-key-env NAME" in said
            answer = await http.get("/models")
            assert answer.status_code >= 400
            message = answer.json()["error"]["message"]
            assert "asks for an API key, and none is sent to it. Name the environment variable" in message
        assert endpoint.requests
        assert not any(CANARY in str(request.headers) for request in endpoint.requests)


async def test_without_an_endpoint_the_providers_of_the_settings_serve_each_with_its_own_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_KEY", CANARY)
    async with ModelEndpoint(models=["a"]) as router, ModelEndpoint(models=["b"]) as plain:
        config = user_paths().config_file
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(
            f'[models.router]\nurl = "{router.url}"\nkey_env = "ROUTER_KEY"\n'
            f'[models.plain]\nurl = "{plain.url}"\n[models.wrong]\nurl = "x"\n'
            f'[models.away]\nurl = "http://127.0.0.1:1/v1?key={CANARY}"\n'
        )
        async with (
            serve_command(tmp_path) as server,
            httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA, timeout=60) as http,
        ):
            assert "models.wrong.url is 'x'; it must be a URL" in await server.complaint()
            assert await server.complaint() == f"Models of router ({router.url}), as config.toml says.\n"
            assert await server.complaint() == f"Models of plain ({plain.url}), as config.toml says.\n"
            assert "Models of away (http://127.0.0.1:1/v1?…)" in await server.complaint()
            listed = {one["id"] for one in (await http.get("/models")).json()["data"]}
            assert {"router/a", "plain/b"} <= listed
        assert router.requests and plain.requests
        assert all(one.headers.get("authorization") == f"Bearer {CANARY}" for one in router.requests)
        assert not any(CANARY in str(one.headers) for one in plain.requests)
        async with (
            serve_command(tmp_path, "--model-url", plain.url) as server,
            httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA, timeout=60) as http,
        ):
            asked = len(router.requests)
            listed = {one["id"] for one in (await http.get("/models")).json()["data"]}
            assert "b" in listed and not any("/" in name for name in listed)
            assert len(router.requests) == asked


async def test_settings_that_cannot_be_read_are_told_and_the_tutor_answers(tmp_path: Path) -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("[models.router\n")
    async with (
        serve_command(tmp_path) as server,
        httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA, timeout=60) as http,
    ):
        assert "not TOML" in await server.complaint()
        listed = {one["id"] for one in (await http.get("/models")).json()["data"]}
        assert OFFLINE_TUTOR in listed
