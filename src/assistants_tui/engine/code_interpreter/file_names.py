"""File names that are safe to create, to show and to send, made of names that may be anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

_MAX_BYTES = 200  # of the 255 that file systems allow, so that a number can be added
_DROPPED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # control, bidi, surrogates, private, breaks
_END = re.compile(r"[\s.]+$")


def safe_name(name: str) -> str:
    """A name without folders, control and invisible characters, leading dots, or more than 200 bytes.

    Ordinary names stay as they are, and a safe name stays itself.
    """
    normal = unicodedata.normalize("NFC", name)
    kept = "".join("_" if _unsafe(character) else character for character in normal).strip()
    if kept.startswith("."):
        kept = "_" + kept[1:]
    return _END.sub("", _shorten(kept, _MAX_BYTES)) or "file"


def safe_names(names: Iterable[str]) -> list[str]:
    """Safe names in the same order, all different even where letter case does not count."""
    taken: set[str] = set()
    result = []
    for name in names:
        candidate = base = PurePosixPath(safe_name(name))
        number = 1
        while str(candidate).casefold() in taken:
            number += 1
            candidate = base.with_name(f"{base.stem} ({number}){base.suffix}")
        taken.add(str(candidate).casefold())
        result.append(str(candidate))
    return result


def _unsafe(character: str) -> bool:
    return character in "/\\" or unicodedata.category(character) in _DROPPED_CATEGORIES


def _shorten(name: str, limit: int) -> str:
    """Cut the stem, not the extension, at a whole character."""
    if len(name.encode()) <= limit:
        return name
    path = PurePosixPath(name)
    suffix = path.suffix if len(path.suffix.encode()) <= 20 else ""
    stem = name[: len(name) - len(suffix)].encode()[: limit - len(suffix.encode())]
    return (stem.decode("utf-8", "ignore").rstrip() or "file") + suffix
