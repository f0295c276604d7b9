"""API keys: from the environment, or from the key store of the system. Never from a file of ours.

The key store (Keychain, Secret Service, Credential Manager) is reached through `keyring`. Its calls can wait
for the user to unlock it: in an event loop, run them in a thread.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal

from assistants_tui.addresses import OPENAI_VARIABLE, not_in_the_clear, only_for_openai
from assistants_tui.settings.config import Profile
from assistants_tui.settings.files import SettingsError

SERVICE = "assistants-tui"
"""The service name under which keys are stored; the user name is the profile's name."""


class Secret:
    """A key. It shows itself to nobody but the caller of `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not written anywhere")


class KeyNotSentError(SettingsError):
    """There is a key, but it is not for the server of this profile. `str` says why and what to do."""


def find_key(profile: Profile, environ: Mapping[str, str] | None = None) -> Secret | None:
    """The key of a profile: from the environment variable that it names, else from the key store.

    None if there is none, or no key store: many servers need no key. White space around it is not part of it.
    Raises `KeyNotSentError`.
    """
    environ = os.environ if environ is None else environ
    key = environment_key(profile, environ) or stored_key(profile.name)
    if key and not profile.allow_plain_http and (why := not_in_the_clear(_address(profile, environ))):
        raise KeyNotSentError(f"{why} {plain_http_advice(profile)}")
    return key


def environment_key(profile: Profile, environ: Mapping[str, str] | None = None) -> Secret | None:
    """The key in the environment variable that a profile names. Raises `KeyNotSentError`."""
    variable = profile.key_variable
    environ = os.environ if environ is None else environ
    value = environ.get(variable, "").strip() if variable else ""
    if not value:
        return None
    url = _address(profile, environ)
    if variable == OPENAI_VARIABLE and url and (why := only_for_openai(url)):
        raise KeyNotSentError(
            f"{why} Put the key of that server into another variable, "
            f"and name that one in `{profile.key_setting}` of [profiles.{profile.name}]."
        )
    return Secret(value)


def _address(profile: Profile, environ: Mapping[str, str]) -> str:
    from_environment = environ.get("AZURE_OPENAI_ENDPOINT", "") if profile.kind == "azure" else ""
    return profile.address or from_environment


def plain_http_advice(profile: Profile) -> str:
    """What to do about a key that is not sent because its way is not encrypted."""
    return (
        f"Use https, or allow it with `allow_plain_http = true` in [profiles.{profile.name}] of config.toml."
    )


def stored_key(profile_name: str) -> Secret | None:
    """The key that the key store has for this name, perhaps since an earlier profile was called so."""
    try:
        stored = _keyring().get_password(SERVICE, profile_name)
    except Exception:  # noqa: BLE001  back ends raise their own kinds; without a store there is no stored key
        return None
    return Secret(stored.strip()) if stored and stored.strip() else None


KeyPlace = Literal["environment", "store", "not sent"]


def key_place(profile: Profile, environ: Mapping[str, str] | None = None) -> KeyPlace | None:
    """Where `find_key` finds the key of a profile; None if there is none, "not sent" where it raises."""
    try:
        if find_key(profile, environ) is None:
            return None
        return "store" if environment_key(profile, environ) is None else "environment"
    except KeyNotSentError:
        return "not sent"


def has_key_store() -> bool:
    """Whether the system has a key store. That one can be reached is certain only when a key is stored."""
    try:
        return float(_keyring().get_keyring().priority) > 0  # those that keep nothing have 0 or less
    except Exception:  # noqa: BLE001  back ends raise their own kinds
        return False


def require_key_store() -> None:
    """Raise `SettingsError`, with advice, if the system has no key store."""
    if not has_key_store():
        raise SettingsError(_no_store(None))


def has_key(profile: Profile) -> bool:
    """Whether the profile has a key. Raises `KeyNotSentError`."""
    return find_key(profile) is not None


def store_key(profile_name: str, key: Secret) -> None:
    """Put a key into the key store. Raises `SettingsError` if the system has none that works."""
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, profile_name, key.reveal())
        stored = keyring.get_password(SERVICE, profile_name)
    except Exception as error:  # noqa: BLE001  back ends raise their own kinds
        raise SettingsError(_no_store(error)) from None
    if stored != key.reveal():  # a back end that keeps nothing says nothing either
        raise SettingsError(_no_store(None))


def delete_key(profile_name: str) -> None:
    """Take a key out of the key store; no error if it is not there. Raises `SettingsError` if that fails."""
    keyring = _keyring()
    try:
        if keyring.get_password(SERVICE, profile_name) is not None:
            keyring.delete_password(SERVICE, profile_name)
    except Exception as error:  # noqa: BLE001  back ends raise their own kinds
        raise SettingsError(_no_store(error)) from None


def _no_store(error: Exception | None) -> str:
    reason = f" ({type(error).__name__})" if error else ""
    return (
        f"The system has no key store that works{reason}. Put the key into an environment variable instead, "
        "and name that in the profile's `api_key_env`."
    )


def _keyring() -> Any:
    import keyring  # looks for back ends when imported, which takes a while

    return keyring
