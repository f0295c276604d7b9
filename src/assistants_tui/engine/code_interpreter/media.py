"""Media types of files that code created, by a table that is the same on every machine."""

from __future__ import annotations

from assistants_tui.protocol import file_kinds

OTHER = "application/octet-stream"


def media_type(name: str, start: bytes) -> str:
    """The type of a file by its name; a picture must begin as one, since others will decode it as one."""
    kind = file_kinds.kind_of(name).media_type or OTHER
    return kind if not kind.startswith("image/") or is_image(kind, start) else OTHER


def is_image(kind: str, start: bytes) -> bool:
    """Whether bytes begin like a picture of a type."""
    match kind:
        case "image/png":
            return start.startswith(b"\x89PNG\r\n\x1a\n")
        case "image/jpeg":
            return start.startswith(b"\xff\xd8\xff")
        case "image/gif":
            return start.startswith((b"GIF87a", b"GIF89a"))
        case "image/webp":
            return start[:4] == b"RIFF" and start[8:12] == b"WEBP"
        case "image/svg+xml":
            return b"<svg" in start or start.lstrip().startswith(b"<?xml")
    return False
