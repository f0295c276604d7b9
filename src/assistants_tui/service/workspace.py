"""One profile as the app shows it: its assistants, its thread history, and the conversations being held.

Whoever draws subscribes and is told what kind of thing has changed, then reads the attributes. Changes are
made by calling methods; nobody sets an attribute from outside.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from enum import Flag, auto
from functools import partial
from pathlib import Path

from assistants_tui.protocol.objects import Assistant, Message, Metadata, Thread
from assistants_tui.service import views
from assistants_tui.service.approvals.pending_actions import PendingActions
from assistants_tui.service.assistants.cache import cached_assistants
from assistants_tui.service.client.connection import Connection
from assistants_tui.service.conversation.branching import branch, up_to
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError, unexpected
from assistants_tui.service.export.document import Format
from assistants_tui.service.export.writing import collect, rendered, save
from assistants_tui.service.files.directory import FileDirectory
from assistants_tui.service.files.downloads import Downloads
from assistants_tui.service.files.local import keep_paste
from assistants_tui.service.kept_drafts import Keep, KeptDrafts
from assistants_tui.service.runs.options import RunOptions, merged, restored
from assistants_tui.service.search import Hit, SearchIndex
from assistants_tui.service.threads.history import History
from assistants_tui.settings.config import Config, Profile
from assistants_tui.settings.files import SettingsError, private_directory
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.prompts import add_prompts, load_prompts
from assistants_tui.settings.state import AppState
from assistants_tui.settings.threads import ThreadIndex, ThreadReference

Remember = Callable[[Callable[[AppState], AppState]], None]
"""Keeps a change of the app's state for the next start."""


class Changed(Flag):
    """What has changed since subscribers were told the last time."""

    CONNECTION = auto()
    ASSISTANTS = auto()
    """The list of assistants, or which one answers next."""
    THREADS = auto()
    """The history, or which of its threads are busy."""
    PLACE = auto()
    """Another conversation is shown."""
    CONVERSATION = auto()
    """Something in the shown conversation: its messages, runs, outbox or options."""
    FILES = auto()
    """Names of files have become known, or a download got on."""
    BALANCE = auto()
    """The token balance."""
    PROBLEMS = auto()
    """There is something to `take_problems`."""
    CALLS = auto()
    """Function calls that runs wait for."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run has come to its end, or to where it waits for the user."""

    thread_id: str
    title: str
    words: str
    """What became of it."""
    in_background: bool
    """Another thread was shown."""


class Workspace:
    """Everything that one profile shows. Methods raise `ServiceError` where they say so, and else nothing."""

    def __init__(
        self,
        profile: Profile,
        *,
        paths: Paths,
        config: Config,
        state: AppState,
        remember: Remember = lambda change: None,
        keep: Keep = lambda write: None,
        assistant: str | None = None,
        thread_id: str | None = None,
    ) -> None:
        """Reads what is on disk, nothing else. Begins with `assistant` (name or ID) and `thread_id`.

        Blocks on the disk, and on the lock of a history that is damaged; it may be called in any thread.
        """
        place = state.profile(profile.name)
        self.profile = profile
        self.connection = Connection(
            profile, paths=paths, config=config, told=self._tell_problem, without_sandbox="ask"
        )
        self._problems: list[str] = []
        self._unreadable = ""  # why the history could not be read, when that was said last
        self._loop: asyncio.AbstractEventLoop | None = None
        self.file_names = FileDirectory(self.connection.backend, lambda: self._tell(Changed.FILES))
        self.downloads = Downloads(self.connection.backend, lambda: self._tell(Changed.FILES))
        self.functions = PendingActions(profile.name, paths, config, lambda: self._tell(Changed.CALLS))
        self.prices = config.prices
        self._search = SearchIndex(paths.cache_dir / "search.sqlite3")
        self.downloads_dir = paths.downloads_dir
        self._paths, self._keep = paths, keep
        self._index = ThreadIndex(paths.threads_file)
        self.history = History(self._index, profile.name, self.connection.backend)
        self._seen_history: object = None  # the version of it that was read last
        self.threads: Sequence[ThreadReference] = self._known_threads()
        """The history, or its archive: pinned threads first, then the last used first."""
        self.showing_archive = False
        self.unread: frozenset[str] = frozenset()
        """Threads whose run ended while another thread was shown."""
        self.found_threads: Sequence[Thread] = ()
        """Threads of the server that were not in the history when it was last asked."""
        self.balance: int | None = None
        """Tokens that are left of the user's budget; None without one."""
        self.assistants: Sequence[Assistant] = cached_assistants(paths, profile)
        self.assistant_id: str | None = None
        """Who answers the next message."""
        self.connected = False
        """Whether the server has answered."""
        self.error: ServiceError | None = None
        """Why there is no connection."""
        self._asked = asyncio.Event()  # set once the server has listed its assistants, or could not
        self._wanted_assistant, self._named_thread = assistant or place.last_assistant, thread_id
        self.remember = remember  # keeps a change of the app's state for the next start
        self._place = place
        self.drafts = KeptDrafts(paths.drafts_dir, profile.name, keep)
        self._subscribers: list[Callable[[Changed], None]] = []
        self._closing: asyncio.Task[None] | None = None
        self._watchers: list[Callable[[Ended], None]] = []
        self._held: dict[str, Conversation] = {}
        self._threadless: set[Conversation] = set()  # shown, or with messages on their way to a new thread
        self._activity: dict[Conversation, str] = {}
        self._busy: frozenset[str] = frozenset()
        self._undo: list[tuple[str, ThreadReference]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._settle_assistant()
        self.conversation = self._conversation_of(thread_id or place.last_thread)
        """The one that is shown."""

    # what there is

    @property
    def assistant(self) -> Assistant | None:
        """Who answers the next message."""
        return next((one for one in self.assistants if one["id"] == self.assistant_id), None)

    @property
    def assistant_names(self) -> Mapping[str, str]:
        """The assistants' names by ID; an assistant without a name is called by its ID."""
        return {one["id"]: one.get("name") or one["id"] for one in self.assistants}

    @property
    def foreign_thread(self) -> str | None:
        """The thread that the user named to begin with, if the history can be read and does not have it."""
        named = self._named_thread
        known = named is None or self.reference_of(named) is not None or self._unreadable
        return None if known else named

    @property
    def reference(self) -> ThreadReference | None:
        """The shown thread in the history."""
        thread_id = self.conversation.thread_id
        return self.reference_of(thread_id) if thread_id else None

    @property
    def busy_threads(self) -> frozenset[str]:
        """Threads with an active run or a text on its way."""
        return frozenset(key for key, conversation in self._held.items() if conversation.busy)

    @property
    def waiting_threads(self) -> frozenset[str]:
        """Threads whose run waits for an answer: outputs of functions, or a decision on code."""
        return frozenset(key for key, one in self._held.items() if one.activity == "waiting")

    @property
    def busy_conversations(self) -> list[Conversation]:
        """The conversations whose followers would be lost if the app ended now."""
        return [one for one in self._conversations if one.busy]

    @property
    def _conversations(self) -> set[Conversation]:
        return {self.conversation, *self._held.values(), *self._threadless}

    def subscribe(self, subscriber: Callable[[Changed], None]) -> Callable[[], None]:
        """Call `subscriber` after each change, until the returned function is called."""
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with suppress(ValueError):  # closing has done it already
                self._subscribers.remove(subscriber)

        return unsubscribe

    def watch_runs(self, watcher: Callable[[Ended], None]) -> None:
        """Call `watcher` whenever a run of any thread ends or waits for the user."""
        self._watchers.append(watcher)

    def take_problems(self) -> list[str]:
        """Mistakes in the user's own files that were found since the last call, as sentences."""
        problems, self._problems = self._problems, []
        return problems

    # the server

    async def connect(self) -> None:
        """Open the server and list its assistants. A failure is kept in `error`; call again to try again."""
        self._loop = asyncio.get_running_loop()
        self.error = None
        self._asked.clear()
        self._tell(Changed.CONNECTION | Changed.PROBLEMS)
        try:
            await self._read_assistants()
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no connection, and that is said
            self.error = unexpected(error)
            self._asked.set()
            self._tell(Changed.CONNECTION)
        else:
            self.connected = True
            self._asked.set()
            self._tell(Changed.CONNECTION | Changed.ASSISTANTS)
            self._start(self._read_balance())
            self._start(self._look_for_threads())

    async def _look_for_threads(self) -> None:
        with suppress(ServiceError):  # nothing was asked for, so nothing is missed
            self.found_threads = await self.history.unknown_threads() or ()
            if self.found_threads:
                self._tell(Changed.THREADS)

    async def refresh_assistants(self) -> None:
        """Read the list again. Raises `ServiceError`."""
        await self._read_assistants()
        self._tell(Changed.ASSISTANTS)

    async def notice_assistants(self) -> None:
        """Take over what another window did to the assistants. Raises `ServiceError`."""
        if self.connected:
            before = self.assistants
            await self._read_assistants()
            if self.assistants != before:
                self._tell(Changed.ASSISTANTS)

    async def _read_assistants(self) -> None:
        backend = await self.connection.backend()
        self.assistants = await backend.assistants.list()
        self._settle_assistant()

    def _settle_assistant(self) -> None:
        """The wanted assistant if there is one of that name or ID, else the first."""
        names = self.assistant_names
        if self.assistant_id not in names:
            wanted = self._wanted_assistant
            self.assistant_id = next(
                (key for key, name in names.items() if wanted in (key, name)), next(iter(names), None)
            )

    async def close(self) -> None:
        """Stop following all runs and close the connection, and with it an embedded engine.

        Nobody is told of what happens meanwhile: whoever drew this workspace is going, too. Closing twice is
        closing once, and waiting for the same end. Raises what closing a part raised, once all are closed.
        """
        self._subscribers.clear()
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        # shielded: who gives up waiting must not leave an engine behind that is half closed
        await asyncio.shield(self._closing)

    @property
    def closing(self) -> bool:
        """Whether it is closed, or on the way to be."""
        return self._closing is not None

    async def _close(self) -> None:
        async with AsyncExitStack() as parts:  # the last one first, and each whatever another raises
            parts.push_async_callback(self.connection.close)
            parts.push_async_callback(asyncio.to_thread, self._search.close)
            parts.push_async_callback(self.file_names.close)
            parts.push_async_callback(self.functions.close)
            for conversation in self._conversations:
                await conversation.close()
            unsent: dict[str | None, list[Draft]] = {}
            for conversation in self._conversations:
                unsent.setdefault(conversation.thread_id, []).extend(conversation.sender.outbox.unsent)
            self.drafts.put_unsent(unsent)
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # choosing

    def choose_assistant(self, assistant_id: str) -> None:
        """Let this assistant answer from now on, also in the open thread."""
        self.assistant_id = assistant_id
        self._remember_place()
        self._tell(Changed.ASSISTANTS)

    def new_thread(self) -> None:
        """Show an empty conversation. The server gets a thread with its first message."""
        if self.conversation.thread_id is not None or self.conversation.outbox:
            waiting = self._threadless - {self.conversation}  # with what could not be sent
            self._show(next((one for one in waiting if not one.busy), None) or self._converse(None))

    async def open_thread(self, thread_id: str) -> Conversation:
        """Show a thread and read it. A failure is kept in the conversation's `error`."""
        conversation = self._held.get(thread_id) or self._conversation_of(thread_id)
        self.unread -= {thread_id}
        reference = self.reference_of(thread_id)
        if reference is not None and reference.assistant_id in self.assistant_names:
            self.assistant_id = reference.assistant_id
        self._show(conversation)
        conversation.look_again()
        await conversation.open()
        return conversation

    def send(self, draft: Draft) -> None:
        """Send a message to the shown thread, to be answered by the chosen assistant or that of its options.

        Before the server has listed its assistants for the first time the message waits for that. Raises
        `ServiceError` if there is nobody to answer, or if no server would take the message.
        """
        known = self.assistant_id is not None or self._asked.is_set()
        assistant_id, settled = self._settled(draft, self.conversation) if known else (None, draft)
        self._keep(partial(add_prompts, self._paths.prompts_file, draft.text))
        self.conversation.sender.send(settled, assistant_id)

    async def _settled_when_asked(self, conversation: Conversation, draft: Draft) -> tuple[str, Draft]:
        """Who answers a draft, once the server has listed its assistants. Raises `ServiceError`."""
        await self._asked.wait()
        if self.error is not None:
            raise self.error
        return self._settled(draft, conversation)

    async def send_instead(self, message_id: str, draft: Draft) -> Conversation:
        """Send a message in place of one of the shown thread: on a branch, which is shown first.

        Returns the branch. Raises `ServiceError`, and then there is none.
        """
        assistant_id, settled = self._settled(
            draft, self.conversation
        )  # nothing is made for what cannot be sent
        branch = await self.branch(message_id, including=False)
        self._keep(partial(add_prompts, self._paths.prompts_file, draft.text))
        branch.sender.send(settled, assistant_id)  # and not to what the user may look at by now
        return branch

    def _settled(self, draft: Draft, conversation: Conversation) -> tuple[str, Draft]:
        """Who answers, and the draft with everything decided. Raises `ServiceError` if it cannot be sent."""
        assistant_id, options = self._answerer(draft.options, conversation)
        assistant = next((one for one in self.assistants if one["id"] == assistant_id), None)
        settled = replace(draft, options=options).settled(assistant)
        settled.check()
        return assistant_id, settled

    @property
    def first_message(self) -> str | None:
        """The message at which reading goes on in the thread that was left last; None: at its end."""
        return self._place.first_message

    def leave_at(self, message_id: str | None) -> None:
        """Remember at which message of the shown thread reading stopped; None: at the end."""
        name = self.profile.name
        self.remember(
            lambda state: state.with_profile(name, replace(state.profile(name), first_message=message_id))
        )

    async def prompts(self) -> Sequence[str]:
        """What was sent before, in any profile, oldest first."""
        return await asyncio.to_thread(load_prompts, self._paths.prompts_file)

    async def keep_paste(self, text: str) -> Path:
        """Keep a pasted text that is too long to be edited until it is sent. Raises `ServiceError`."""
        return await asyncio.to_thread(keep_paste, self._paths.cache_dir / "pasted", text)

    def run(self, options: RunOptions | None = None) -> None:
        """Let the shown thread be answered as it is. Raises `ServiceError` if there is nobody to answer."""
        assistant_id, options = self._answerer(options or RunOptions(), self.conversation)
        self.conversation.sender.run(assistant_id, options)

    def _answerer(self, once: RunOptions, conversation: Conversation) -> tuple[str, RunOptions]:
        """Who answers, and the other options of the thread and of this one run."""
        options = merged(conversation.options, once)
        assistant_id = options.pop("assistant_id", self.assistant_id)
        if assistant_id is None:
            raise ServiceError(
                "There is no assistant to answer yet.",
                "Wait until the assistants are listed, or create one.",
                kind="refused",
                no_effect=True,
            )
        return assistant_id, options

    def keep_options(self, options: RunOptions) -> None:
        """Make the runs of the shown thread with these options from now on."""
        self.conversation.options = options
        if (thread_id := self.conversation.thread_id) is not None:
            self._start(self._change_history(self.history.keep_options(thread_id, options)))
        self._tell(Changed.CONVERSATION)

    # messages

    async def delete_message(self, message_id: str) -> None:
        """Delete a message of the shown thread for good. Raises `ServiceError`."""
        conversation = self.conversation
        await conversation.delete_message(message_id)
        await asyncio.to_thread(
            self._search.forget, self.profile.name, conversation.thread_id or "", message_id
        )

    async def update_message(self, message_id: str, metadata: Metadata) -> None:
        """Replace the metadata of a message of the shown thread. Raises `ServiceError`."""
        await self.conversation.pages.update_metadata(message_id, metadata)

    async def answer_again(self) -> None:
        """Replace what was written after the last message of the user by a new answer.

        Raises `ServiceError`; what was deleted until then stays deleted.
        """
        messages = list(self.conversation.messages.values())
        while messages and messages[-1]["role"] == "assistant":
            await self.delete_message(messages.pop()["id"])
        self.run()

    async def branch(self, message_id: str, *, including: bool) -> Conversation:
        """Make and show a new thread with copies of the messages up to this one. Raises `ServiceError`.

        Older messages that are not read yet are read first, so that the branch begins where the thread does.
        """
        origin, reference, assistant_id = self.conversation, self.reference, self.assistant_id
        while origin.pages.has_older:
            read = len(origin.messages)
            await origin.pages.read_older()
            if len(origin.messages) == read:
                raise origin.error or ServiceError("The older messages could not be read.", "Try again.")
        if message_id not in origin.messages:
            raise ServiceError("The message is not in the thread any more.", kind="not_found", no_effect=True)
        messages = up_to(origin.messages.values(), message_id, including=including)
        options = origin.options
        if not messages:
            self._show(self._converse(None))
            self.keep_options(options)
            return self.conversation
        backend = await self.connection.backend()
        marks = {"branched_from": origin.thread_id or "", "branched_at": message_id}
        thread = await branch(backend, messages, marks)
        title = reference.title if reference is not None else views.shown_text(messages[0]).text
        await self.history.remember(thread, assistant_id, title, options)
        await self._change_history()  # the branch is there, whatever the list shows
        return await self.open_thread(thread["id"])

    async def answer_on_branch(self, message_id: str) -> None:
        """Let the shown thread be answered anew from this message on, on a branch. Raises `ServiceError`."""
        assistant_id, options = self._answerer(RunOptions(), self.conversation)
        branch = await self.branch(message_id, including=True)
        branch.sender.run(assistant_id, options)

    # the history

    async def refresh_threads(self) -> None:
        """Read the history again: another window may have changed it. Raises `ServiceError`."""
        version = await self.history.version()  # before it is read: a later change is seen next time
        self.threads = await self.history.list(archived=self.showing_archive)
        self._seen_history = version
        self._unreadable = ""
        if self.history.changed_elsewhere():
            self.conversation.look_again()  # it may be this thread that was used elsewhere
        self._note_problems()
        self._tell(Changed.THREADS | Changed.PROBLEMS)

    async def notice_threads(self) -> None:
        """Look at what others did if the history is not what was read last, or if that failed before.

        Raises `ServiceError`.
        """
        if await self.history.version() != self._seen_history:
            await self.refresh_threads()
        elif self.conversation.outdated:
            self.conversation.look_again()

    async def look_again(self) -> None:
        """Read the history again, and what is new in the shown thread. Raises `ServiceError`."""
        self.conversation.look_again()
        await self.refresh_threads()

    async def show_archive(self, archive: bool) -> None:
        """Show the archived threads, or the others. Raises `ServiceError`."""
        self.showing_archive = archive
        await self.refresh_threads()

    async def rename_thread(self, thread_id: str, title: str) -> None:
        """Raises `ServiceError`."""
        await self._undoably("renamed", thread_id, self.history.rename(thread_id, title))

    async def pin_thread(self, thread_id: str, pinned: bool) -> None:
        """Keep a thread at the top, or not any more. Raises `ServiceError`."""
        what = "pinned" if pinned else "unpinned"
        await self._undoably(what, thread_id, self.history.pin(thread_id, pinned))

    async def archive_thread(self, thread_id: str, archived: bool) -> None:
        """Put a thread away into the archive, or take it out. Raises `ServiceError`."""
        what = "archived" if archived else "taken out of the archive"
        await self._undoably(what, thread_id, self.history.archive(thread_id, archived))

    async def forget_thread(self, thread_id: str) -> None:
        """Take a thread out of the history; the server keeps it. Raises `ServiceError`."""
        await self._undoably("removed from the history", thread_id, self.history.forget(thread_id))
        await self._leave(thread_id)

    async def delete_thread(self, thread_id: str) -> None:
        """Delete a thread on the server and here; it cannot be undone. Raises `ServiceError`."""
        await self.history.delete(thread_id)
        self._undo = [entry for entry in self._undo if entry[1].id != thread_id]
        await asyncio.to_thread(self._search.forget, self.profile.name, thread_id)
        await self._leave(thread_id)

    async def undo(self) -> str | None:
        """Take the last change of the history back and say so in a sentence. None if there is none.

        Raises `ServiceError`.
        """
        if not self._undo:
            return None
        what, reference = self._undo.pop()
        await self.history.undo(reference)
        await self.refresh_threads()
        return f"Undone: “{reference.title}” had been {what}."

    async def _undoably(self, what: str, thread_id: str, change: Awaitable[object]) -> None:
        before = self.reference_of(thread_id)
        await change
        if before is not None:
            self._undo.append((what, before))
        await self.refresh_threads()

    async def add_thread(self, thread_id: str) -> None:
        """Put a thread of the server into the history and show it. Raises `ServiceError`."""
        reference = await self.history.add_by_id(thread_id)
        self.found_threads = [thread for thread in self.found_threads if thread["id"] != reference.id]
        await self.refresh_threads()
        await self.open_thread(reference.id)

    async def adopt_threads(self, threads: Sequence[Thread]) -> None:
        """Put threads that the server showed into the history. Raises `ServiceError`."""
        for thread in threads:
            await self.history.adopt(thread)
        taken = {thread["id"] for thread in threads}
        self.found_threads = [thread for thread in self.found_threads if thread["id"] not in taken]
        await self.refresh_threads()

    async def export(self, thread_id: str, form: Format, path: Path, *, overwrite: bool = False) -> None:
        """Save a whole thread as a document.

        Raises `ServiceError`, with the code `exists` if there is something at `path` already.
        """
        backend = await self.connection.backend()
        document = await collect(
            backend,
            self.file_names,
            thread_id,
            title=self.title_of(thread_id),
            assistants=self.assistant_names,
        )

        def write() -> None:
            if path.parent == self.downloads_dir:  # the place that we suggest; others are the user's business
                private_directory(path.parent)
            save(path, rendered(document, form), overwrite=overwrite)

        await asyncio.to_thread(write)

    # searching

    async def search(self, query: str) -> list[Hit]:
        """Messages of this profile that match, of those that this machine has seen. Raises `ServiceError`."""
        return await asyncio.to_thread(self._search.find, self.profile.name, query)

    def reference_of(self, thread_id: str) -> ThreadReference | None:
        """A thread in the history or its archive, as that was read last; None too where it cannot be read."""
        return self._index.known(self.profile.name, thread_id)

    def title_of(self, thread_id: str) -> str:
        """The title of a thread in the history or its archive; its ID where it has none."""
        reference = self.reference_of(thread_id)
        return (reference.title if reference is not None else "") or thread_id

    def _index_messages(self, messages: Iterable[Message]) -> None:
        self._start(asyncio.to_thread(self._search.put, self.profile.name, list(messages)))

    async def _leave(self, thread_id: str) -> None:
        if (gone := self._held.pop(thread_id, None)) is not None:
            await gone.close()
        if self.conversation.thread_id == thread_id:
            self._show(self._converse(None))
        await self.refresh_threads()

    async def _change_history(self, *changes: Awaitable[object]) -> None:
        """Changes that go with something else; the thread itself is safe on the server if they fail."""
        try:
            for change in changes:
                await change
            await self.refresh_threads()
        except Exception as error:  # noqa: BLE001 - nobody waits for it who could say what is wrong
            self.conversation.report(unexpected(error))

    # conversations

    def _conversation_of(self, thread_id: str | None) -> Conversation:
        conversation = self._converse(thread_id)
        if thread_id is not None:
            self._held[thread_id] = conversation
            if (reference := self.reference_of(thread_id)) is not None:
                conversation.options = restored(reference.run_options or "")
        return conversation

    def _converse(self, thread_id: str | None) -> Conversation:
        conversation = Conversation(
            self.connection.backend,
            thread_id,
            created=lambda *made: self._thread_created(conversation, *made),
            acted=lambda assistant_id: self._note_use(conversation, assistant_id),
            settle=lambda draft: self._settled_when_asked(conversation, draft),
            seen=self._index_messages,
        )
        conversation.subscribe(partial(self._conversation_changed, conversation))
        if thread_id is None:
            self._threadless.add(conversation)
        return conversation

    async def _thread_created(
        self, conversation: Conversation, thread: Thread, assistant_id: str, text: str
    ) -> None:
        await self.history.remember(thread, assistant_id, text, conversation.options)

    def _note_use(self, conversation: Conversation, assistant_id: str) -> None:
        """Note that its thread is used: other windows take that as the sign to read what is new in it."""
        if (thread_id := conversation.thread_id) is not None:
            self._start(self._change_history(self.history.touch(thread_id, assistant_id)))

    def _hold(self, conversation: Conversation, thread_id: str) -> None:
        """A conversation has got its thread."""
        self._threadless.discard(conversation)
        self._held[thread_id] = conversation
        if conversation is self.conversation or self.conversation.thread_id is not None:
            self.drafts.found_thread(thread_id)  # what is written for a thread to come was for this one
        if conversation is self.conversation:
            self._remember_place()
        self._start(self._change_history())

    def _conversation_changed(self, conversation: Conversation) -> None:
        if conversation.thread_id is not None and conversation in self._threadless:
            self._hold(conversation, conversation.thread_id)
        self.functions.sync(conversation)
        changed = Changed(0)
        before, now = self._activity.get(conversation, "idle"), conversation.activity
        if before != now:
            self._activity[conversation] = now
            changed |= Changed.THREADS
            if now == "waiting" or (now == "idle" and conversation.latest_run is not None):
                self._run_ended(conversation)
        if conversation is self.conversation:
            changed |= Changed.CONVERSATION
        if (busy := self.busy_threads) != self._busy:
            self._busy = busy
            changed |= Changed.THREADS
        if changed:
            self._tell(changed)

    def _run_ended(self, conversation: Conversation) -> None:
        thread_id, latest = conversation.thread_id, conversation.latest_run
        if thread_id is None or latest is None:
            return
        in_background = conversation is not self.conversation
        if in_background:
            self.unread |= {thread_id}
            self._tell(Changed.THREADS)
        self._start(self._read_balance())
        words = (latest.status or "").replace("_", " ")
        if latest.pending_code is not None:
            words = "waits for you to look at code"
        elif latest.waits:
            words = "waits for the outputs of functions"
        for watcher in self._watchers:
            watcher(Ended(thread_id, self.title_of(thread_id), words, in_background))

    async def _read_balance(self) -> None:
        if self.profile.runs.token_balance is not None:
            try:
                backend = await self.connection.backend()
            except ServiceError:
                return  # `error` says so
            self.balance = await backend.budget.balance()
            self._tell(Changed.BALANCE)

    def _show(self, conversation: Conversation) -> None:
        if not self.conversation.outbox:
            self._threadless.discard(self.conversation)
        self.conversation = conversation
        self._remember_place()
        self._tell(Changed.PLACE | Changed.THREADS | Changed.ASSISTANTS | Changed.CONVERSATION)

    def _remember_place(self) -> None:
        name, thread_id, assistant_id = self.profile.name, self.conversation.thread_id, self.assistant_id
        self.remember(
            lambda state: state.with_profile(
                name, replace(state.profile(name), last_thread=thread_id, last_assistant=assistant_id)
            )
        )

    def _known_threads(self) -> Sequence[ThreadReference]:
        """The history as it is on the disk; nothing where that cannot be read, and then `take_problems`."""
        try:
            self._seen_history = self._index.version()
            found = self._index.list(self.profile.name)
        except SettingsError as error:
            self._note_unreadable(error)
            return ()
        self._note_problems()
        return found

    def _note_unreadable(self, error: SettingsError) -> None:
        """Say it once, however often the history is looked at."""
        if str(error) != self._unreadable:
            self._unreadable = str(error)
            self._problems.append(self._unreadable)

    def _note_problems(self) -> None:
        """Take over what was found wrong with the history's file."""
        self._problems += self._index.problems
        self._index.problems.clear()

    def _tell_problem(self, problem: str) -> None:
        """Called in the thread of the hooks."""

        def tell() -> None:
            self._problems.append(problem)
            self._tell(Changed.PROBLEMS)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(tell)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, changed: Changed) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber(changed)
