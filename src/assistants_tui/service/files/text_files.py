"""Text files that the user names: read and written with errors that say what to do."""

import asyncio
from pathlib import Path

from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.files import private_directory

MAX_BYTES = 16 * 1024 * 1024
"""Larger files are not read: nothing that is read as text comes near."""


async def read_text(path: str) -> str:
    """The text of a file; `~` is the home directory. Raises `ServiceError`."""
    return await asyncio.to_thread(_read, path)


async def write_text(path: str, text: str, *, replace: bool = False) -> Path:
    """Write a file and return where it lies. Raises `FileExistsError` unless it may be replaced, and
    `ServiceError` for whatever else keeps it from being written."""
    return await asyncio.to_thread(_write, path, text, replace)


def _read(name: str) -> str:
    try:
        path = Path(name).expanduser()
        if not path.is_file():
            raise _refusal(f"{name} is no file." if path.exists() else f"There is no file {name}.")
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(f"{name} is larger than {MAX_BYTES // 1024**2} MB.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _refusal(f"{name} is not text in UTF-8.") from None
    except (OSError, RuntimeError, ValueError) as error:  # no such home directory; a null byte in the name
        raise _refusal(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _write(name: str, text: str, replace: bool) -> Path:
    try:
        path = Path(name).expanduser()
        private_directory(path.parent)
        path.touch(mode=0o600, exist_ok=replace)
        path.write_text(text, encoding="utf-8", newline="\n")
        return path
    except FileExistsError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise _refusal(f"{name} cannot be written: {getattr(error, 'strerror', None) or error}.") from None


def _refusal(what: str) -> ServiceError:
    return ServiceError(what, "Choose another file.", kind="settings", no_effect=True)
