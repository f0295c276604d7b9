"""Files on this machine as the user names them: typed, completed, pasted or dropped."""

import re
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.files import SettingsError, private_directory

_MAX_PASTED = 8192
"""Characters that a paste of paths has at most; more is a text."""
_MAX_ENTRIES = 2000
"""Entries of a folder that are listed; the rest is found by typing the beginning of a name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder."""

    path: Path
    is_folder: bool
    size: int
    """In bytes; 0 for folders."""


def expanded(text: str, folder: Path) -> Path:
    """What the user means by a path: `~` is the home, relative paths begin in `folder`."""
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # no such user
        path = Path(text)
    return path if path.is_absolute() else folder / path


def matching(text: str, folder: Path) -> list[Entry]:
    """What a half-typed path may become: folders first, by name. Hidden ones only if their dot is typed.

    Blocks on the disk. A folder that cannot be read is empty.
    """
    path = expanded(text, folder)
    where, begins = (path, "") if not text or text.endswith("/") else (path.parent, path.name)
    found: list[Entry] = []
    try:
        for entry in where.iterdir():
            if entry.name.startswith(".") and not begins.startswith("."):
                continue
            if entry.name.casefold().startswith(begins.casefold()):
                found.append(_entry(entry))
                if len(found) >= _MAX_ENTRIES:
                    break
    except (OSError, ValueError):
        return []
    return sorted(found, key=lambda entry: (not entry.is_folder, entry.path.name.casefold()))


def pasted_paths(text: str) -> Sequence[Path]:
    """The files that a pasted text consists of, and nothing else; none if it is any other text.

    Terminals paste dropped files as absolute paths, quoted or with backslashes, one after the other, or as
    `file:` addresses. Looks at the disk.
    """
    text = text.strip()
    if not text or len(text) > _MAX_PASTED or not re.match(r"""['"]?(/|~/|file://)|['"]?[A-Za-z]:\\""", text):
        return ()
    whole = _local(text)
    if whole is not None:
        return (whole,)
    try:
        words = [word for line in text.splitlines() for word in shlex.split(line)]
    except ValueError:
        return ()
    paths = [_local(word) for word in words]
    return [path for path in paths if path is not None] if paths and None not in paths else ()


def keep_paste(folder: Path, text: str) -> Path:
    """Write a pasted text into a new private file. Blocks on the disk; raises `ServiceError`."""
    try:
        private_directory(folder)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", errors="replace", dir=folder, prefix="pasted-", suffix=".txt", delete=False
        ) as file:
            file.write(text)
        return Path(file.name)
    except (OSError, SettingsError) as error:
        raise ServiceError(f"The pasted text cannot be kept: {error}.", kind="settings") from error


def size_words(size: int) -> str:
    """A number of bytes in words."""
    number, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"


def _entry(path: Path) -> Entry:
    try:
        is_folder = path.is_dir()
        return Entry(path, is_folder, 0 if is_folder else path.stat().st_size)
    except OSError:  # a link to nowhere
        return Entry(path, False, 0)


def _local(text: str) -> Path | None:
    """The file that a text names; None if there is none."""
    if text.startswith("file://"):
        address = urlsplit(text)
        if address.netloc not in {"", "localhost"}:
            return None
        text = unquote(address.path)
    try:
        path = Path(text).expanduser()
        return path if path.is_absolute() and path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


def short_path(path: Path) -> str:
    """A path with `~` for the user's home."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
