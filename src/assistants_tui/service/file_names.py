"""Names of files as a server can take them; names from a server, safe in the user's folder."""

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePath

from assistants_tui.protocol.names import without_control_characters
from assistants_tui.service.safe_text import UNSAFE

_MAX_BYTES = 200
"""Most file systems allow 255 bytes; the rest is for a number and for the `.part` of an unfinished one."""
_MAX_SUFFIX = 20
_FORBIDDEN = re.compile(r'[<>:"|?*/\\]')
_EDGES = re.compile(r"^[\s.]+|[\s.]+$")
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\..*)?", re.IGNORECASE)
"""Names that mean devices on Windows, with any ending
(https://learn.microsoft.com/windows/win32/fileio/naming-a-file)."""


def safe_file_name(name: str, fallback: str = "file") -> str:
    """The last part of `name` without anything that a file system or a terminal would obey.

    It is never empty, hidden, a device, a way out of its folder, or longer than 200 bytes; its ending stays.
    """
    last = re.split(r"[/\\]", name.replace("\0", "").rstrip("/\\"))[-1]
    clean = UNSAFE.sub("", unicodedata.normalize("NFC", last).replace("\n", " ").replace("\t", " "))
    clean = _EDGES.sub("", _FORBIDDEN.sub("_", clean))
    if not clean:
        clean = fallback
    if _DEVICE.fullmatch(clean):
        clean = f"_{clean}"
    return _shortened(clean)


def name_to_send(path: PurePath) -> str:
    """The name of a local file as a server can take it.

    Bytes that are not UTF-8 become U+FFFD, control characters such as line breaks become `_`.
    """
    return without_control_characters(os.fsencode(path.name).decode("utf-8", "replace"))


def numbered(name: str) -> Iterator[str]:
    """`name`, then `name (2)`, `name (3)` and so on, the number before the ending."""
    yield name
    stem, suffix = _split(name)
    for number in range(2, 10_000):
        yield f"{stem} ({number}){suffix}"


def _shortened(name: str) -> str:
    stem, suffix = _split(name)
    room = _MAX_BYTES - len(suffix.encode())
    return _EDGES.sub("", stem.encode()[:room].decode(errors="ignore")) + suffix


def _split(name: str) -> tuple[str, str]:
    """Stem and ending; `.tar.gz` is one ending."""
    match = re.fullmatch(rf"(.+?)((?:\.tar)?\.[^.\s]{{1,{_MAX_SUFFIX}}})", name)
    return (match[1], match[2]) if match else (name, "")
