"""What the tools of MCP servers answer, as text: a function's output in the API has nothing else."""

import base64
import binascii
import json
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from assistants_tui.service.file_names import numbered, safe_file_name
from assistants_tui.service.local_paths import short_path, size_words
from assistants_tui.settings.files import private_directory

if TYPE_CHECKING:
    from mcp.types import CallToolResult

MAX_FILES = 20
"""Images and other files of one result that are kept."""
MAX_BYTES = 20 * 1024 * 1024
"""The largest of them."""

Keep = Callable[[str, str, bytes], str]
"""Keeps a file, given its name, media type and bytes; returns the words for where it is."""


def result_text(result: "CallToolResult", keep: Keep) -> str:
    """The texts of a result in order, and in place of other things what they are and where they are kept."""
    parts: list[str] = []
    kept = 0
    for block in result.content:
        if block.type == "text":
            parts.append(block.text)
        elif block.type == "resource_link":
            facts = [block.title or block.name, block.uri, block.mime_type, block.description]
            parts.append(f"[resource: {', '.join(str(fact) for fact in facts if fact)}]")
        elif block.type == "resource" and isinstance(text := getattr(block.resource, "text", None), str):
            parts.append(f"[resource: {block.resource.uri}]\n{text}")
        else:
            name, media_type, data = _file(block)
            kept += 1
            where = keep(name, media_type, data) if kept <= MAX_FILES else "not kept: there are too many"
            parts.append(f"[{media_type}, {size_words(len(data))}, {where}]")
    if not parts and result.structured_content is not None:
        parts.append(json.dumps(result.structured_content, ensure_ascii=False))
    return "\n".join(parts)


def keep_in(folder: Path | None, server: str) -> Keep:
    """Keeps files in a folder under names that are free. Blocks on the disk."""

    def keep(name: str, media_type: str, data: bytes) -> str:
        if folder is None or not data:
            return "not kept"
        if len(data) > MAX_BYTES:
            return f"not kept: it is larger than {size_words(MAX_BYTES)}"
        suffix = mimetypes.guess_extension(media_type) or ".bin"
        wanted = safe_file_name(name or f"{server}{suffix}")
        try:
            private_directory(folder)
            for free in numbered(wanted):
                try:
                    with (folder / free).open("xb") as file:
                        file.write(data)
                except FileExistsError:
                    continue
                return f"saved as {short_path(folder / free)}"
        except OSError as error:
            return f"not kept: {error.strerror}"
        return "not kept: every name for it is taken"

    return keep


def _file(block: object) -> tuple[str, str, bytes]:
    """Name, media type and bytes of an image, a sound or an embedded file."""
    holder = getattr(block, "resource", block)
    media_type = getattr(holder, "mime_type", None) or "application/octet-stream"
    coded = getattr(holder, "data", None) or getattr(holder, "blob", None) or ""
    try:
        data = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    name = str(getattr(holder, "uri", "")).rpartition("/")[2]
    return name, media_type, data
