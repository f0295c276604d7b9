"""Keys come from the environment or the key store, and show themselves nowhere."""

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import keyring
import pytest

from assistants_tui.settings.config import LOCAL, Profile
from assistants_tui.settings.config_editor import append_profile
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.new_profile import keep_profile
from assistants_tui.settings.secrets import (
    SERVICE,
    KeyNotSentError,
    Secret,
    delete_key,
    find_key,
    has_key,
    has_key_store,
    key_place,
    store_key,
    stored_key,
)
from support.key_store import KeyStore

TEAM = Profile(name="team", kind="openai", base_url="https://x.org", api_key_env="TEAM_KEY")


def revealed(profile: Profile, environ: dict[str, str]) -> str | None:
    key = find_key(profile, environ)
    return key.reveal() if key else None


def test_the_environment_comes_first_and_then_the_key_store(key_store: KeyStore) -> None:
    assert revealed(TEAM, {}) is None
    store_key("team", Secret("stored"))
    assert key_store.kept == {(SERVICE, "team"): "stored"}
    assert revealed(TEAM, {}) == "stored"
    assert revealed(TEAM, {"TEAM_KEY": " from-env\n"}) == "from-env"
    assert revealed(TEAM, {"TEAM_KEY": "  "}) == "stored"
    assert revealed(LOCAL, {"TEAM_KEY": "x", "OPENAI_API_KEY": "y"}) is None
    assert has_key(TEAM) and has_key_store()
    assert key_place(TEAM, {}) == "store"
    assert key_place(TEAM, {"TEAM_KEY": "k"}) == "environment"
    delete_key("team")
    delete_key("team")
    assert revealed(TEAM, {}) is None
    assert key_place(TEAM, {}) is None


@pytest.mark.parametrize(
    ("url", "variable", "says"),
    [
        ("https://api.openai.com/v1", "OPENAI_API_KEY", ""),
        ("https://eu.api.openai.com/v1", "OPENAI_API_KEY", ""),
        ("https://x.org", "OPENAI_API_KEY", "is for api.openai.com alone"),
        ("http://localhost:4000", "OPENAI_API_KEY", "is for api.openai.com alone"),
        ("http://127.1:4000", "TEAM_KEY", ""),
        ("https://x.org", "TEAM_KEY", ""),
        ("http://x.org", "TEAM_KEY", "over plain http"),
        ("http://api.openai.com/v1", "OPENAI_API_KEY", "over plain http"),
    ],
)
def test_a_key_is_only_for_some_servers(url: str, variable: str, says: str) -> None:
    profile = replace(TEAM, base_url=url, api_key_env=variable)
    if not says:
        assert revealed(profile, {variable: "k"}) == "k"
        return
    assert revealed(profile, {}) is None
    assert key_place(profile, {variable: "k"}) == "not sent"
    with pytest.raises(KeyNotSentError, match=says) as error:
        find_key(profile, {variable: "sk-canary"})
    assert "canary" not in str(error.value)


def test_a_stored_key_is_not_sent_in_the_clear_either(key_store: KeyStore) -> None:
    store_key("team", Secret("stored"))
    plain = replace(TEAM, base_url="http://x.org")
    with pytest.raises(KeyNotSentError, match=r"\[profiles.team\]"):
        find_key(plain, {})
    assert revealed(replace(plain, allow_plain_http=True), {}) == "stored"


def test_a_new_profile_has_its_name_before_its_key(key_store: KeyStore, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    store_key("team", Secret("of another window"))
    append_profile(config, TEAM)
    with pytest.raises(SettingsError, match=r"already has \[profiles\.team\]"):
        keep_profile(config, TEAM, Secret("new"))
    assert key_store.kept == {(SERVICE, "team"): "of another window"}
    other = replace(TEAM, name="other")
    store_key("other", Secret("left behind"))
    assert keep_profile(config, other, None, drop_stored=True) == ""
    assert key_store.kept == {(SERVICE, "team"): "of another window"}
    assert keep_profile(config, replace(TEAM, name="third"), Secret("new")) == ""
    assert stored_key("third") is not None
    key_store.locked = True
    assert "KeyringLocked" in keep_profile(config, replace(TEAM, name="fourth"), Secret("new"))
    assert "fourth" in config.read_text(), "the profile is there, and its key can be stored later"


def test_without_a_key_store_nothing_of_a_profile_is_kept(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    with pytest.raises(SettingsError, match="no key store that works"):
        keep_profile(config, TEAM, Secret("new"))
    assert not config.exists()


def test_without_a_key_store_there_is_no_key_and_a_clear_error(key_store: KeyStore) -> None:
    key_store.locked = True
    assert revealed(TEAM, {}) is None
    assert not has_key(TEAM)
    with pytest.raises(SettingsError, match="environment variable"):
        store_key("team", Secret("k"))
    with pytest.raises(SettingsError, match="KeyringLocked"):
        delete_key("team")


def test_a_key_store_that_keeps_nothing_is_found_out() -> None:
    assert not has_key_store()
    with pytest.raises(SettingsError, match="no key store that works"):
        store_key("team", Secret("k"))  # the tests' own back end drops everything


def test_a_key_store_that_fails_in_its_own_way_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("no bus")

    monkeypatch.setattr(keyring, "get_keyring", fail)
    assert not has_key_store()


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("sk-1")
    assert "sk-1" not in f"{secret} {secret!r} {[secret]} {vars(type(secret))}"
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)


@pytest.mark.parametrize("copied", ["sk-canary…", "sk-\ncanary", "«sk-canary»"])
def test_a_key_that_was_not_copied_right_is_told_and_not_shown(copied: str) -> None:
    profile = Profile("team", "openai", base_url="https://x.org/v1", api_key_env="TEAM_KEY")
    with pytest.raises(KeyNotSentError, match="characters that keys do not have") as caught:
        find_key(profile, {"TEAM_KEY": copied})
    assert "canary" not in str(caught.value)
