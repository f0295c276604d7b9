"""Files that go with a message: which tools may read them, and how the message carries them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from assistants_tui.protocol import file_kinds
from assistants_tui.protocol.objects import Assistant, Attachment, FileObject, Json, Tool


class Use(Enum):
    """What happens to a file of a message. The values are the words to show."""

    TEXT = "as text"
    """Its text becomes part of the message."""
    PICTURE = "as picture"
    """The model looks at it."""
    SEARCH = "for file search"
    CODE = "for code"
    BOTH = "for search and code"


_TOOLS: dict[Use, tuple[str, ...]] = {
    Use.SEARCH: ("file_search",),
    Use.CODE: ("code_interpreter",),
    Use.BOTH: ("file_search", "code_interpreter"),
}


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that goes with a message: one on this machine, or one that the server has already."""

    name: str
    path: Path | None = None
    file_id: str | None = None
    use: Use | None = None
    """What the user wants; None: whatever fits the assistant best."""
    pasted: bool = False
    """We wrote the file to keep a long text that was pasted; it is removed when the message is sent."""


def uses(name: str, assistant: Assistant | None, *, pasted: bool = False) -> Sequence[Use]:
    """What can be done with a file, the best first; uses without a tool of the assistant come last."""
    tools = _tool_types(assistant)
    kind = file_kinds.kind_of(name)
    searchable = kind.searchable
    found: list[Use] = []
    if pasted:
        found.append(Use.TEXT)
    if kind.image:
        found.append(Use.PICTURE)
    if searchable and tools >= {"file_search", "code_interpreter"}:
        found.append(Use.BOTH)
    if searchable and "file_search" in tools:
        found.append(Use.SEARCH)
    if "code_interpreter" in tools:
        found.append(Use.CODE)
    others = (Use.CODE, Use.SEARCH) if searchable else (Use.CODE,)
    return [*found, *(use for use in others if use not in found)]


def chosen_use(file: AttachedFile, assistant: Assistant | None) -> Use:
    """The user's choice, else the best."""
    return file.use or uses(file.name, assistant, pasted=file.pasted)[0]


def is_readable(use: Use, assistant: Assistant | None) -> bool:
    """Whether the assistant has a tool for it."""
    tools = _tool_types(assistant)
    return use not in _TOOLS or any(tool in tools for tool in _TOOLS[use])


def purpose(use: Use) -> str:
    """The purpose with which a file is uploaded."""
    return "vision" if use is Use.PICTURE else "assistants"


def wire_attachment(file_id: str, use: Use) -> Attachment | None:
    """The attachment of a message; None for what is part of its content."""
    if use not in _TOOLS:
        return None
    tools: list[Tool] = [{"type": tool} for tool in _TOOLS[use]]
    return {"file_id": file_id, "tools": tools}


def wire_content(text: str, pictures: Sequence[str]) -> str | list[Json]:
    """The content of a message with pictures, given by their file IDs."""
    if not pictures:
        return text
    parts: list[Json] = [{"type": "text", "text": text}] if text.strip() else []
    return [*parts, *({"type": "image_file", "image_file": {"file_id": one}} for one in pictures)]


def attachment(file: FileObject, assistant: Assistant) -> Attachment:
    """The file for every tool of the assistant that can use it; code interpreter when none can."""
    use = next(use for use in uses(file["filename"], assistant) if use in _TOOLS)
    return wire_attachment(file["id"], use) or {"file_id": file["id"], "tools": []}


def attached_again(attachments: Sequence[Attachment] | None, names: dict[str, str]) -> list[AttachedFile]:
    """The files of a message that is sent once more."""
    files: list[AttachedFile] = []
    for one in attachments or ():
        tools = {tool["type"] for tool in one.get("tools") or ()}
        use = next((use for use, wanted in _TOOLS.items() if set(wanted) == tools), None)
        name = names.get(one["file_id"], one["file_id"])
        files.append(AttachedFile(name, file_id=one["file_id"], use=use))
    return files


def _tool_types(assistant: Assistant | None) -> set[str]:
    return set() if assistant is None else {tool["type"] for tool in assistant.get("tools") or ()}
