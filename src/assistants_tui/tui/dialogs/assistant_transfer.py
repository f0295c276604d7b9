"""Assistants from files and to files: asked for, shown before anything is made, and reported."""

from collections.abc import Sequence
from pathlib import Path

from textual.widget import Widget

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.assistants.import_export import (
    AssistantFileError,
    ReadAssistant,
    read_assistants,
    written,
)
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.file_names import safe_file_name
from assistants_tui.service.files.text_files import read_text, write_text
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_picker import FilePicker
from assistants_tui.tui.dialogs.questions import ChoiceDialog, TextDialog
from assistants_tui.tui.failures import told_failures

_SHOWN = 8
"""Assistants whose changes are listed one by one before an import."""


async def import_assistants(widget: Widget, workspace: Workspace) -> list[Assistant]:
    """Ask for files, show what is in them, and make the assistants. Returns those that were made."""
    paths = await widget.app.push_screen_wait(FilePicker("Import assistants from JSON files", Path.cwd()))
    made: list[Assistant] = []
    for path in paths or ():
        with told_failures(widget, "Not imported"):
            made += await _import(widget, workspace, path)
    return made


async def _import(widget: Widget, workspace: Workspace, path: Path) -> list[Assistant]:
    text = await read_text(str(path))
    model = await workspace.session.default_model()
    try:
        read = read_assistants(text, default_model=model)
    except AssistantFileError as error:
        raise ServiceError(f"{path.name} cannot be imported.", str(error), kind="settings") from None
    good = [one for one in read if one.problem is None]
    choices = [("back", "Back")]
    if good:
        choices.append(("make", "Import"))
    if any("tool_resources" in one.fields for one in good):
        choices.append(("bare", "Without files"))
    choice = await widget.app.push_screen_wait(
        ChoiceDialog(f"Import {_count(len(good))} from {path.name}?", _preview(read), choices=choices)
    )
    if choice not in {"make", "bare"}:
        return []
    made = []
    for one in good:
        with told_failures(widget, f"“{one.title}” was not imported"):
            fields = one.without_resources if choice == "bare" else one.fields
            made.append(await workspace.assistant_store.create(fields))
    if made:
        widget.notify(f"{_count(len(made))} imported.", title="Import", markup=False)
    return made


def _preview(read: Sequence[ReadAssistant]) -> str:
    lines = []
    for one in read[:_SHOWN]:
        lines.append(f"• {one.title}")
        lines += [f"  {note}" for note in one.notes]
        if one.problem:
            lines.append(f"  Left out: {one.problem}")
    if len(read) > _SHOWN:
        lines.append(f"… and {len(read) - _SHOWN} more")
    return "\n".join(lines)


def _count(number: int) -> str:
    return f"{number} assistant{'' if number == 1 else 's'}"


async def export_assistants(widget: Widget, assistants: Sequence[Assistant], name: str) -> None:
    """Ask for a path and write the assistants there. A file that is there is replaced only when told so."""
    path: str | None = str(Path("~") / safe_file_name(f"{name}.json"))
    replace = False
    while True:
        if not replace:
            path = await widget.app.push_screen_wait(
                TextDialog(
                    f"Export {_count(len(assistants))}",
                    path or "",
                    detail="Path of the JSON file. It has no keys in it, and files only by their IDs.",
                )
            )
        if path is None:
            return
        try:
            with told_failures(widget, "Not exported"):
                file = await write_text(path, written(assistants), replace=replace)
                widget.notify(str(file), title="Exported", markup=False)
            return
        except FileExistsError:
            choice = await widget.app.push_screen_wait(
                ChoiceDialog(
                    f"{path} is there already.",
                    choices=[("other", "Another path"), ("replace", "Replace it")],
                    danger="replace",
                )
            )
            replace = choice == "replace"
