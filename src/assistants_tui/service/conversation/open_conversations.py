"""The conversations that are held: the one that is shown, and those whose runs go on in the background."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import Thread
from assistants_tui.service.assistants.assistant_list import AssistantList
from assistants_tui.service.background import BackgroundTasks
from assistants_tui.service.changes import Changed, ChangeFeed
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.conversation.next_run import NextRun
from assistants_tui.service.draft_store import DraftStore
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import unexpected
from assistants_tui.service.last_place import Place
from assistants_tui.service.runs.options import RunOptions, restored
from assistants_tui.service.search import MessageSearch
from assistants_tui.service.threads.thread_list import ThreadList
from assistants_tui.settings.threads import ThreadReference

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class OpenConversations:
    """Opens, shows and closes conversations, and notes in the history that their threads are used."""

    def __init__(
        self,
        backend: "Callable[[], Awaitable[Backend]]",
        *,
        threads: ThreadList,
        assistants: AssistantList,
        next_run: NextRun,
        drafts: DraftStore,
        search: MessageSearch,
        place: Place,
        feed: ChangeFeed,
        tasks: BackgroundTasks,
        thread_id: str | None = None,
    ) -> None:
        """Shows `thread_id`, or the thread of the last start, without reading it."""
        self._backend = backend
        self._threads = threads
        self._assistants = assistants
        self._next_run = next_run
        self._drafts = drafts
        self._search = search
        self._place = place
        self._feed = feed
        self._tasks = tasks
        self._named_thread = thread_id
        self._watchers: list[Callable[[Conversation], None]] = []
        self._by_thread: dict[str, Conversation] = {}
        self._unsaved: set[Conversation] = set()  # shown, or with messages on their way to a new thread
        self.shown = self._make_with_options(thread_id or place.thread_id)
        """The one that is shown."""
        place.thread_id = self.shown.thread_id

    def watch(self, watcher: Callable[[Conversation], None]) -> None:
        """Call `watcher` after each change of any conversation, before subscribers of the feed hear of it."""
        self._watchers.append(watcher)

    # what there is

    @property
    def reference(self) -> ThreadReference | None:
        """The shown thread in the history."""
        thread_id = self.shown.thread_id
        return self._threads.reference_of(thread_id) if thread_id else None

    @property
    def foreign_thread(self) -> str | None:
        """The thread that the user named to begin with, if the history can be read and does not have it."""
        named = self._named_thread
        known = named is None or self._threads.reference_of(named) is not None
        return None if known or not self._threads.is_readable else named

    @property
    def busy_threads(self) -> frozenset[str]:
        """Threads with an active run or a text on its way."""
        return frozenset(key for key, one in self._by_thread.items() if one.busy)

    @property
    def waiting_threads(self) -> frozenset[str]:
        """Threads whose run waits for an answer: outputs of functions, or a decision on code."""
        return frozenset(key for key, one in self._by_thread.items() if one.activity == "waiting")

    @property
    def busy(self) -> list[Conversation]:
        """The conversations whose followers would be lost if the app ended now."""
        return [one for one in self._all if one.busy]

    @property
    def _all(self) -> set[Conversation]:
        return {self.shown, *self._by_thread.values(), *self._unsaved}

    # opening

    def new(self) -> None:
        """Show an empty conversation. The server gets a thread with its first message."""
        if self.shown.thread_id is not None or self.shown.outbox:
            waiting = self._unsaved - {self.shown}  # with what could not be sent
            self._show(next((one for one in waiting if not one.busy), None) or self._make(None))

    def show_empty(self) -> Conversation:
        """Show an empty conversation, also where there is an unsaved one already."""
        self._show(self._make(None))
        return self.shown

    async def open(self, thread_id: str) -> Conversation:
        """Show a thread and read it. A failure is kept in the conversation's `error`."""
        conversation = self._by_thread.get(thread_id) or self._make_with_options(thread_id)
        self._threads.mark_read(thread_id)
        reference = self._threads.reference_of(thread_id)
        if reference is not None:
            self._assistants.prefer(reference.assistant_id)
        self._show(conversation)
        conversation.look_again()
        await conversation.open()
        return conversation

    async def add(self, thread_id: str) -> None:
        """Put a thread of the server into the history and show it. Raises `ServiceError`."""
        reference = await self._threads.add(thread_id)
        await self.open(reference.id)

    async def leave(self, thread_id: str) -> None:
        """Close the conversation of a thread that is gone. Raises `ServiceError`."""
        if (gone := self._by_thread.pop(thread_id, None)) is not None:
            await gone.close()
        if self.shown.thread_id == thread_id:
            self.show_empty()
        await self._threads.refresh()

    def keep_options(self, options: RunOptions) -> None:
        """Make the runs of the shown thread with these options from now on."""
        self.shown.options = options
        if (thread_id := self.shown.thread_id) is not None:
            self._tasks.start(self.save(self._threads.history.keep_options(thread_id, options)))
        self._feed.post(Changed.CONVERSATION)

    # what other windows do

    async def read_again(self) -> None:
        """Read the history again, and what is new in the shown thread. Raises `ServiceError`."""
        self.shown.look_again()
        await self._threads.refresh()

    async def notice(self) -> None:
        """Read what others have changed: the history, or what could not be read of the shown thread.

        Raises `ServiceError`.
        """
        if not await self._threads.notice() and self.shown.outdated:
            self.shown.look_again()

    async def save(self, *changes: Awaitable[object]) -> None:
        """Make changes of the history that go with something else, and read it again.

        The threads themselves are safe on the server: a failure is reported in the shown conversation.
        """
        try:
            for change in changes:
                await change
            await self._threads.refresh()
        except Exception as error:  # noqa: BLE001 - nobody waits for it who could say what is wrong
            self.shown.report(unexpected(error))

    # the end

    async def close(self) -> None:
        """Stop following all runs, and keep what was not sent as drafts."""
        for conversation in self._all:
            await conversation.close()
        unsent: dict[str | None, list[Draft]] = {}
        for conversation in self._all:
            unsent.setdefault(conversation.thread_id, []).extend(conversation.sender.outbox.unsent)
        self._drafts.put_unsent(unsent)

    # inside

    def _make_with_options(self, thread_id: str | None) -> Conversation:
        conversation = self._make(thread_id)
        if thread_id is not None:
            self._by_thread[thread_id] = conversation
            if (reference := self._threads.reference_of(thread_id)) is not None:
                conversation.options = restored(reference.run_options or "")
        return conversation

    def _make(self, thread_id: str | None) -> Conversation:
        conversation = Conversation(
            self._backend,
            thread_id,
            created=lambda *made: self._thread_created(conversation, *made),
            acted=lambda assistant_id: self._note_use(conversation, assistant_id),
            settle=lambda draft: self._next_run.complete_when_listed(draft, conversation),
            seen=self._search.put,
        )
        conversation.subscribe(partial(self._changed, conversation))
        if thread_id is None:
            self._unsaved.add(conversation)
        return conversation

    async def _thread_created(
        self, conversation: Conversation, thread: Thread, assistant_id: str, text: str
    ) -> None:
        await self._threads.history.remember(thread, assistant_id, text, conversation.options)

    def _note_use(self, conversation: Conversation, assistant_id: str) -> None:
        """Note that its thread is used: other windows take that as the sign to read what is new in it."""
        if (thread_id := conversation.thread_id) is not None:
            self._tasks.start(self.save(self._threads.history.touch(thread_id, assistant_id)))

    def _changed(self, conversation: Conversation) -> None:
        if conversation.thread_id is not None and conversation in self._unsaved:
            self._has_thread(conversation, conversation.thread_id)
        for watcher in self._watchers:
            watcher(conversation)
        if conversation is self.shown:
            self._feed.post(Changed.CONVERSATION)

    def _has_thread(self, conversation: Conversation, thread_id: str) -> None:
        """An unsaved conversation has got its thread."""
        self._unsaved.discard(conversation)
        self._by_thread[thread_id] = conversation
        if conversation is self.shown or self.shown.thread_id is not None:
            self._drafts.found_thread(thread_id)  # what is written for a new thread was for this one
        if conversation is self.shown:
            self._remember_place()
        self._tasks.start(self.save())

    def _show(self, conversation: Conversation) -> None:
        if not self.shown.outbox:
            self._unsaved.discard(self.shown)
        self.shown = conversation
        self._remember_place()
        self._feed.post(Changed.PLACE | Changed.THREADS | Changed.ASSISTANTS | Changed.CONVERSATION)

    def _remember_place(self) -> None:
        self._place.thread_id = self.shown.thread_id
        self._place.save()
