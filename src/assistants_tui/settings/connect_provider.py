"""Connecting a provider of models: what config.toml and the key store then say."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from assistants_tui.settings.config import LOCAL, Profile
from assistants_tui.settings.config_editor import (
    append_profile,
    append_provider,
    change_setting,
    remove_provider,
)
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.new_profile import free_name
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.secrets import Secret, delete_key, require_key_store, store_key


def connect_provider(
    path: Path,
    provider: ProviderSettings,
    profile: Profile,
    key: Secret | None = None,
    *,
    drop_stored: bool = False,
) -> None:
    """Add a provider to the file at `path`, its key to the key store, and let its default model answer.

    `profile`: an embedded one, which may be new. `drop_stored`: remove the key that an earlier provider of
    this name has left in the store. Raises `SettingsError`; the file then has no such provider, and the
    store no `key`.
    """
    if key is not None:
        require_key_store()
    append_provider(path, provider)
    with ExitStack() as undo:
        undo.callback(remove_provider, path, provider.name)
        if key is not None:
            store_key(provider.stored_name, key)
            undo.callback(delete_key, provider.stored_name)
        elif drop_stored:
            delete_key(provider.stored_name)
        if provider.default_model is not None:
            use_model(path, profile, f"{provider.name}/{provider.default_model}")
        undo.pop_all()


def use_model(path: Path, profile: Profile, model: str) -> None:
    """Let a model answer in an embedded profile, which is added to the file if it is not there.

    Raises `SettingsError`.
    """
    if profile.name in load_config(path).config.profiles:
        change_setting(path, ("profiles", profile.name, "default_model"), model)
    else:
        append_profile(path, replace(profile, default_model=model))


def profile_for_models(current: Profile, profiles: Sequence[Profile]) -> Profile:
    """The embedded profile that gets the models: the current one, else the first one, else a new one."""
    for profile in (current, *profiles):
        if profile.kind == "embedded":
            return profile
    return replace(LOCAL, name=free_name(LOCAL.name, [profile.name for profile in profiles]))
