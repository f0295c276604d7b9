"""`[models.NAME]`: what is read, what is refused, and whose key it is."""

from pathlib import Path

import pytest

from assistants_tui.settings.config import LOCAL
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.secrets import KeyNotSentError, declared_headers, find_key
from assistants_tui.settings.settings_reference import settings_of

WHOLE = """
[models.ollama]
url = "http://localhost:11434/v1"
default_model = "llama3.2"
context = 8192
allow = ["llama3.2", "qwen3"]
embeddings = "nomic-embed-text"
embeddings_url = "http://localhost:8081/v1"
[models.router]
url = "https://models.example.org/v1"
kind = "responses"
key_env = "ROUTER_KEY"
headers = { X-Title = "mine", Authorization = "$ROUTER_TOKEN" }
body = { top_k = 40, provider = { order = ["a"] } }
"""


def load(path: Path, text: str) -> tuple[dict[str, ProviderSettings], list[str]]:
    path.write_text(text)
    loaded = load_config(path)
    return dict(loaded.config.models), [str(problem) for problem in loaded.problems]


def test_all_that_can_be_said(tmp_path: Path) -> None:
    models, problems = load(tmp_path / "config.toml", WHOLE)
    assert problems == []
    assert models == {
        "ollama": ProviderSettings(
            "ollama",
            "http://localhost:11434/v1",
            default_model="llama3.2",
            context=8192,
            allow=("llama3.2", "qwen3"),
            embeddings="nomic-embed-text",
            embeddings_url="http://localhost:8081/v1",
        ),
        "router": ProviderSettings(
            "router",
            "https://models.example.org/v1",
            kind="responses",
            key_env="ROUTER_KEY",
            headers={"X-Title": "mine", "Authorization": "$ROUTER_TOKEN"},
            body={"top_k": 40, "provider": {"order": ["a"]}},
        ),
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"', "not TOML"),
        ("", "models.a.url is 'missing'"),
        ('url = "ollama"', "it must be a URL"),
        ('url = "http://x/v1"\nkind = "completions"', 'one of "chat", "responses"'),
        ('url = "http://x/v1"\ncolour = 1', "models.a.colour is 1; unknown"),
        ('url = "http://x/v1"\napi_key = "sk-canary"', "name that in `key_env`, or store it"),
        ('url = "http://x/v1"\nkey_env = "OPENAI_API_KEY"', "it is for api.openai.com alone"),
        ('url = "http://x/v1"\nallow = ["b"]\ndefault_model = "c"', "it must be one of `allow`: b"),
        ('url = "http://x/v1"\nheaders = { "a b" = "c" }', "names of HTTP headers"),
        ('url = "http://x/v1"\nheaders = { a = "ü" }', "characters that headers cannot have"),
        ('url = "http://x/v1"\nheaders = { Cookie = "canary" }', "let Cookie name an environment variable"),
        ('url = "http://x/v1"\nheaders = { X-Key = "canary" }', "let X-Key name an environment variable"),
        (
            'url = "https://x.org/v1"\nheaders = { Authorization = "$OPENAI_API_KEY" }',
            "is for api.openai.com alone",
        ),
        ('url = "http://x.org/v1"\nheaders = { X-Key = "$TEAM_KEY" }', "could read it on the way"),
        ('url = "http://x/v1"\nheaders = 1', "it must be a table of texts"),
        ('url = "http://x/v1"\nbody = { model = "x" }', "without model, messages, stream, tools"),
        ('url = "http://x/v1"\nbody = { at = 2026-12-01 }', "it must be a table such as"),
        ('url = "http://x/v1"\ncontext = 0', "a whole number of tokens"),
    ],
)
def test_a_provider_with_a_mistake_is_left_out_and_told(tmp_path: Path, line: str, said: str) -> None:
    models, problems = load(tmp_path / "config.toml", f"[models.a]\n{line}\n")
    assert models == {}
    assert said in " ".join(problems)
    assert "canary" not in " ".join(problems)


def test_its_key_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_KEY", " sk-router ")
    router = ProviderSettings("router", "https://models.example.org/v1", key_env="ROUTER_KEY")
    key = find_key(router)
    assert key is not None
    assert key.reveal() == "sk-router"
    assert router.stored_name != router.name  # a profile may have that name
    plain = ProviderSettings("plain", "http://models.example.org/v1", key_env="ROUTER_KEY")
    with pytest.raises(KeyNotSentError, match=r"in \[models\.plain\] of config\.toml"):
        find_key(plain)


@pytest.mark.parametrize(
    ("url", "variable"),
    [("https://api.openai.com/v1", "OPENAI_API_KEY"), ("http://x.org/v1", "TEAM_KEY")],
)
def test_headers_from_the_environment_go_where_the_user_allows_it(
    tmp_path: Path, url: str, variable: str
) -> None:
    line = f'url = "{url}"\nallow_plain_http = true\nheaders = {{ X-Key = "${variable}" }}'
    models, problems = load(tmp_path / "config.toml", f"[models.a]\n{line}\n")
    assert problems == []
    assert models["a"].headers == {"X-Key": f"${variable}"}


def test_each_is_shown_with_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert [one.value for one in settings_of(load_config(path), LOCAL) if one.group == "models"] == ["none"]
    load(path, WHOLE)
    shown = {one.path: one for one in settings_of(load_config(path), LOCAL)}
    assert shown["models.ollama.default_model"].value == "llama3.2"
    assert shown["models.router.body"].value == '{"top_k": 40, "provider": {"order": ["a"]}}'
    assert shown["models.router.headers"].value == "X-Title=mine …"
    body = shown["models.router.body"].type
    assert body is not None
    assert body.parse('{"top_k": 1}') == {"top_k": 1}
    with pytest.raises(ValueError, match="a table such as"):
        body.parse("top_k")


def test_headers_have_the_values_of_the_environment() -> None:
    headers = {"X-Title": "mine", "Authorization": "$ROUTER_TOKEN", "X-Other": "$NOT_SET"}
    provider = ProviderSettings("a", "https://x.org/v1", headers=headers)
    environ = {"ROUTER_TOKEN": " Token 1\n"}
    assert declared_headers(provider, environ) == {"X-Title": "mine", "Authorization": "Token 1"}
