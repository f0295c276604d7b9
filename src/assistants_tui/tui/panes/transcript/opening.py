"""Opening and copying what a message holds: links, notes, code, and the whole text in the user's pager."""

from collections.abc import Sequence

from textual.message import Message
from textual.widget import Widget

from assistants_tui.tui.dialogs.questions import ChoiceDialog, PickDialog
from assistants_tui.tui.markdown import CodeBlock
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, view_externally
from assistants_tui.tui.text.safety import clean


async def choose_code(widget: Widget, question: str, blocks: Sequence[CodeBlock]) -> CodeBlock | None:
    """Ask for one of the code blocks. None: there is none, which is told, or none was chosen."""
    if not blocks:
        widget.notify("There is no code in this message.", timeout=4, markup=False)
        return None
    firsts = [block.source.strip().split("\n", 1)[0] for block in blocks]
    number = await widget.app.push_screen_wait(PickDialog(question, firsts))
    return None if number is None else blocks[number]


async def choose_target(widget: Widget, wanted: MessageView.OpenWanted) -> Message | None:
    """Ask which link or note is meant; what is to be posted then. None as with `choose_code`."""
    rows = [*(note.text for note in wanted.notes), *wanted.links]
    if not rows:
        widget.notify("There is nothing to open in this message.", timeout=3, markup=False)
        return None
    number = await widget.app.push_screen_wait(PickDialog("Open what?", rows))
    if number is None:
        return None
    if number < len(wanted.notes):
        return MessageView.NoteOpened(wanted.item.id, wanted.notes[number])
    return MessageView.LinkOpened(wanted.links[number - len(wanted.notes)])


async def open_link(widget: Widget, url: str) -> None:
    """Open a link in the browser or copy it, after showing where it goes."""
    choice = await widget.app.push_screen_wait(
        ChoiceDialog(
            "Open this link in the browser?",
            url,
            choices=[("stay", "Stay here"), ("copy", "Copy it"), ("open", "Open")],
        )
    )
    if choice == "open":
        widget.app.open_url(url)
    elif choice == "copy":
        widget.app.copy_to_clipboard(url)


async def view_in_pager(widget: Widget, text: str, name: str) -> None:
    """Show a text in the user's pager, as a file of this name."""
    try:
        await view_externally(widget.app, clean(text), name=name)
    except ExternalEditorError as error:
        widget.notify(str(error), title="No pager", severity="error", markup=False)
