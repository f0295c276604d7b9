"""API keys: whose a request is.

A key file has one key per line, as `owner: key` or as a key alone, whose owner is then made from its digest.
Empty lines and lines that begin with `#` do not count. Several keys may have one owner.
"""

import hashlib
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from assistants_tui.engine.http.errors import ApiError
from assistants_tui.engine.store import api_keys
from assistants_tui.engine.store.clock import Clock
from assistants_tui.engine.store.database import Database

LOCAL_OWNER = "local"
"""Who owns everything where no keys are asked for."""

_LINE = re.compile(r"(?:(?P<owner>[\w.@-]{1,64}):\s*)?(?P<key>[!-~]{8,})")
_RECORD_SECONDS = 60  # how exact the time of a key's last use is


class KeyFileError(Exception):
    """A key file that cannot be used, and what to do about it. Never names a key."""


class Keys:
    """The keys that are accepted, by their digest; without any, every request is the local owner's."""

    def __init__(self, api_keys: Mapping[str, str] | Path | None, clock: Clock) -> None:
        """Raises `KeyFileError`."""
        keys = read_key_file(api_keys) if isinstance(api_keys, Path) else api_keys
        self._owners = None if keys is None else {_digest(key): owner for key, owner in keys.items()}
        self._clock = clock
        self._recorded: dict[str, float] = {}

    @property
    def required(self) -> bool:
        """Whether requests without a key are refused."""
        return self._owners is not None

    async def owner(self, key: str | None, database: Database) -> str:
        """Whose the key is, its use recorded. Raises `ApiError` with status 401."""
        if self._owners is None:
            return LOCAL_OWNER
        if not key:
            raise ApiError(
                401,
                "You didn't provide an API key. Send it in an Authorization header using Bearer auth "
                "(Authorization: Bearer YOUR_KEY).",
                headers={"www-authenticate": "Bearer"},
            )
        digest = _digest(key)
        owner = self._owners.get(digest)
        if owner is None:
            raise ApiError(
                401,
                "Incorrect API key provided. Ask whoever runs this server for a valid one.",
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )
        now = self._clock.time()
        if not now - _RECORD_SECONDS < self._recorded.get(digest, float("-inf")) <= now:
            self._recorded[digest] = now
            async with database.write() as connection:
                await api_keys.record_use(connection, digest, owner, int(now))
        return owner


def read_key_file(path: Path) -> dict[str, str]:
    """The keys in a file and their owners. Raises `KeyFileError`."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"The key file {path} cannot be read: {error}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(
            f"The key file {path} is open to other users of this machine. Close it with: chmod 600 {path}"
        )
    keys: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None or match["key"] in keys:
            raise KeyFileError(
                f"Line {number} of the key file {path} is not a new key. Write one key per line, as "
                "'owner: key' or alone; a key has 8 or more printable characters and no spaces."
            )
        keys[match["key"]] = match["owner"] or f"key-{_digest(match['key'])[:12]}"
    if not keys:
        raise KeyFileError(
            f"The key file {path} has no keys. Write one key per line, as 'owner: key' or alone."
        )
    return keys


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
