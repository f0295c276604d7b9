"""The thread history: grouped by day, filtered as you type."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from assistants_tui.settings.threads import ThreadReference
from assistants_tui.tui.widgets.virtual_list import VirtualList


class ThreadsPane(Vertical):
    """All threads of the profile that this machine knows, the last used first."""

    HELP: ClassVar[str] = "Enter opens a thread, / filters, r renames, d deletes."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="threads.filter"),
        Binding("r", "rename", "Rename", id="threads.rename"),
        Binding("d,delete", "delete", "Delete", id="threads.delete"),
    ]

    class ThreadMessage(Message):
        """Something is wanted of a thread."""

        def __init__(self, thread_id: str) -> None:
            super().__init__()
            self.thread_id = thread_id

    class Opened(ThreadMessage):
        """The user wants to see a thread."""

    class RenameWanted(ThreadMessage):
        """The user wants to give a thread another title."""

    class DeleteWanted(ThreadMessage):
        """The user wants a thread gone."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._all: Sequence[ThreadReference] = ()
        self._busy: frozenset[str] = frozenset()
        self._open: str | None = None
        self._lines: list[ThreadReference | str] = []

    def compose(self) -> ComposeResult:
        yield Static("Threads", classes="pane-title")
        yield Input(id="thread-filter", placeholder="Filter by title", compact=True)
        yield VirtualList(id="thread-list")

    def on_mount(self) -> None:
        self._filter.display = False

    @property
    def rows(self) -> VirtualList:
        return self.query_one(VirtualList)

    @property
    def _filter(self) -> Input:
        return self.query_one("#thread-filter", Input)

    def show(
        self, references: Sequence[ThreadReference], open_id: str | None, running: frozenset[str]
    ) -> None:
        """Show `references` with the open thread marked and those with an active run."""
        self._all, self._open, self._busy = references, open_id, running
        self._rebuild()

    def _rebuild(self) -> None:
        wanted = self._filter.value.casefold().split()
        found = [
            reference
            for reference in self._all
            if not reference.archived and all(word in reference.title.casefold() for word in wanted)
        ]
        found.sort(key=lambda reference: (reference.pinned, reference.last_used_at), reverse=True)
        self._lines = _grouped(found, date.today())
        self.rows.empty = (
            "No thread matches."
            if wanted
            else "No threads yet. Write a message and press Enter to begin one."
        )
        lines = self._lines
        self.rows.set_rows(
            len(lines),
            self._row,
            key=lambda index: line if isinstance(line := lines[index], str) else line.id,
            is_header=lambda index: isinstance(lines[index], str),
            selected_key=None,
        )

    def _row(self, index: int) -> Content:
        line = self._lines[index]
        if isinstance(line, str):
            return Content.styled(line, "bold $muted")
        mark = "⋯" if line.id in self._busy else "●" if line.id == self._open else "★" if line.pinned else " "
        return Content.assemble((f"{mark} ", "$text-accent"), line.title or "Untitled")

    @property
    def _highlighted(self) -> ThreadReference | None:
        index = self.rows.cursor
        line = self._lines[index] if index is not None and index < len(self._lines) else None
        return line if isinstance(line, ThreadReference) else None

    @on(VirtualList.Selected)
    def _selected(self, event: VirtualList.Selected) -> None:
        event.stop()
        line = self._lines[event.index]
        if isinstance(line, ThreadReference):
            self.post_message(self.Opened(line.id))

    @on(Input.Changed, "#thread-filter")
    def _filter_changed(self) -> None:
        self._rebuild()

    @on(Input.Submitted, "#thread-filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.rows.focus()

    def action_filter(self) -> None:
        self._filter.display = True
        self._filter.focus()

    def close_filter(self) -> bool:
        """Drop the filter. False if there is none."""
        if not self._filter.display:
            return False
        self._filter.value = ""
        self._filter.display = False
        self.rows.focus()
        return True

    def action_rename(self) -> None:
        if (reference := self._highlighted) is not None:
            self.post_message(self.RenameWanted(reference.id))

    def action_delete(self) -> None:
        if (reference := self._highlighted) is not None:
            self.post_message(self.DeleteWanted(reference.id))


def _grouped(references: Sequence[ThreadReference], today: date) -> list[ThreadReference | str]:
    """The references with a heading before each group: pinned, today, yesterday, this week, then months."""
    lines: list[ThreadReference | str] = []
    heading = ""
    for reference in references:
        group = "Pinned" if reference.pinned else _day(reference.last_used_at, today)
        if group != heading:
            heading = group
            lines.append(group)
        lines.append(reference)
    return lines


def _day(timestamp: int, today: date) -> str:
    day = datetime.fromtimestamp(timestamp).date()
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if day > today - timedelta(days=7):
        return f"{day:%A}"
    return f"{day:%B %Y}"
