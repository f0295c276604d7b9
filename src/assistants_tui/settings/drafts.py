"""drafts/: what was written and not sent, a JSON file for each thread: typing writes that one alone."""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assistants_tui.settings.files import locked, write_atomic, writing

NAME = "drafts"
MAX_DRAFTS = 1_000
"""Of all profiles; the oldest are forgotten first."""
MAX_DRAFT_CHARS = 1_000_000
"""A draft may be several messages that did not go out, each of up to 256,000 characters; the rest is cut."""


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file that goes with a draft: one on this machine, or one that the server has already."""

    name: str
    path: str | None = None
    file_id: str | None = None
    use: str | None = None
    """What the user wants to be done with it."""
    pasted: bool = False
    """The program wrote it to keep a long text that was pasted."""


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """What was written and not sent."""

    text: str = ""
    files: tuple[DraftFile, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.text.strip() and not self.files


def load_draft(folder: Path, profile: str, thread_id: str) -> KeptDraft:
    """The draft of a thread; "" stands for the new thread. Reads one small file; nothing raises."""
    try:
        value = json.loads(_file(folder, profile, thread_id).read_bytes())
    except (OSError, ValueError, RecursionError):
        return KeptDraft()
    return parsed_draft(value)


def save_draft(folder: Path, profile: str, thread_id: str, draft: KeptDraft) -> None:
    """Remember what is written in a thread, up to `MAX_DRAFT_CHARS`; an empty draft is forgotten.

    Blocks on the disk. Raises `SettingsError` if it cannot be written.
    """
    file = _file(folder, profile, thread_id)
    if draft.empty:
        with writing(file):
            file.unlink(missing_ok=True)
        return
    table = {"text": draft.text[:MAX_DRAFT_CHARS], "files": [asdict(one) for one in draft.files]}
    with locked(folder):
        new = not file.exists()
        write_atomic(file, json.dumps(table).encode())
        if new:
            _forget_the_oldest(folder)


def parsed_draft(value: object) -> KeptDraft:
    """A draft as its file has it, as far as it makes sense: a text alone, or a table with text and files."""
    table: Mapping[str, Any] = {"text": value} if isinstance(value, str) else _dict(value)
    files = table.get("files")
    found = [file for entry in (files if isinstance(files, list) else ()) if (file := _draft_file(entry))]
    return KeptDraft(_text(table.get("text")) or "", tuple(found))


def _draft_file(value: object) -> DraftFile | None:
    table = _dict(value)
    name, path, file_id = (_text(table.get(key)) for key in ("name", "path", "file_id"))
    if name is None or (path is None and file_id is None):
        return None
    return DraftFile(name, path, file_id, _text(table.get("use")), table.get("pasted") is True)


def _file(folder: Path, profile: str, thread_id: str) -> Path:
    """An ID is whatever its server made it, so it is no file name."""
    digest = hashlib.sha256(f"{profile}/{thread_id}".encode(errors="surrogatepass")).hexdigest()
    return folder / f"{digest[:32]}.json"


def _forget_the_oldest(folder: Path) -> None:
    with contextlib.suppress(OSError):  # another window may have been faster
        files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-MAX_DRAFTS]:
            file.unlink(missing_ok=True)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
