"""What users do with a file of the server, wherever they meet it: save it, or open it elsewhere."""

from pathlib import Path

from textual.widget import Widget

from assistants_tui.protocol.objects import FileObject
from assistants_tui.service.files.opener import is_program, open_file
from assistants_tui.service.local_paths import expanded, size_words
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.questions import ChoiceDialog, TextDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.text.safety import clean


async def save_file(widget: Widget, workspace: Workspace, file_id: str) -> None:
    """Save a file in the downloads folder and say where."""
    with told_failures(widget, "Not saved"):
        path = await workspace.downloads.save(file_id)
        widget.notify(clean(str(path)), title="Saved", markup=False)


async def save_file_as(widget: Widget, workspace: Workspace, file_id: str) -> None:
    """Ask for a place and save a file there. A place that is taken gets a number."""
    name = clean(workspace.file_names.known(file_id)).replace("/", "_")
    wanted = await widget.app.push_screen_wait(
        TextDialog("Save as", str(Path.cwd() / name), detail="A file that is there already is kept.")
    )
    if wanted is not None:
        place = expanded(wanted, Path.cwd())
        with told_failures(widget, "Not saved"):
            path = await workspace.downloads.save(file_id, place.parent, place.name)
            widget.notify(clean(str(path)), title="Saved", markup=False)


async def open_with_system(widget: Widget, workspace: Workspace, file_id: str) -> None:
    """Save a file and hand it to the system's program for it, after asking."""
    with told_failures(widget, "Not opened"):
        path = await workspace.downloads.saved(file_id)
        if is_program(path):
            await open_file(path)  # which refuses, and says why
        choice = await widget.app.push_screen_wait(
            ChoiceDialog(
                f"Open {clean(path.name)} with the system's program for it?",
                f"It lies in {clean(str(path.parent))}. Files that a model made, or that strangers sent, can "
                "do harm in the program that opens them.",
                choices=[("stay", "Stay here"), ("open", "Open")],
            )
        )
        if choice == "open":
            await open_file(path)


def file_words(file: FileObject) -> str:
    """Size and purpose of a file."""
    purposes = {
        "assistants": "for assistants",
        "assistants_output": "made by an assistant",
        "vision": "picture",
    }
    purpose = str(file.get("purpose") or "")
    size = file.get("bytes")
    parts = [size_words(size) if isinstance(size, int) else "", purposes.get(purpose, purpose)]
    return ", ".join(part for part in parts if part)
