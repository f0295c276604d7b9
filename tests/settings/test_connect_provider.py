"""Connecting a provider of models: the file, the key store and the profile say the same, or nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistants_tui.settings.config import LOCAL, Profile
from assistants_tui.settings.config_editor import append_profile, append_provider, remove_provider
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.connect_provider import connect_provider, profile_for_models, use_model
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.secrets import SERVICE, Secret, store_key
from support.key_store import KeyStore

MINE = ProviderSettings("mine", "http://localhost:1/v1", default_model="llama3.2")
TEAM = Profile("team", "openai", base_url="https://x.org/v1")


@pytest.mark.parametrize(("model", "answers"), [("llama3.2", "ollama/llama3.2"), (None, None)])
def test_the_default_model_of_a_provider_answers_in_the_profile(
    tmp_path: Path, model: str | None, answers: str | None
) -> None:
    path = tmp_path / "config.toml"
    provider = ProviderSettings("ollama", "http://localhost:11434/v1", default_model=model)
    connect_provider(path, provider, LOCAL)
    loaded = load_config(path)
    assert loaded.problems == ()
    assert dict(loaded.config.models) == {"ollama": provider}
    assert loaded.config.profiles[LOCAL.name].default_model == answers


def test_its_key_goes_into_the_store_and_its_model_into_the_profile(
    key_store: KeyStore, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    connect_provider(file, MINE, LOCAL, Secret("new"))
    loaded = load_config(file)
    assert loaded.problems == ()
    assert [*loaded.config.models.values()] == [MINE]
    assert loaded.config.profiles["local"].default_model == "mine/llama3.2"
    assert key_store.kept == {(SERVICE, "models.mine"): "new"}


def test_the_key_of_an_earlier_one_goes_when_that_is_wanted(key_store: KeyStore, tmp_path: Path) -> None:
    store_key("models.mine", Secret("earlier"))
    connect_provider(tmp_path / "config.toml", MINE, LOCAL, drop_stored=True)
    assert key_store.kept == {}


def test_a_name_that_is_taken_keeps_its_key(key_store: KeyStore, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    store_key("models.mine", Secret("of another window"))
    append_provider(file, MINE)
    with pytest.raises(SettingsError, match=r"already has \[models\.mine\]"):
        connect_provider(file, MINE, LOCAL, Secret("new"))
    assert key_store.kept == {(SERVICE, "models.mine"): "of another window"}
    assert [*load_config(file).config.models] == ["mine"]


@pytest.mark.parametrize("key", [Secret("new"), None], ids=["typed", "earlier"])
def test_where_the_store_refuses_there_is_no_provider_to_which_an_earlier_key_would_go(
    key_store: KeyStore, tmp_path: Path, key: Secret | None
) -> None:
    file = tmp_path / "config.toml"
    append_profile(file, TEAM)
    before = load_config(file).config
    key_store.locked = True
    with pytest.raises(SettingsError, match="KeyringLocked"):
        connect_provider(file, MINE, LOCAL, key, drop_stored=key is None)
    assert load_config(file).config == before


def test_where_its_model_cannot_answer_neither_the_provider_nor_its_key_stays(
    key_store: KeyStore, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[profiles.local]\nkind = "embeded"\n')  # it cannot be used, and is there
    append_profile(file, TEAM)
    with pytest.raises(SettingsError, match=r"already has \[profiles\.local\]"):
        connect_provider(file, MINE, LOCAL, Secret("new"))
    assert key_store.kept == {}
    assert load_config(file).config.models == {}


def test_a_provider_with_tables_of_its_own_is_removed_and_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('# mine\n[models.other]\nurl = "http://localhost:2/v1" # this one\n')
    append_provider(file, replace(MINE, headers={"X-A": "b"}))
    remove_provider(file, "mine")
    assert file.read_text().rstrip() == '# mine\n[models.other]\nurl = "http://localhost:2/v1" # this one'
    remove_provider(file, "other")
    assert load_config(file).config.models == {}


def test_models_go_to_the_profile_that_is_open_else_to_one_with_an_engine() -> None:
    other = Profile("other", "embedded")
    assert profile_for_models(other, [LOCAL, other]) == other
    assert profile_for_models(TEAM, [TEAM, other, LOCAL]) == other
    assert profile_for_models(TEAM, [TEAM]) == LOCAL
    assert profile_for_models(TEAM, [TEAM, replace(TEAM, name="local")]).name == "local-2"


def test_a_new_profile_for_models_is_written(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[profiles.local]\nkind = "openai"\nbase_url = "https://x.org/v1"\n')
    use_model(file, replace(LOCAL, name="local-2"), "mine/llama3.2")
    profiles = load_config(file).config.profiles
    assert profiles["local-2"] == Profile("local-2", "embedded", default_model="mine/llama3.2")
    assert profiles["local"].default_model is None
