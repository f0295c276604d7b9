"""A thread as a document: what it holds, and in which order it happened."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Literal

from assistants_tui.protocol.objects import Json, Message, Run, RunStep, Thread
from assistants_tui.service import message_text, times
from assistants_tui.service.safe_text import clean

Format = Literal["markdown", "html", "json"]
SUFFIXES: Mapping[Format, str] = {"markdown": ".md", "html": ".html", "json": ".json"}

_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


@dataclass(frozen=True, slots=True)
class Document:
    """A thread with all that an export shows of it."""

    title: str
    profile: str
    exported_at: int
    """Unix seconds."""
    thread: Thread
    messages: Sequence[Message]
    """Oldest first."""
    runs: Sequence[tuple[Run, Sequence[RunStep]]] = ()
    """The runs with their steps, oldest first."""
    assistants: Mapping[str, str] = field(default_factory=dict)
    """Names by ID."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Names by ID."""
    images: Mapping[str, bytes] = field(default_factory=dict)
    """What the pictures in messages and steps hold, by file ID."""

    def author(self, message: Message) -> str:
        """Who wrote a message."""
        if message["role"] == "user":
            return "You"
        return message_text.assistant_name(message.get("assistant_id"), self.assistants)

    def file_name(self, file_id: str) -> str:
        """The name of a file, or its ID."""
        return self.files.get(file_id) or file_id

    def note_name(self, note: message_text.Footnote) -> str:
        """What a footnote refers to."""
        return self.file_name(note.file_id) if note.name == note.file_id else note.name


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened in the thread: one of the three."""

    message: Message | None = None
    step: RunStep | None = None
    ended: Run | None = None
    """A run that ended without a whole answer."""


def entries(document: Document) -> Iterator[Entry]:
    """Messages, and the tool calls between them, in the order in which they happened.

    A run that ended without a whole answer comes after what it wrote, for its error.
    """
    last_of_run = {message.get("run_id"): message["id"] for message in document.messages}
    waiting = {run["id"]: (run, deque(steps)) for run, steps in document.runs}
    silent = deque(run for run, _ in document.runs if run["id"] not in last_of_run)
    for message in document.messages:
        while silent and silent[0].get("created_at", 0) <= message.get("created_at", 0):
            yield from _rest(*waiting.pop(silent.popleft()["id"]))
        run_id = message.get("run_id") or ""
        steps = waiting[run_id][1] if run_id in waiting else deque[RunStep]()
        while steps:
            step = steps.popleft()
            if _creates(step, message["id"]):
                break
            if step.get("type") != "message_creation":
                yield Entry(step=step)
        yield Entry(message)
        if run_id in waiting and last_of_run[run_id] == message["id"]:
            yield from _rest(*waiting.pop(run_id))
    for run, steps in waiting.values():
        yield from _rest(run, steps)


def _rest(run: Run, steps: Iterable[RunStep]) -> Iterator[Entry]:
    for step in steps:
        if step.get("type") != "message_creation":
            yield Entry(step=step)
    if run_error(run):
        yield Entry(ended=run)


def _creates(step: RunStep, message_id: str) -> bool:
    creation = step["step_details"].get("message_creation") or {}
    return bool(creation.get("message_id") == message_id)


def run_error(run: Run) -> str:
    """Why a run gave no whole answer; empty if it did."""
    if run.get("status") in {"completed", "in_progress", "queued", "requires_action"}:
        return ""
    error: Json = dict(run.get("last_error") or {})
    reason = error.get("message") or (run.get("incomplete_details") or {}).get("reason") or ""
    return f"The run is {run.get('status')}. {reason}".strip()


def calls(step: RunStep) -> Iterator[tuple[str, Json]]:
    """The tool calls of a step: the name of the tool, and what it was given and gave."""
    for call in step["step_details"].get("tool_calls") or ():
        kind = str(call.get("type") or "tool")
        inner = call.get(kind)
        yield kind, inner if isinstance(inner, dict) else {}


def when(timestamp: int | None) -> str:
    """A time in words, in UTC: a document is read anywhere."""
    words = times.when(timestamp, zone=UTC)
    return f"{words} UTC" if words else ""


def picture_type(data: bytes) -> str | None:
    """The media type of a picture that a document may hold; None for anything else."""
    for start, kind in _PICTURES:
        if data.startswith(start):
            return kind
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def line(text: str) -> str:
    """A name from outside as part of one line, without control characters."""
    return clean(" ".join(text.split()))
