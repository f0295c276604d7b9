"""Tells of runs of any thread that end or begin to wait for the user."""

from collections.abc import Callable
from dataclasses import dataclass

from assistants_tui.service.changes import Changed, ChangeFeed
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.threads.thread_list import ThreadList


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run has ended, or waits for the user."""

    thread_id: str
    title: str
    outcome: str
    """Its status in words, or what it waits for."""
    in_background: bool
    """Another thread was shown."""


class RunNotices:
    """Compares what each conversation does with what it did before."""

    def __init__(
        self, threads: ThreadList, feed: ChangeFeed, *, is_shown: Callable[[Conversation], bool]
    ) -> None:
        self._threads = threads
        self._feed = feed
        self._is_shown = is_shown
        self._watchers: list[Callable[[RunEnded], None]] = []
        self._known: dict[Conversation, tuple[str, bool]] = {}

    def watch(self, watcher: Callable[[RunEnded], None]) -> None:
        """Call `watcher` whenever a run of any thread ends or waits for the user."""
        self._watchers.append(watcher)

    def sync(self, conversation: Conversation) -> None:
        """Look at a conversation that has changed."""
        before = self._known.get(conversation, ("idle", False))
        now = self._known[conversation] = (conversation.activity, conversation.busy)
        if before == now:
            return
        activity = conversation.activity
        ended = activity == "idle" and conversation.latest_run is not None
        if activity != before[0] and (ended or activity == "waiting"):
            self._run_ended(conversation)
        self._feed.post(Changed.THREADS)

    def _run_ended(self, conversation: Conversation) -> None:
        thread_id, latest = conversation.thread_id, conversation.latest_run
        if thread_id is None or latest is None:
            return
        in_background = not self._is_shown(conversation)
        if in_background:
            self._threads.mark_unread(thread_id)
        outcome = (latest.status or "").replace("_", " ")
        if latest.pending_code is not None:
            outcome = "waits for you to look at code"
        elif latest.waits:
            outcome = "waits for the outputs of functions"
        ended = RunEnded(thread_id, self._threads.title_of(thread_id), outcome, in_background)
        for watcher in self._watchers:
            watcher(ended)
