"""What the user is about to send: a text, files, and how the run shall differ from its assistant."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Assistant, Attachment, Json
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.attachments import (
    AttachedFile,
    Use,
    chosen_use,
    wire_attachment,
    wire_content,
)
from assistants_tui.service.runs.options import RunOptions


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it is sent."""

    text: str
    files: tuple[AttachedFile, ...] = ()
    options: RunOptions = field(default_factory=RunOptions)

    def settled(self, assistant: Assistant | None) -> "Draft":
        """The draft with the use of every file decided for the assistant that answers."""
        files = tuple(
            AttachedFile(file.name, file.path, file.file_id, chosen_use(file, assistant), file.pasted)
            for file in self.files
        )
        return Draft(self.text, files, self.options)

    def check(self) -> None:
        """Raise `ServiceError` for what no server would take."""
        _check_length(self.text)
        if not self.text.strip() and not any(file.use in {Use.TEXT, Use.PICTURE} for file in self.files):
            raise ServiceError(
                "A message with files needs a text too.",
                "Write what is to be done with them.",
                kind="refused",
                no_effect=True,
            )


async def message_text(draft: Draft) -> str:
    """The text of the message, with the files whose text belongs into it. Raises `ServiceError`."""
    texts = [draft.text] if draft.text.strip() else []
    for file in draft.files:
        if file.use is Use.TEXT and file.path is not None:
            texts.append(await asyncio.to_thread(_read, file.path))
    text = "\n\n".join(texts)
    _check_length(text)
    return text


def message_body(
    draft: Draft, text: str, file_ids: Mapping[int, str]
) -> tuple[str | list[Json], Sequence[Attachment]]:
    """Content and attachments of the message. `file_ids` are those of the files by place in the draft."""
    pictures: list[str] = []
    attachments: list[Attachment] = []
    for place, file in enumerate(draft.files):
        file_id = file_ids.get(place)
        if file_id is None or file.use is None:
            continue
        if file.use is Use.PICTURE:
            pictures.append(file_id)
        elif (attachment := wire_attachment(file_id, file.use)) is not None:
            attachments.append(attachment)
    return wire_content(text, pictures), attachments


def remove_pasted(files: Sequence[AttachedFile]) -> None:
    """Remove the files that we wrote for pasted texts. Blocks on the disk."""
    for file in files:
        if file.pasted and file.path is not None:
            file.path.unlink(missing_ok=True)


def _check_length(text: str) -> None:
    if len(text) > limits.MAX_MESSAGE_TEXT:
        raise ServiceError(
            f"The message has {len(text):,} characters, and the API takes {limits.MAX_MESSAGE_TEXT:,}.",
            "Attach the long part as a file.",
            kind="refused",
            no_effect=True,
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceError(f"{path} cannot be read any more.", str(error), kind="settings") from error
