"""A profile or a provider of models from the texts of a form, by the same rules as from config.toml."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from assistants_tui.addresses import without_operation
from assistants_tui.settings.config import PROFILE_NAME, SERVER_NAME, Profile, ProfileKind
from assistants_tui.settings.config_editor import append_profile
from assistants_tui.settings.config_reader import wrong_key_variable
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.secrets import Secret, delete_key, require_key_store, store_key
from assistants_tui.settings.setting_fields import Declaration, declared, for_kind

_LONGEST_NAME = 32
"""Of a provider. Names of profiles may be longer, but need not be where they are only suggested."""


class ProfileFieldsError(ValueError):
    """What was entered makes no profile. `problems` has a sentence for each field that is wrong."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def new_profile(
    name: str, kind: ProfileKind, texts: Mapping[str, str], *, taken: Collection[str] = ()
) -> Profile:
    """The profile that the texts describe; empty ones count as not given. `taken` are names of others.

    `token_command` is split into words as a shell would. Raises `ProfileFieldsError`.
    """
    values, problems = _values(for_kind(Profile, kind), texts)
    if not re.fullmatch(PROFILE_NAME, name):
        problems["name"] = "1 to 64 letters, digits, “-” and “_”, a letter or digit first."
    elif name in taken:
        problems["name"] = _taken("profile", name, taken)
    if not problems:
        profile = Profile(name=name, kind=kind, **values)
        problems = wrong_key_variable(profile)
    if problems:
        raise ProfileFieldsError(problems)
    return profile


def new_provider(name: str, texts: Mapping[str, str], *, taken: Collection[str] = ()) -> ProviderSettings:
    """As `new_profile`, a provider of models."""
    values, problems = _values(declared(ProviderSettings), texts)
    if not re.fullmatch(SERVER_NAME, name):
        problems["name"] = "1 to 32 letters, digits, “-” and “_”, a letter or digit first."
    elif name in taken:
        problems["name"] = _taken("provider", name, taken)
    if not problems:
        provider = ProviderSettings(name=name, **values)
        problems = wrong_key_variable(provider)
    if problems:
        raise ProfileFieldsError(problems)
    return provider


def _values(
    settings: Mapping[str, Declaration], texts: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of the settings that have a text, and a sentence for each one that is wrong."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for key, setting in settings.items():
        if key == "kind":
            continue
        if not (text := texts.get(key, "").strip()):
            if setting.required:
                problems[key] = "This has to be filled in."
            continue
        try:
            address = key in {"model_url", "base_url", "url"}
            value = setting.type.parse(without_operation(text) if address else text)
        except ValueError as error:
            problems[key] = f"It must be {error}."
        else:
            values[key] = setting.type.read(value)
    return values, problems


def _taken(what: str, name: str, taken: Collection[str]) -> str:
    return f"There is a {what} “{name}” already. “{free_name(name, taken)}” is free."


def free_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or with the first number that makes it free, at most as long as a name may be."""
    number = 1
    name = wanted
    while name in taken:
        number += 1
        end = f"-{number}"
        name = f"{wanted[: _LONGEST_NAME - len(end)]}{end}"
    return name


def keep_profile(path: Path, profile: Profile, key: Secret | None, *, drop_stored: bool = False) -> str:
    """Add a profile to the file at `path`, and only then its key to the key store.

    `drop_stored`: remove the key that an earlier profile of this name has left there. Returns why the key
    store did not do its part, "" if it did. Raises `SettingsError` if nothing was done: the name is taken,
    and its key with it; there is no key store; the file cannot be written.
    """
    if key is not None:
        require_key_store()
    append_profile(path, profile)
    try:
        if key is not None:
            store_key(profile.name, key)
        elif drop_stored:
            delete_key(profile.name)
    except SettingsError as error:
        return str(error)
    return ""
