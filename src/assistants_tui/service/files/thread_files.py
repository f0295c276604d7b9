"""The files of a thread: what was attached to its messages, made by code, or cited."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assistants_tui.protocol.objects import Json, Message, RunStep
from assistants_tui.service.runs.state import RunState

Origin = Literal["attached", "produced", "cited"]
_RANK: dict[Origin, int] = {"produced": 0, "attached": 1, "cited": 2}


@dataclass(frozen=True, slots=True)
class ThreadFile:
    """A file, and how it came into the thread."""

    file_id: str
    origin: Origin
    name: str = ""
    """What the thread calls it, where it says so; the file itself has the name that counts."""


def thread_files(messages: Iterable[Message], runs: Iterable[RunState]) -> list[ThreadFile]:
    """Every file once, in the order in which the thread first names it."""
    found: dict[str, ThreadFile] = {}
    seen = [one for message in messages for one in _of_message(message)]
    seen += [one for state in runs for step in state.steps.values() for one in _of_step(step)]
    for one in seen:
        known = found.get(one.file_id)
        if known is None:
            found[one.file_id] = one
        elif _RANK[one.origin] < _RANK[known.origin] or (one.name and not known.name):
            origin = min(one.origin, known.origin, key=_RANK.__getitem__)
            found[one.file_id] = ThreadFile(one.file_id, origin, known.name or one.name)
    return list(found.values())


def _of_message(message: Message) -> Iterator[ThreadFile]:
    origin: Origin = "attached" if message["role"] == "user" else "produced"
    for attachment in message.get("attachments") or ():
        if file_id := attachment.get("file_id"):
            yield ThreadFile(file_id, origin)
    for part in message["content"]:
        if file_id := _file_id(part.get("image_file")):
            yield ThreadFile(file_id, origin)
        text: Json = dict(part.get("text") or {})
        for annotation in text.get("annotations") or ():
            if file_id := _file_id(annotation.get("file_path")):
                yield ThreadFile(file_id, "produced", str(annotation.get("text", "")).rpartition("/")[2])
            elif file_id := _file_id(annotation.get("file_citation")):
                yield ThreadFile(file_id, "cited")


def _of_step(step: RunStep) -> Iterator[ThreadFile]:
    for call in step["step_details"].get("tool_calls") or ():
        code: Mapping[str, Any] = call.get("code_interpreter") or {}  # of a live step it may lack anything
        for output in code.get("outputs") or ():
            if file_id := _file_id(output.get("image")):
                yield ThreadFile(file_id, "produced")


def _file_id(holder: Mapping[str, object] | None) -> str:
    file_id = holder.get("file_id") if isinstance(holder, Mapping) else None
    return file_id if isinstance(file_id, str) else ""
