"""The thread history: grouped by day, filtered as you type."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from assistants_tui.service.workspace import Changed, Workspace
from assistants_tui.settings.threads import ThreadReference
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.messages import ComposerWanted
from assistants_tui.tui.screens.dialogs import ChoiceDialog, TextDialog
from assistants_tui.tui.widgets.virtual_list import VirtualList


class ThreadsPane(Vertical):
    """All threads of the profile that this machine knows, the last used first."""

    HELP: ClassVar[str] = "Enter opens a thread, / filters, r renames, d deletes."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="threads.filter"),
        Binding("r", "rename", "Rename", id="threads.rename"),
        Binding("d,delete", "delete", "Delete", id="threads.delete"),
    ]

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._lines: list[ThreadReference | str] = []

    def compose(self) -> ComposeResult:
        yield Static("Threads", classes="pane-title")
        yield Input(id="thread-filter", placeholder="Filter by title", compact=True)
        yield VirtualList(id="thread-list")

    def on_mount(self) -> None:
        self._filter.display = False
        self._workspace.subscribe(self._workspace_changed)
        self._draw()

    @property
    def rows(self) -> VirtualList:
        return self.query_one(VirtualList)

    @property
    def _filter(self) -> Input:
        return self.query_one("#thread-filter", Input)

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & Changed.THREADS:
            self._draw()

    def _draw(self) -> None:
        wanted = self._filter.value.casefold().split()
        found = [
            reference
            for reference in self._workspace.threads
            if all(word in reference.title.casefold() for word in wanted)
        ]
        lines = self._lines = _grouped(found, date.today())
        self.rows.empty = (
            "No thread matches."
            if wanted
            else "No threads yet. Write a message and press Enter to begin one."
        )
        self.rows.set_rows(
            len(lines),
            self._row,
            key=lambda index: line if isinstance(line := lines[index], str) else line.id,
            is_header=lambda index: isinstance(lines[index], str),
        )

    def _row(self, index: int) -> Content:
        line = self._lines[index]
        if isinstance(line, str):
            return Content.styled(line, "bold $muted")
        if line.id in self._workspace.busy_threads:
            mark = "⋯"
        elif line.id == self._workspace.conversation.thread_id:
            mark = "●"
        else:
            mark = "★" if line.pinned else " "
        return Content.assemble((f"{mark} ", "$text-accent"), line.title or "Untitled")

    @property
    def _highlighted(self) -> ThreadReference | None:
        index = self.rows.cursor
        line = self._lines[index] if index is not None and index < len(self._lines) else None
        return line if isinstance(line, ThreadReference) else None

    @on(VirtualList.Selected)
    @work
    async def _open(self, event: VirtualList.Selected) -> None:
        event.stop()
        line = self._lines[event.index]
        if isinstance(line, ThreadReference):
            self.post_message(ComposerWanted())
            await self._workspace.open_thread(line.id)

    @on(Input.Changed, "#thread-filter")
    def _filter_changed(self) -> None:
        self._draw()

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

    @work
    async def action_rename(self) -> None:
        if (reference := self._highlighted) is None:
            return
        title = await self.app.push_screen_wait(TextDialog("Title of the thread", reference.title))
        if title is not None:
            with told_failures(self, "Not renamed"):
                await self._workspace.rename_thread(reference.id, title)

    @work
    async def action_delete(self) -> None:
        if (reference := self._highlighted) is None:
            return
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"Delete “{reference.title}”?",
                f"Here only: it leaves the history, and can be opened again by its ID ({reference.id}). "
                "Everywhere: the server deletes it with all messages, for good.",
                choices=[("keep", "Keep it"), ("here", "Here only"), ("everywhere", "Everywhere")],
                danger="everywhere",
            )
        )
        with told_failures(self, "Not deleted"):
            if choice == "here":
                await self._workspace.forget_thread(reference.id)
            elif choice == "everywhere":
                await self._workspace.delete_thread(reference.id)


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
