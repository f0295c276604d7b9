"""Choosing files of this machine: type a path, or walk with the arrow keys."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from assistants_tui.service.local_paths import Entry, expanded, matching, size_words
from assistants_tui.tui.text.excerpts import without_middle
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList

_LEAST_NAME = 12
"""Cells that a name takes at least; what stands behind it is cut then."""


class FilePicker(ModalScreen[Sequence[Path] | None]):
    """The result is the chosen files, or None after Esc. Ctrl+T marks several, Enter takes them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back"),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("tab", "complete", show=False, priority=True),
        Binding("ctrl+t", "mark", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    FilePicker {
        align: center middle;
        background: $background 60%;
        & VirtualList {
            height: 1fr;
            margin-top: 1;
            & > .virtual-list--cursor-blurred { background: $primary 30%; }
        }
    }
    """

    def __init__(
        self,
        question: str,
        folder: Path,
        *,
        folders: bool = False,
        why_not: Callable[[str], str] = lambda name: "",
    ) -> None:
        """`folder` is where relative paths begin; `folders`: whole folders can be marked too.

        `why_not` gives the reason why a file of that name cannot be chosen, empty if it can.
        """
        super().__init__()
        self._question = question
        self._folder = folder
        self._folders = folders
        self._why_not = why_not
        self._entries: Sequence[Entry] = ()
        self._marked: dict[Path, None] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(self._question), classes="dialog-title")
            yield Input(placeholder=f"Path, from {self._folder}")
            rows = VirtualList(empty="Nothing here begins like that.")
            rows.can_focus = False
            yield rows
            yield Static(self._hint, classes="dialog-hint")

    def on_mount(self) -> None:
        self._list()

    @property
    def _rows(self) -> VirtualList:
        return self.query_one(VirtualList)

    @property
    def _typed(self) -> str:
        return self.query_one(Input).value

    @on(Input.Changed)
    @work(exclusive=True)
    async def _list(self) -> None:
        self._show(await asyncio.to_thread(matching, self._typed, self._folder))

    @property
    def _hint(self) -> Content:
        takes = "takes or opens"
        if self._marked:
            count = len(self._marked)
            takes = f"takes the {count} marked files" if count > 1 else "takes the marked file"
        several = "files and folders" if self._folders else "several"
        return Content(f"Enter {takes}, Tab completes, Ctrl+T marks {several}, Esc goes back")

    def _show(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self.query_one(".dialog-hint", Static).update(self._hint)
        self._rows.set_rows(len(entries), self._row, key=lambda index: str(entries[index].path))

    def _row(self, index: int) -> Content:
        entry = self._entries[index]
        mark = ("● " if entry.path in self._marked else "  ", "$text-accent")
        reason = "" if entry.is_folder else self._why_not(entry.path.name)
        tail = "/" if entry.is_folder else f"  {size_words(entry.size)}{' · ' if reason else ''}{reason}"
        name = clean(entry.path.name).replace("\n", " ")
        name = without_middle(name, max(_LEAST_NAME, self._rows.row_width - 2 - len(tail)))
        if entry.is_folder:
            return Content.assemble(mark, (name + tail, "$text-primary"))
        return Content.assemble(mark, (name, "$muted" if reason else ""), (tail, "$muted"))

    @property
    def _highlighted(self) -> Entry | None:
        index = self._rows.cursor
        return self._entries[index] if index is not None and index < len(self._entries) else None

    def action_move(self, step: int) -> None:
        self._rows.action_move(step)

    def action_complete(self) -> None:
        """Put the highlighted name into the path."""
        if (entry := self._highlighted) is not None:
            field = self.query_one(Input)
            head = self._typed[: self._typed.rfind("/") + 1]
            field.value = f"{head}{entry.path.name}{'/' if entry.is_folder else ''}"
            field.cursor_position = len(field.value)

    def action_mark(self) -> None:
        entry = self._highlighted
        if entry is None or (entry.is_folder and not self._folders):
            return
        if not entry.is_folder and self._is_refused(entry.path):
            return
        if entry.path in self._marked:
            del self._marked[entry.path]
        else:
            self._marked[entry.path] = None
        self._show(self._entries)
        self._rows.action_move(1)

    @on(Input.Submitted)
    @work(exclusive=True)
    async def _take(self, event: Input.Submitted) -> None:
        event.stop()
        path = expanded(event.value, self._folder)
        is_file: bool = await asyncio.to_thread(_is_file, path)
        if event.value and is_file:
            self._chosen(path)
        elif self._marked:
            self.dismiss([*self._marked])
        else:  # the list may be older than what was typed
            self._show(await asyncio.to_thread(matching, event.value, self._folder))
            self._open()

    @on(VirtualList.Selected)
    def _clicked(self, event: VirtualList.Selected) -> None:
        event.stop()
        self._open()

    def _open(self) -> None:
        if (entry := self._highlighted) is None:
            return
        if entry.is_folder:
            self.action_complete()
        else:
            self._chosen(entry.path)

    def _is_refused(self, path: Path) -> bool:
        """Whether a file cannot be chosen; then that is told."""
        if reason := self._why_not(path.name):
            self.notify(
                f"{reason[0].upper()}{reason[1:]}.", title="Not chosen", severity="warning", markup=False
            )
        return bool(reason)

    def _chosen(self, path: Path) -> None:
        if self._is_refused(path):
            return
        self.dismiss([*self._marked, *([path] if path not in self._marked else [])])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as for a name that is too long
        return False
