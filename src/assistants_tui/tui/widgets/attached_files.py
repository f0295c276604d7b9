"""The files that go with the message being written: one line each, with what will be done with it."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.files.attachments import AttachedFile, chosen_use, is_readable
from assistants_tui.tui.widgets.virtual_list import VirtualList

_REMOVE = 4
"""Cells at the left of a line on which a click removes the file."""


class AttachedFiles(VirtualList):
    """Shown while there are files. Enter and space choose the next use of a file, Delete removes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", "Use", id="attached.use", tooltip="Use the file in another way"),
        Binding("delete,backspace,x", "remove", "Remove", id="attached.remove", tooltip="Do not attach it"),
    ]
    DEFAULT_CSS = """
    AttachedFiles {
        height: auto;
        max-height: 5;
        padding: 0 1;
        background: $surface;
        & > .virtual-list--cursor-blurred { background: $surface; }
    }
    """

    class Changed(Message):
        """The user wants something done to a file."""

        def __init__(self, file: AttachedFile, what: Literal["use", "remove"]) -> None:
            """`what` is `use` (the next one) or `remove`."""
            super().__init__()
            self.file = file
            self.what = what

    _files: Sequence[AttachedFile] = ()

    def show(self, files: Sequence[AttachedFile], assistant: Assistant | None) -> None:
        """Show these files as this assistant would read them."""
        self.display = bool(files)
        self._files = files

        def row(index: int) -> Content:
            file = files[index]
            use = chosen_use(file, assistant)
            warning = "" if is_readable(use, assistant) else ": no tool here reads it"
            return Content.assemble(
                ("✕ ", "$text-muted"),
                ("⎘ ", "$text-accent"),
                "Pasted text" if file.pasted else file.name,
                (f"  {use.value}", "$muted"),
                (warning, "$text-warning"),
            )

        self.set_rows(len(files), row)
        self.refresh()

    def action_remove(self) -> None:
        if self.cursor is not None:
            self.post_message(self.Changed(self._files[self.cursor], "remove"))

    @on(VirtualList.Selected)
    def _next_use(self, event: VirtualList.Selected) -> None:
        event.stop()
        if event.index is not None:
            self.post_message(self.Changed(self._files[event.index], "use"))

    def on_click(self, event: events.Click) -> None:
        if event.x < _REMOVE:
            event.stop()
            event.prevent_default()
            index = event.y + self.scroll_offset.y
            if index < len(self._files):
                self.post_message(self.Changed(self._files[index], "remove"))
