"""The services of one profile, put together: each has one subject, and posts its changes to one feed."""

import asyncio
from contextlib import AsyncExitStack

from assistants_tui.service.approvals.context import CallContext
from assistants_tui.service.approvals.open_approvals import OpenApprovals
from assistants_tui.service.assistants.assistant_list import AssistantList
from assistants_tui.service.assistants.assistant_store import AssistantStore
from assistants_tui.service.background import BackgroundTasks
from assistants_tui.service.changes import Changed, ChangeFeed
from assistants_tui.service.client.assistant_cache import cached_assistants
from assistants_tui.service.client.connection import Connection
from assistants_tui.service.conversation.branches import Branches
from assistants_tui.service.conversation.message_actions import MessageActions
from assistants_tui.service.conversation.next_run import NextRun
from assistants_tui.service.conversation.open_conversations import OpenConversations
from assistants_tui.service.conversation.run_notices import RunNotices
from assistants_tui.service.draft_store import DraftStore, Keep
from assistants_tui.service.export.exporter import Exporter
from assistants_tui.service.files.downloads import Downloads
from assistants_tui.service.files.name_cache import FileNameCache
from assistants_tui.service.files.passages import Passages
from assistants_tui.service.files.server_files import ServerFiles
from assistants_tui.service.functions.user_functions import UserFunctions
from assistants_tui.service.last_place import Place, Remember
from assistants_tui.service.problems import Problems
from assistants_tui.service.prompt_history import PromptHistory
from assistants_tui.service.search import MessageSearch, SearchIndex
from assistants_tui.service.session import Session
from assistants_tui.service.threads.history import History
from assistants_tui.service.threads.thread_list import ThreadList
from assistants_tui.service.vector_stores import ServerVectorStores
from assistants_tui.settings.config import Config, Profile
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState
from assistants_tui.settings.threads import ThreadIndex


class Workspace:
    """Makes the services of one profile and closes them. It knows none of their subjects itself."""

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
        self._closing: asyncio.Task[None] | None = None
        self._tasks = tasks = BackgroundTasks()
        self.feed = feed = ChangeFeed()
        self.problems = problems = Problems(feed)
        self.place = place = Place(profile.name, state, remember)
        self.prices = config.prices
        self._connection = Connection(
            profile, paths=paths, config=config, on_problem=problems.add, without_sandbox="ask"
        )
        backend = self._connection.backend
        self.files = ServerFiles(backend)
        self.vector_stores = ServerVectorStores(backend)
        self.assistant_store = AssistantStore(backend)
        self.file_names = FileNameCache(backend, lambda: feed.post(Changed.FILES))
        self.downloads = Downloads(backend, lambda: feed.post(Changed.FILES))

        def functions_changed() -> None:
            self.approvals.refresh()

        self.functions = UserFunctions(paths, config, functions_changed)
        self.approvals = OpenApprovals(
            CallContext(profile.name, self.functions.callable, self.functions.approvals, paths.calls_log),
            lambda: feed.post(Changed.APPROVALS),
        )
        self.drafts = DraftStore(paths.drafts_dir, paths.cache_dir / "pasted", profile.name, keep)
        self.prompts = PromptHistory(paths.prompts_file, keep)
        self.search = MessageSearch(SearchIndex(paths.cache_dir / "search.sqlite3"), profile.name, tasks)
        self.assistants = AssistantList(
            backend,
            feed,
            place,
            known=cached_assistants(paths, profile),
            wanted=assistant or place.assistant_id,
        )
        self.passages = Passages(backend, self.assistants)
        self.session = Session(
            self._connection,
            self.assistants,
            feed,
            tasks,
            on_connected=lambda: tasks.start(self.threads.find_unknown()),
        )

        async def leave(removed: str) -> None:
            await self.conversations.leave(removed)

        def look_again() -> None:
            self.conversations.shown.look_again()

        index = ThreadIndex(paths.threads_file)
        self.threads = ThreadList(
            index,
            History(index, profile.name, backend),
            profile.name,
            search=self.search,
            feed=feed,
            problems=problems,
            on_removed=leave,
            on_foreign_change=look_again,
        )
        next_run = NextRun(self.session, self.assistants)
        self.conversations = OpenConversations(
            backend,
            threads=self.threads,
            assistants=self.assistants,
            next_run=next_run,
            drafts=self.drafts,
            search=self.search,
            place=place,
            feed=feed,
            tasks=tasks,
            thread_id=thread_id,
        )
        self.run_notices = RunNotices(
            self.threads, feed, is_shown=lambda conversation: conversation is self.conversations.shown
        )
        self.run_notices.watch(lambda ended: self.session.read_balance())
        self.conversations.watch(self.approvals.sync)
        self.conversations.watch(self.run_notices.sync)
        self.messages = MessageActions(self.conversations, next_run, self.prompts, self.search)
        self.branches = Branches(
            backend,
            self.conversations,
            self.assistants,
            history=self.threads.history,
            next_run=next_run,
            prompts=self.prompts,
        )
        self.exporter = Exporter(backend, self.file_names, self.threads, self.assistants, paths.downloads_dir)

    async def close(self) -> None:
        """Stop following all runs and close the connection, and with it an embedded engine.

        Nothing is posted of what happens meanwhile: the screens of this workspace are closing, too. Closing
        twice is closing once, and waiting for the same end. Raises what closing a part raised, once all are
        closed.
        """
        self.feed.close()
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        # shielded: a caller that gives up waiting must not leave an engine behind that is half closed
        await asyncio.shield(self._closing)

    @property
    def closing(self) -> bool:
        """Whether it is closed, or on the way to be."""
        return self._closing is not None

    async def _close(self) -> None:
        async with AsyncExitStack() as parts:  # the last one first, and each whatever another raises
            parts.push_async_callback(self._connection.close)
            parts.push_async_callback(self.search.close)
            parts.push_async_callback(self.file_names.close)
            parts.push_async_callback(self.functions.close)
            parts.push_async_callback(self.approvals.close)
            await self.conversations.close()
            await self._tasks.wait()
