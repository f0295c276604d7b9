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
from assistants_tui.settings.provider_settings import ProviderSettings

SERVICE = "assistants-tui"
"""The service name under which keys are stored; the user name is `stored_name` of their owner."""

KeyOwner = Profile | ProviderSettings
"""Whose key it is: each key goes to the server of its owner alone."""


class Secret:
    """A key. It shows itself to nobody but the caller of `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    @property
    def is_sendable(self) -> bool:
        """Whether a request can carry it: a key that was copied with what stands around it may not be."""
        return self._value.isascii() and self._value.isprintable()

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not written anywhere")


class KeyNotSentError(SettingsError):
    """There is a key, but it is not for the server of this profile, or is none. `str` says what to do."""


NOT_SENDABLE = "The key has characters that keys do not have. Copy it again, without what stands around it."
"""What is said of a key that is not `is_sendable`."""


def find_key(owner: KeyOwner, environ: Mapping[str, str] | None = None) -> Secret | None:
    """The key of its owner: from the environment variable that it names, else from the key store.

    None if there is none, or no key store: many servers need no key. White space around it is not part of it.
    Raises `KeyNotSentError`.
    """
    environ = os.environ if environ is None else environ
    key = environment_key(owner, environ) or stored_key(owner.stored_name)
    if key and not key.is_sendable:
        raise KeyNotSentError(NOT_SENDABLE)
    if key and not owner.allow_plain_http and (why := not_in_the_clear(_address(owner, environ))):
        raise KeyNotSentError(f"{why} {plain_http_advice(owner)}")
    return key


def environment_key(owner: KeyOwner, environ: Mapping[str, str] | None = None) -> Secret | None:
    """The key in the environment variable that its owner names. Raises `KeyNotSentError`."""
    variable = owner.key_variable
    environ = os.environ if environ is None else environ
    value = environ.get(variable, "").strip() if variable else ""
    if not value:
        return None
    url = _address(owner, environ)
    if variable == OPENAI_VARIABLE and url and (why := only_for_openai(url)):
        raise KeyNotSentError(
            f"{why} Put the key of that server into another variable, "
            f"and name that one in `{owner.key_setting}` of [{owner.table}]."
        )
    return Secret(value)


def _address(owner: KeyOwner, environ: Mapping[str, str]) -> str:
    from_environment = environ.get("AZURE_OPENAI_ENDPOINT", "") if owner.kind == "azure" else ""
    return owner.address or from_environment


def declared_headers(provider: ProviderSettings, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers of a provider with the values of the environment, without those whose variable is not set.

    They may be keys, and go to the server of the provider alone.
    """
    environ = os.environ if environ is None else environ
    values = {
        name: environ.get(text[1:], "").strip() if text.startswith("$") else text
        for name, text in provider.headers.items()
    }
    return {name: value for name, value in values.items() if value}


def plain_http_advice(owner: KeyOwner) -> str:
    """What to do about a key that is not sent because its way is not encrypted."""
    return f"Use https, or allow it with `allow_plain_http = true` in [{owner.table}] of config.toml."


def stored_key(name: str) -> Secret | None:
    """The key that the key store has for this name, perhaps since an earlier owner was called so."""
    try:
        stored = _keyring().get_password(SERVICE, name)
    except Exception:  # noqa: BLE001  back ends raise their own kinds; without a store there is no stored key
        return None
    return Secret(stored.strip()) if stored and stored.strip() else None


KeyPlace = Literal["environment", "store", "not sent"]


def key_place(owner: KeyOwner, environ: Mapping[str, str] | None = None) -> KeyPlace | None:
    """Where `find_key` finds a key; None if there is none, "not sent" where it raises."""
    try:
        if find_key(owner, environ) is None:
            return None
        return "store" if environment_key(owner, environ) is None else "environment"
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


def has_key(owner: KeyOwner) -> bool:
    """Whether there is a key. Raises `KeyNotSentError`."""
    return find_key(owner) is not None


def store_key(name: str, key: Secret) -> None:
    """Put a key into the key store. Raises `SettingsError` if the system has none that works."""
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, name, key.reveal())
        stored = keyring.get_password(SERVICE, name)
    except Exception as error:  # noqa: BLE001  back ends raise their own kinds
        raise SettingsError(_no_store(error)) from None
    if stored != key.reveal():  # a back end that keeps nothing says nothing either
        raise SettingsError(_no_store(None))


def delete_key(name: str) -> None:
    """Take a key out of the key store; no error if it is not there. Raises `SettingsError` if that fails."""
    keyring = _keyring()
    try:
        if keyring.get_password(SERVICE, name) is not None:
            keyring.delete_password(SERVICE, name)
    except Exception as error:  # noqa: BLE001  back ends raise their own kinds
        raise SettingsError(_no_store(error)) from None


def _no_store(error: Exception | None) -> str:
    reason = f" ({type(error).__name__})" if error else ""
    return (
        f"The system has no key store that works{reason}. Put the key into an environment variable instead, "
        "and name that in config.toml."
    )


def _keyring() -> Any:
    import keyring  # looks for back ends when imported, which takes a while

    return keyring
