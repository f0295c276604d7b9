"""The thread history: grouped by day, filtered as you type, searched, kept in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from assistants_tui.service.changes import Changed
from assistants_tui.service.export.document import Format
from assistants_tui.service.times import moment
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.threads import ThreadReference
from assistants_tui.tui.app_messages import ComposerWanted
from assistants_tui.tui.dialogs.message_search import SearchScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog, TextDialog
from assistants_tui.tui.failures import UnaskedLook, told_failures
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.filter_field import FilterField
from assistants_tui.tui.widgets.virtual_list import VirtualList

_LOOK = 2.0
"""Seconds between two looks for changes that another window has made to the history."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """The line that offers threads of the server."""

    count: int


_Line = ThreadReference | _Offer | str
"""A line of the list; a text is the heading of a group."""
_Entry = tuple[str, str, ThreadReference]
"""A thread that may be listed: its folded title, the heading above it, and its reference."""


class ThreadsPane(Vertical):
    """All threads of the profile that this machine knows, the last used first."""

    HELP: ClassVar[str] = (
        "Enter opens a thread. / filters by title, s searches what was said in all of them. "
        "⋯ marks a thread with a run, ? one that waits for you, ◆ one with an answer that you have not seen."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="threads.filter", tooltip="Filter by title"),
        Binding("s", "search", "Search", id="threads.search", tooltip="Search all threads"),
        Binding("r", "rename", "Rename", id="threads.rename", tooltip="Give the thread a title"),
        Binding("p", "pin", "Pin", id="threads.pin", tooltip="Keep at the top, or not any more"),
        Binding("a", "archive", "Archive", id="threads.archive", tooltip="Put into the archive, or take out"),
        Binding("A", "show_archive", show=False, id="threads.show_archive", tooltip="Show the archive"),
        Binding("d,delete", "delete", "Delete", id="threads.delete", tooltip="Delete here or everywhere"),
        Binding("u", "undo", "Undo", id="threads.undo", tooltip="Take the last change of the list back"),
        Binding("e", "export", "Export", id="threads.export", tooltip="Save as Markdown, JSON or HTML"),
        Binding("y", "copy_id", show=False, id="threads.copy_id", tooltip="Copy the ID"),
        Binding(
            "plus", "add", show=False, key_display="+", id="threads.add", tooltip="Add a thread by its ID"
        ),
    ]

    class HitChosen(Message):
        """The user wants to see a message of some thread."""

        def __init__(self, thread_id: str, message_id: str, words: str) -> None:
            super().__init__()
            self.thread_id = thread_id
            self.message_id = message_id
            self.words = words

    class ExportWanted(Message):
        """The user wants to save a thread, in the format `form` unless a dialog says otherwise."""

        def __init__(self, thread_id: str, form: Format = "markdown") -> None:
            super().__init__()
            self.thread_id = thread_id
            self.form = form

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._unasked_look = UnaskedLook()
        self._lines: list[_Line] = []
        self._listed: Sequence[ThreadReference] = ()
        self._listed_on = date.min
        self._entries: list[_Entry] = []  # those of `_listed`, as they are looked for on `_listed_on`

    def compose(self) -> ComposeResult:
        yield Static("Threads", classes="pane-title", id="threads-title")
        yield FilterField(id="thread-filter", placeholder="Filter by title", compact=True)
        yield VirtualList(id="thread-list")

    def on_mount(self) -> None:
        self._filter.display = False
        self._workspace.feed.subscribe(self._workspace_changed)
        self.watch(self.app, "app_focus", self._app_focused, init=False)
        # not by its message, which comes a frame later: the key and what it leaves are painted at once
        self.watch(self._filter, "value", self._draw, init=False)
        self.set_interval(_LOOK, self._look_for_changes)
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

    def _app_focused(self, focused: bool) -> None:
        if focused:
            self._read_again()

    @work(exclusive=True, group="focus")
    async def _read_again(self) -> None:
        """Another window may have changed the file meanwhile."""
        with told_failures(self, "The history could not be read"):
            await self._workspace.conversations.read_again()

    @work(exclusive=True, group="look")
    async def _look_for_changes(self) -> None:
        with self._unasked_look:
            await self._workspace.conversations.notice()

    # drawing

    def _draw(self) -> None:
        workspace = self._workspace
        wanted = self._filter.value.casefold().split()
        today = date.today()
        if (
            self._listed is not workspace.threads.shown or self._listed_on != today
        ):  # not for each key of a filter
            self._listed, self._listed_on = workspace.threads.shown, today
            self._entries = _entries(workspace.threads.shown, today)
        found = self._entries
        for word in wanted:
            found = [entry for entry in found if word in entry[0]]
        lines = self._lines = _below_headings(found)
        if workspace.threads.found and not wanted and not workspace.threads.showing_archive:
            lines += ["", _Offer(len(workspace.threads.found))]
        title = self.query_one("#threads-title", Static)
        if (name := "Archive" if workspace.threads.showing_archive else "Threads") != title.content:
            title.update(name)  # lays out the screen
        if wanted:
            self.rows.empty = "No thread matches."
        elif workspace.threads.showing_archive:
            self.rows.empty = "The archive is empty. Shift+A goes back."
        else:
            self.rows.empty = "No threads yet. Write a message and press Enter to begin one."
        self.rows.set_rows(
            len(lines),
            self._row,
            key=lambda index: line.id if isinstance(line := lines[index], ThreadReference) else str(line),
            is_header=lambda index: isinstance(lines[index], str),
            # the cursor is on the open thread, unless it is being moved
            selected_key=None if self.has_focus_within else workspace.conversations.shown.thread_id,
        )

    def _row(self, index: int) -> Content:
        line = self._lines[index]
        if isinstance(line, str):
            return Content.styled(line, "bold $muted")
        if isinstance(line, _Offer):
            return Content.styled(f"＋ {line.count} more on the server", "$text-accent")
        return Content.assemble((f"{self._mark(line)} ", "$text-accent"), line.title or "Untitled")

    def _mark(self, reference: ThreadReference) -> str:
        workspace = self._workspace
        if reference.id in workspace.conversations.waiting_threads:
            return "?"
        if reference.id in workspace.conversations.busy_threads:
            return "⋯"
        if reference.id in workspace.threads.unread:
            return "◆"
        if reference.id == workspace.conversations.shown.thread_id:
            return "●"
        return "★" if reference.pinned else " "

    @property
    def _highlighted(self) -> ThreadReference | None:
        index = self.rows.cursor
        line = self._lines[index] if index is not None and index < len(self._lines) else None
        return line if isinstance(line, ThreadReference) else None

    # opening

    @on(VirtualList.Selected)
    @work
    async def _open(self, event: VirtualList.Selected) -> None:
        event.stop()
        line = None if event.index is None else self._lines[event.index]
        if isinstance(line, ThreadReference):
            self.post_message(ComposerWanted())
            await self._workspace.conversations.open(line.id)
        elif isinstance(line, _Offer):
            await self._offer()

    async def _offer(self) -> None:
        found = self._workspace.threads.found
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"Add {len(found)} thread{'s' if len(found) > 1 else ''} of the server?",
                "They were made elsewhere, or removed from this list. Each gets its first message as title.",
                choices=[("no", "Not now"), ("add", "Add")],
            )
        )
        if choice == "add":
            with told_failures(self, "Not added"):
                await self._workspace.threads.adopt(found)

    # filter and search

    @on(Input.Submitted, "#thread-filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.rows.focus()

    def action_filter(self) -> None:
        self._filter.display = True
        self.screen.set_focus(self._filter)  # at once: the next keys are for it

    def close_filter(self) -> bool:
        """Drop the filter. False if there is none."""
        if not self._filter.display:
            return False
        self._filter.value = ""
        self._filter.display = False
        self.rows.focus()
        return True

    def action_search(self) -> None:
        self.search("")

    @work
    async def search(self, words: str) -> None:
        """Search all threads, beginning with these words."""
        workspace = self._workspace
        result = await self.app.push_screen_wait(
            SearchScreen(workspace.search.find, workspace.threads.title_of, words)
        )
        if result is not None:
            hit, used = result
            self.post_message(self.HitChosen(hit.thread_id, hit.message_id, used))

    # changing

    def action_rename(self) -> None:
        if (reference := self._highlighted) is not None:
            self.rename(reference.id)

    @work
    async def rename(self, thread_id: str) -> None:
        """Ask for a title."""
        old = self._workspace.threads.title_of(thread_id)
        title = await self.app.push_screen_wait(TextDialog("Title of the thread", old))
        if title is not None:
            with told_failures(self, "Not renamed"):
                await self._workspace.threads.rename(thread_id, title)

    def action_pin(self) -> None:
        if (reference := self._highlighted) is not None:
            self.pin(reference.id)

    @work
    async def pin(self, thread_id: str) -> None:
        """Pin a thread, or not any more."""
        reference = self._workspace.threads.reference_of(thread_id)
        if reference is not None:
            with told_failures(self, "Not pinned"):
                await self._workspace.threads.pin(thread_id, not reference.pinned)

    def action_archive(self) -> None:
        if (reference := self._highlighted) is not None:
            self.archive(reference.id)

    @work
    async def archive(self, thread_id: str) -> None:
        """Archive a thread, or take it out."""
        reference = self._workspace.threads.reference_of(thread_id)
        if reference is not None:
            with told_failures(self, "Not archived"):
                await self._workspace.threads.archive(thread_id, not reference.archived)
                where = "Out of the archive" if reference.archived else "In the archive"
                self._say(f"{where}: “{reference.title}”. u in the list takes it back.")

    @work
    async def action_show_archive(self) -> None:
        with told_failures(self, "The archive could not be read"):
            await self._workspace.threads.show_archive(not self._workspace.threads.showing_archive)

    def action_delete(self) -> None:
        if (reference := self._highlighted) is not None:
            self.delete(reference.id)

    @work
    async def delete(self, thread_id: str) -> None:
        """Ask where to delete a thread, and do so."""
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"Delete “{self._workspace.threads.title_of(thread_id)}”?",
                f"Here only: it leaves the history, and can be opened again by its ID ({thread_id}). "
                "Everywhere: the server deletes it with all messages, for good.",
                choices=[("keep", "Keep it"), ("here", "Here only"), ("everywhere", "Everywhere")],
                danger="everywhere",
            )
        )
        with told_failures(self, "Not deleted"):
            if choice == "here":
                await self._workspace.threads.forget(thread_id)
            elif choice == "everywhere":
                await self._workspace.threads.delete(thread_id)

    @work
    async def action_undo(self) -> None:
        with told_failures(self, "Not taken back"):
            self._say(await self._workspace.threads.undo() or "There is nothing to take back.")

    @work
    async def action_add(self) -> None:
        thread_id = await self.app.push_screen_wait(
            TextDialog("ID of the thread", detail="The server must have it; it is added to this list.")
        )
        if thread_id is not None:
            with told_failures(self, "Not added"):
                await self._workspace.conversations.add(thread_id)

    def action_copy_id(self) -> None:
        if (reference := self._highlighted) is not None:
            self.app.copy_to_clipboard(clean(reference.id))
            self._say(f"Copied {reference.id}")

    def action_export(self) -> None:
        if (reference := self._highlighted) is not None:
            self.post_message(self.ExportWanted(reference.id))

    def _say(self, text: str) -> None:
        self.notify(text, timeout=4, markup=False)


def _entries(references: Sequence[ThreadReference], today: date) -> list[_Entry]:
    """Each reference, its title as it is searched, and its heading: pinned, a day of the week, or a month."""
    entries: list[_Entry] = []
    group = ""
    since = until = 0.0  # the day of the last one: thousands are of few days
    for reference in references:
        if not since <= reference.last_used_at < until:
            day = (moment(reference.last_used_at) or datetime.now()).date()
            since, until = _midnight(day), _midnight(day + timedelta(days=1))
            group = _name(day, today)
        entries.append((reference.title.casefold(), "Pinned" if reference.pinned else group, reference))
    return entries


def _below_headings(entries: Sequence[_Entry]) -> list[_Line]:
    lines: list[_Line] = []
    heading = ""
    for _, wanted, reference in entries:
        if wanted != heading:
            heading = wanted
            lines.append(wanted)
        lines.append(reference)
    return lines


def _midnight(day: date) -> float:
    return datetime.combine(day, time()).timestamp()


def _name(day: date, today: date) -> str:
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if day > today - timedelta(days=7):
        return f"{day:%A}"
    return f"{day:%B %Y}"
