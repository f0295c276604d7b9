"""The thread list as it is shown: the history or its archive, what can be undone, and what is unread."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from assistants_tui.protocol.objects import Thread
from assistants_tui.service.changes import Changed, ChangeFeed
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.problems import Problems
from assistants_tui.service.search import MessageSearch
from assistants_tui.service.threads.history import History
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.threads import ThreadIndex, ThreadReference


class ThreadList:
    """The threads of one profile. Changes raise `ServiceError`; each is in the file when the call returns."""

    def __init__(
        self,
        index: ThreadIndex,
        history: History,
        profile_name: str,
        *,
        search: MessageSearch,
        feed: ChangeFeed,
        problems: Problems,
        on_removed: Callable[[str], Awaitable[None]],
        on_foreign_change: Callable[[], None],
    ) -> None:
        """Reads the history from the disk, and may wait for the lock of another window.

        `on_removed` is called with the ID of each thread that leaves the list; `on_foreign_change` when
        another window was found to have changed the history.
        """
        self.history = history
        self._index = index
        self._profile = profile_name
        self._search = search
        self._feed = feed
        self._problems = problems
        self._on_removed = on_removed
        self._on_foreign_change = on_foreign_change
        self._read_error = ""  # why the history could not be read, as it was reported last
        self._read_version: object = None
        self._undo: list[tuple[str, ThreadReference]] = []
        self.showing_archive = False
        self.unread: frozenset[str] = frozenset()
        """Threads whose run ended while another thread was shown."""
        self.found: Sequence[Thread] = ()
        """Threads of the server that were not in the history when it was last asked."""
        self.shown: Sequence[ThreadReference] = self._known()
        """The history, or its archive: pinned threads first, then the last used first."""

    @property
    def is_readable(self) -> bool:
        """Whether the history could be read the last time."""
        return not self._read_error

    def reference_of(self, thread_id: str) -> ThreadReference | None:
        """A thread in the history or its archive, as that was read last; None too where it cannot be read."""
        return self._index.known(self._profile, thread_id)

    def title_of(self, thread_id: str) -> str:
        """The title of a thread in the history or its archive; its ID where it has none."""
        reference = self.reference_of(thread_id)
        return (reference.title if reference is not None else "") or thread_id

    # reading

    async def refresh(self) -> None:
        """Read the history again: another window may have changed it. Raises `ServiceError`."""
        version = await self.history.version()  # before it is read: a later change is seen next time
        self.shown = await self.history.list(archived=self.showing_archive)
        self._read_version = version
        self._read_error = ""
        if self.history.changed_elsewhere():
            self._on_foreign_change()
        self._report_problems()
        self._feed.post(Changed.THREADS)

    async def notice(self) -> bool:
        """Read the history again if it was changed since, or could not be read. Raises `ServiceError`.

        Returns whether it was read.
        """
        changed = await self.history.version() != self._read_version
        if changed:
            await self.refresh()
        return changed

    async def show_archive(self, archive: bool) -> None:
        """Show the archived threads, or the others. Raises `ServiceError`."""
        self.showing_archive = archive
        await self.refresh()

    async def find_unknown(self) -> None:
        """Ask the server for threads that are not in the history. A failure is not reported."""
        with suppress(ServiceError):  # the user did not ask for it
            self.found = await self.history.unknown_threads() or ()
            if self.found:
                self._feed.post(Changed.THREADS)

    # changing

    async def rename(self, thread_id: str, title: str) -> None:
        """Raises `ServiceError`."""
        await self._undoably("renamed", thread_id, self.history.rename(thread_id, title))

    async def pin(self, thread_id: str, pinned: bool) -> None:
        """Keep a thread at the top, or not any more. Raises `ServiceError`."""
        what = "pinned" if pinned else "unpinned"
        await self._undoably(what, thread_id, self.history.pin(thread_id, pinned))

    async def archive(self, thread_id: str, archived: bool) -> None:
        """Put a thread into the archive, or take it out. Raises `ServiceError`."""
        what = "archived" if archived else "taken out of the archive"
        await self._undoably(what, thread_id, self.history.archive(thread_id, archived))

    async def forget(self, thread_id: str) -> None:
        """Take a thread out of the history; the server keeps it. Raises `ServiceError`."""
        await self._undoably("removed from the history", thread_id, self.history.forget(thread_id))
        await self._on_removed(thread_id)

    async def delete(self, thread_id: str) -> None:
        """Delete a thread on the server and here; it cannot be undone. Raises `ServiceError`."""
        await self.history.delete(thread_id)
        self._undo = [entry for entry in self._undo if entry[1].id != thread_id]
        await self._search.forget(thread_id)
        await self._on_removed(thread_id)

    async def undo(self) -> str | None:
        """Take the last change of the history back and say so in a sentence. None if there is none.

        Raises `ServiceError`.
        """
        if not self._undo:
            return None
        what, reference = self._undo.pop()
        await self.history.undo(reference)
        await self.refresh()
        return f"Undone: “{reference.title}” had been {what}."

    async def add(self, thread_id: str) -> ThreadReference:
        """Put a thread of the server into the history by its ID. Raises `ServiceError`."""
        reference = await self.history.add_by_id(thread_id)
        self.found = [thread for thread in self.found if thread["id"] != reference.id]
        await self.refresh()
        return reference

    async def adopt(self, threads: Sequence[Thread]) -> None:
        """Put threads that the server listed into the history. Raises `ServiceError`."""
        for thread in threads:
            await self.history.adopt(thread)
        taken = {thread["id"] for thread in threads}
        self.found = [thread for thread in self.found if thread["id"] not in taken]
        await self.refresh()

    def mark_unread(self, thread_id: str) -> None:
        """Its run has ended while another thread was shown."""
        self.unread |= {thread_id}
        self._feed.post(Changed.THREADS)

    def mark_read(self, thread_id: str) -> None:
        """It is opened. Posts nothing: it goes with a change of the place."""
        self.unread -= {thread_id}

    async def _undoably(self, what: str, thread_id: str, change: Awaitable[object]) -> None:
        before = self.reference_of(thread_id)
        await change
        if before is not None:
            self._undo.append((what, before))
        await self.refresh()

    def _known(self) -> Sequence[ThreadReference]:
        """The history as it is on the disk; nothing where that cannot be read, which is reported."""
        try:
            self._read_version = self._index.version()
            found = self._index.list(self._profile)
        except SettingsError as error:
            self._read_error = str(error)
            self._problems.add(self._read_error)
            return ()
        self._report_problems()
        return found

    def _report_problems(self) -> None:
        """Report what was found wrong with the history's file."""
        self._problems.add(*self._index.problems)
        self._index.problems.clear()
