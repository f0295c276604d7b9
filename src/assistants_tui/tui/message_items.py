"""Wire messages and waiting texts as the message view draws them."""

from collections.abc import Mapping
from datetime import datetime

from assistants_tui.service import views
from assistants_tui.service.conversation import Outgoing
from assistants_tui.service.wire import Message
from assistants_tui.tui.widgets.message_body import MessageItem, Note

_CUT = {
    "max_tokens": "Cut off: the run's token limit was reached.",
    "content_filter": "Stopped by the content filter.",
    "run_cancelled": "Stopped. What was written so far is kept.",
    "run_expired": "The run expired. What was written so far is kept.",
    "run_failed": "The run failed. What was written so far is kept.",
}


def message_item(message: Message, names: Mapping[str, str]) -> MessageItem:
    """A message of the thread. `names` are the assistants' names by ID."""
    from_user = message["role"] == "user"
    shown = views.shown_text(message)
    return MessageItem(
        id=message["id"],
        author="You" if from_user else views.assistant_name(message.get("assistant_id"), names),
        from_user=from_user,
        time=_clock(message.get("created_at")),
        text=shown.text,
        notes=(*_image_notes(shown), *_footnotes(shown), *_attachments(message), *_ending(message)),
        streaming=message.get("status") == "in_progress",
    )


def outgoing_item(item: Outgoing) -> MessageItem:
    """A text that the thread does not have yet, or whose run has not begun."""
    match item.state:
        case "queued":
            note = Note("waiting", "Waiting: goes out when the run ends. Esc stops the run.")
        case "sending":
            note = Note("waiting", "Sending…")
        case "failed":
            what = "The message is in the thread, but no run began." if item.posted else "Not sent."
            note = Note("error", f"{what} {item.error or ''} Ctrl+R tries again.".replace("  ", " "))
    # a posted text already stands above as the thread's own message
    text = "" if item.posted else item.text
    return MessageItem(id=item.id, author="You", from_user=True, time="", text=text, notes=(note,))


def _clock(created_at: int | None) -> str:
    return datetime.fromtimestamp(created_at).strftime("%H:%M") if created_at else ""


def _image_notes(shown: views.ShownText) -> list[Note]:
    return [Note("image", image, image) for image in shown.images]


def _footnotes(shown: views.ShownText) -> list[Note]:
    return [
        Note("file" if note.kind == "file_path" else "footnote", f"[{note.number}] {note.name}", note.file_id)
        for note in shown.footnotes
    ]


def _attachments(message: Message) -> list[Note]:
    return [
        Note("file", attachment["file_id"], attachment["file_id"])
        for attachment in message.get("attachments") or ()
    ]


def _ending(message: Message) -> list[Note]:
    if message.get("status") != "incomplete":
        return []
    reason = str((message.get("incomplete_details") or {}).get("reason"))
    kind = "stopped" if reason == "run_cancelled" else "error"
    return [Note(kind, _CUT.get(reason, f"Incomplete: {reason}."))]
