"""Wire messages and waiting texts as the message view draws them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from assistants_tui.protocol.objects import Message
from assistants_tui.service import message_text
from assistants_tui.service.conversation.outbox import Outgoing
from assistants_tui.service.files.attachments import Use
from assistants_tui.service.times import clock
from assistants_tui.tui.markdown.source import folded_code
from assistants_tui.tui.messages.message_body import MessageItem, Note

FOLD_LINES = 12
"""Lines of a folded message that stay; only longer ones can be folded."""
LONG_LINES = 60
"""Lines from which on a message of the user is folded until it is opened: it is a pasted document."""
LONG_CHARS = 6_000
"""Characters that count as much."""
MAX_FOLDED_CODE = 100_000
"""Characters of a message whose code blocks can be folded."""
CODE_LINES = 6
"""Lines of a folded code block that stay."""
_CUT = {
    "max_tokens": "Cut off: the run's token limit was reached.",
    "content_filter": "Stopped by the content filter.",
    "run_cancelled": "Stopped. What was written so far is kept.",
    "run_expired": "The run expired. What was written so far is kept.",
    "run_failed": "The run failed. What was written so far is kept.",
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How messages are shown."""

    names: Mapping[str, str]
    """The assistants' names by ID."""
    file_name: Callable[[str], str]
    """Gives the name of a file by its ID, or the ID."""
    source: Callable[[Message, message_text.Footnote], tuple[str, str]] = lambda message, footnote: ("", "")
    """What a citation rests on: the place in the file and the words there, as far as they are known."""
    max_chars: int = -1
    """Characters of an answer after which it is cut; -1: never."""


def message_item(
    message: Message, manner: Manner, *, fold: bool | None = False, fold_code: bool = False
) -> MessageItem:
    """A message of the thread. `fold`: show its beginning only; None: if it is a long one of the user.

    `fold_code`: show the beginning of each of its code blocks.
    """
    from_user = message["role"] == "user"
    shown = message_text.render_text(message)
    text = shown.text
    cut: list[Note] = []
    if not from_user and 0 <= manner.max_chars < len(text):
        text = text[: manner.max_chars]
        cut = [Note("error", f"Cut after {manner.max_chars:,} characters: the limit `max_response_chars`.")]
    folded: list[Note] = []
    if fold or (fold is None and from_user and _is_long(text)):
        text, folded = _folded(text)
    short = folded_code(text, CODE_LINES) if fold_code and len(text) <= MAX_FOLDED_CODE else text
    return MessageItem(
        id=message["id"],
        author="You" if from_user else message_text.assistant_name(message.get("assistant_id"), manner.names),
        from_user=from_user,
        time=clock(message.get("created_at")),
        text=short,
        source=text if short != text else "",
        notes=(
            *folded,
            *cut,
            *_image_notes(shown, manner),
            *_footnotes(message, shown, manner),
            *_attachments(message, manner),
            *_ending(message),
        ),
        streaming=message.get("status") == "in_progress",
    )


def can_fold(text: str) -> bool:
    """Whether folding would hide anything."""
    return bool(_folded(text)[1])


def outgoing_item(item: Outgoing) -> MessageItem:
    """A text that the thread does not have yet, or whose run has not begun."""
    match item.state:
        case "queued":
            words = "Waiting: goes out when the run ends. Up takes it back, Esc stops the run."
            note = Note("waiting", words)
        case "preparing" | "posting" | "starting":
            note = Note("waiting", "Sending…")
            if item.uploading is not None:
                name, percent = item.uploading
                note = Note("waiting", f"Sending {name}: {percent} %. Esc stops it.")
        case "failed":
            what = "The message is in the thread, but no run began." if item.posted else "Not sent."
            note = Note("error", f"{what} {item.error or ''} Ctrl+R tries again.".replace("  ", " "))
    # a posted text already stands above as the thread's own message
    text = "" if item.posted else item.text
    files = () if item.posted else item.draft.files
    attached = [Note("image" if file.use is Use.PICTURE else "file", file.name) for file in files]
    return MessageItem(id=item.id, author="You", from_user=True, time="", text=text, notes=(*attached, note))


def _is_long(text: str) -> bool:
    return len(text) > LONG_CHARS or text.count("\n") >= LONG_LINES


def _folded(text: str) -> tuple[str, list[Note]]:
    """The beginning of a text, and a note about the rest; no note if there is no rest."""
    lines = text.split("\n")
    kept = "\n".join(lines[:FOLD_LINES])[:LONG_CHARS]
    if len(kept) == len(text):
        return text, []
    hidden = max(0, len(lines) - FOLD_LINES)
    rest = f"{hidden} more lines" if hidden else f"{len(text) - len(kept):,} more characters"
    return kept, [Note("waiting", f"… {rest}. Space shows or hides them.")]


def _image_notes(shown: message_text.ShownText, manner: Manner) -> list[Note]:
    return [
        Note("image", image if "/" in image else manner.file_name(image), image)
        for image in shown.images
        if not image.startswith("data:")
    ]


def _footnotes(message: Message, shown: message_text.ShownText, manner: Manner) -> list[Note]:
    notes: list[Note] = []
    for note in shown.footnotes:
        name = manner.file_name(note.file_id) if note.name == note.file_id else note.name
        kind = "file" if note.kind == "file_path" else "footnote"
        place, words = manner.source(message, note) if kind == "footnote" else ("", "")
        where = f", {place}" if place else ""
        notes.append(Note(kind, f"[{note.number}] {name}{where}", note.file_id, words))
    return notes


def _attachments(message: Message, manner: Manner) -> list[Note]:
    return [
        Note("file", manner.file_name(attachment["file_id"]), attachment["file_id"])
        for attachment in message.get("attachments") or ()
    ]


def _ending(message: Message) -> list[Note]:
    if message.get("status") != "incomplete":
        return []
    reason = str((message.get("incomplete_details") or {}).get("reason"))
    kind = "stopped" if reason == "run_cancelled" else "error"
    return [Note(kind, f"{_CUT.get(reason, f'Incomplete: {reason}.')} r answers again.")]
