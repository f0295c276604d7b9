"""Opening what stands below a message: footnotes, files and pictures."""

from textual.widget import Widget

from assistants_tui.protocol.objects import Message
from assistants_tui.service import message_text
from assistants_tui.service.files.citations import cited_passages, claim_of
from assistants_tui.service.message_text import Footnote
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_actions import save_file
from assistants_tui.tui.dialogs.file_viewer import view_file
from assistants_tui.tui.dialogs.passage import PassageScreen
from assistants_tui.tui.messages.message_body import Note
from assistants_tui.tui.messages.message_view import MessageView


async def open_note(widget: Widget, workspace: Workspace, message_id: str, note: Note) -> None:
    """Show the passage of a citation, save a file that code made, show any other file or picture."""
    message = workspace.conversations.shown.messages.get(message_id)
    target = note.target
    if message is None or target is None:
        return
    if target.startswith(("http://", "https://")):
        widget.post_message(MessageView.LinkOpened(target))
        return
    footnote = _footnote(message, note)
    if footnote is None:
        await view_file(widget, workspace, target)
    elif footnote.kind == "file_path":
        await save_file(widget, workspace, target)
    else:
        await _open_citation(widget, workspace, message, footnote)


def _footnote(message: Message, note: Note) -> Footnote | None:
    for footnote in message_text.render_text(message).footnotes:
        if footnote.file_id == note.target and note.text.startswith(f"[{footnote.number}]"):
            return footnote
    return None


async def _open_citation(widget: Widget, workspace: Workspace, message: Message, footnote: Footnote) -> None:
    conversation = workspace.conversations.shown
    run_id = message.get("run_id")
    if run_id is not None:
        await conversation.run_pages.read(run_id)
    state = conversation.runs.get(run_id or "")
    claim = claim_of(message, footnote)
    passages = cited_passages(footnote, state.steps.values() if state is not None else (), claim)
    if passages:
        stores = await workspace.passages.stores_of(message, conversation.thread_id)
        widget.app.push_screen(PassageScreen(workspace, passages, claim, stores))
        return
    widget.notify(
        "The server did not keep the passage, so this is the file.",
        timeout=5,
        title="No passage",
        markup=False,
    )
    await view_file(widget, workspace, footnote.file_id)
