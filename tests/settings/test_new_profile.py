"""What is typed into a form becomes a profile by the rules of config.toml."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.settings.config import KIND_FIELDS, ProfileKind
from assistants_tui.settings.config_editor import append_profile
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.new_profile import ProfileFieldsError, free_name, new_profile, new_provider


def test_empty_fields_count_as_not_given() -> None:
    profile = new_profile(
        "mine",
        "foundry",
        {
            "project_endpoint": " https://x.services.ai.azure.com/api/projects/p ",
            "token_command": "az account get-access-token --query 'access Token'",
            "api_version": " ",
            "base_url": "not a field of this kind",
        },
    )
    assert profile.project_endpoint == "https://x.services.ai.azure.com/api/projects/p"
    assert profile.token_command == ("az", "account", "get-access-token", "--query", "access Token")
    assert (profile.api_version, profile.base_url) == (None, None)


@pytest.mark.parametrize("end", ["/chat/completions", "/chat/completions/", "/embeddings", ""])
def test_an_address_is_kept_without_the_path_of_an_operation(end: str) -> None:
    profile = new_profile("mine", "embedded", {"model_url": f"http://localhost:8000/v1{end}"})
    assert profile.model_url == "http://localhost:8000/v1"


@pytest.mark.parametrize(
    ("kind", "texts", "problems"),
    [
        ("openai", {}, {"base_url": "filled in"}),
        ("foundry", {"project_endpoint": "x.com"}, {"project_endpoint": "a URL"}),
        ("embedded", {"model_url": "http://me:pass@x/v1"}, {"model_url": "without user and password"}),
        ("embedded", {"model_api_key_env": "sk-123"}, {"model_api_key_env": "not the key itself"}),
        ("azure", {"token_command": "az 'account"}, {"token_command": "quote"}),
    ],
)
def test_each_mistake_is_told_for_its_field(
    kind: ProfileKind, texts: Mapping[str, str], problems: Mapping[str, str]
) -> None:
    with pytest.raises(ProfileFieldsError) as caught:
        new_profile("mine", kind, texts)
    assert caught.value.problems.keys() == problems.keys()
    for name, said in problems.items():
        assert said in caught.value.problems[name]


@pytest.mark.parametrize(
    ("name", "said"), [("", "letters"), ("a b", "letters"), ("-a", "letters"), ("local", "already")]
)
def test_a_name_is_a_word_that_is_free(name: str, said: str) -> None:
    with pytest.raises(ProfileFieldsError) as caught:
        new_profile(name, "embedded", {}, taken=["local"])
    assert said in caught.value.problems["name"]


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free_name("ollama", []) == "ollama"
    assert free_name("ollama", ["ollama", "ollama-2"]) == "ollama-3"


@pytest.mark.parametrize("length", [30, 31, 32])
def test_the_name_that_is_called_free_is_allowed(length: int) -> None:
    taken = ["a" * length]
    with pytest.raises(ProfileFieldsError) as caught:
        new_provider(taken[0], {"url": "http://localhost:1/v1"}, taken=taken)
    free = caught.value.problems["name"].split("“")[2].partition("”")[0]
    assert new_provider(free, {"url": "http://localhost:1/v1"}, taken=taken).name == free


@given(
    kind=st.sampled_from(list(KIND_FIELDS)),
    texts=st.dictionaries(
        st.sampled_from(sorted(set().union(*KIND_FIELDS.values()))),
        st.one_of(st.text(max_size=20), st.sampled_from(["https://x.org/v1", "A_KEY", "az account"])),
    ),
)
def test_what_is_taken_is_read_again_from_the_file(
    tmp_path_factory: pytest.TempPathFactory, kind: ProfileKind, texts: dict[str, str]
) -> None:
    try:
        profile = new_profile("mine", kind, texts)
    except ProfileFieldsError:
        return
    path: Path = tmp_path_factory.mktemp("config") / "config.toml"
    append_profile(path, profile)
    loaded = load_config(path)
    assert loaded.problems == ()
    assert loaded.config.profiles["mine"] == profile
    with pytest.raises(SettingsError):
        append_profile(path, profile)
