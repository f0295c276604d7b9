"""What a file looks like before it is opened: text, a table, a picture, or nothing that can be shown.

The bytes decide, not the name alone: a name is only what somebody called it.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

MAX_TEXT = 200_000
"""Bytes of a text that are shown."""
MAX_PICTURE = 20 * 1024**2
"""Bytes of a picture that is shown."""
MAX_ROWS = 1000
MAX_COLUMNS = 60
MAX_CELL = 200
"""Characters of a cell of a table."""

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM")
_TABLES = {".csv": ",", ".tsv": "\t"}
_LANGUAGES = {
    ".py": "python", ".json": "json", ".js": "javascript", ".ts": "typescript", ".sh": "bash", ".sql": "sql",
    ".html": "html", ".css": "css", ".xml": "xml", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml",
    ".c": "c", ".cpp": "cpp", ".cs": "csharp", ".go": "go", ".java": "java", ".php": "php", ".rb": "ruby",
    ".rs": "rust", ".tex": "latex", ".diff": "diff", ".svg": "xml",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What can be shown of a file."""

    kind: Literal["text", "markdown", "table", "picture", "nothing"]
    text: str = ""
    language: str = ""
    """Of code, as the names of code blocks have it."""
    rows: Sequence[Sequence[str]] = ()
    """Of a table; the first one is its head."""
    data: bytes = b""
    """Of a picture, undecoded."""
    note: str = ""
    """What is missing, or why nothing is shown."""


def wanted_bytes(name: str) -> int:
    """How many bytes of a file `preview` can use."""
    suffix = PurePath(name).suffix.lower()
    return MAX_TEXT if suffix in _TABLES or suffix in _LANGUAGES or suffix in {".txt", ".md"} else MAX_PICTURE


def preview(name: str, data: bytes, total: int | None) -> Preview:
    """Show the beginning of a file. `data` may be cut; `total` is the size of the whole, if it is known."""
    cut = total is not None and total > len(data)
    if not data:
        return Preview("nothing", note="The file is empty.")
    if data.startswith(_PICTURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        if cut:
            return Preview("nothing", note="The picture is too large to be shown here.")
        return Preview("picture", data=data)
    text = _text(data[:MAX_TEXT])
    if not text:
        return Preview("nothing", note="This kind of file cannot be shown here.")
    note = f"Only the first {MAX_TEXT // 1000} kB are shown." if cut or len(data) > MAX_TEXT else ""
    suffix = PurePath(name).suffix.lower()
    if suffix in _TABLES:
        return _table(text, _TABLES[suffix], note)
    kind: Literal["markdown", "text"] = "markdown" if suffix in {".md", ".markdown"} else "text"
    return Preview(kind, text, _LANGUAGES.get(suffix, ""), note=note)


def _text(data: bytes) -> str | None:
    """The bytes as text, the last character perhaps missing; None if they are none."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    if encoding != "utf-16" and b"\0" in data:
        return None
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.reason in {"unexpected end of data", "truncated data"}:  # cut within a character
            return data[: error.start].decode(encoding)
    if encoding == "utf-16":
        return None
    legacy = data.decode("latin-1")
    strange = sum(character < " " and character not in "\t\r\n\f" for character in legacy)
    return legacy if strange == 0 else None


def _table(text: str, delimiter: str, note: str) -> Preview:
    first = text.split("\n", 1)[0]
    if delimiter == "," and first.count(";") > first.count(","):
        delimiter = ";"  # what spreadsheets write where the comma is in numbers
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(rows) > MAX_ROWS:
                note = f"Only the first {MAX_ROWS:,} rows are shown."
                break
            rows.append([cell[:MAX_CELL] for cell in row[:MAX_COLUMNS]])
    except csv.Error:
        return Preview("text", text, note=note)
    rows = [row for row in rows if row]
    width = max(map(len, rows), default=0)
    if not width:
        return Preview("nothing", note="The table is empty.")
    return Preview("table", rows=[[*row, *[""] * (width - len(row))] for row in rows], note=note)
