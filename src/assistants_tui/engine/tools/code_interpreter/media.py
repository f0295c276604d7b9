"""Media types of files that code created, by a table that is the same on every machine."""

from __future__ import annotations

from pathlib import PurePosixPath

OTHER = "application/octet-stream"

_BY_SUFFIX = {
    ".c": "text/x-c",
    ".cpp": "text/x-c++",
    ".csv": "text/csv",
    ".css": "text/css",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".gif": "image/gif",
    ".html": "text/html",
    ".java": "text/x-java",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".php": "text/x-php",
    ".pkl": OTHER,
    ".png": "image/png",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".py": "text/x-python",
    ".rb": "text/x-ruby",
    ".svg": "image/svg+xml",
    ".tar": "application/x-tar",
    ".tex": "text/x-tex",
    ".ts": "application/typescript",
    ".txt": "text/plain",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
    ".zip": "application/zip",
}


def media_type(name: str, start: bytes) -> str:
    """The type of a file by its name; a picture must begin as one, since others will decode it as one."""
    kind = _BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), OTHER)
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
