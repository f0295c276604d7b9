"""What is written for each thread: shown again with it, and kept on disk until it is sent."""

from collections.abc import Callable

from textual.timer import Timer
from textual.widget import Widget

from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.draft_store import DraftStore
from assistants_tui.service.drafts import Draft
from assistants_tui.tui.panes.composer.message import MessageInComposer, Written

_KEEP_EVERY = 0.5
"""Seconds after which what was typed is on its way to the disk, however fast the user goes on."""


class ThreadDrafts:
    """Holds what is written for conversations that are not shown, and keeps all of it on disk."""

    def __init__(
        self, pane: Widget, store: DraftStore, message: MessageInComposer, restored: Callable[[], object]
    ) -> None:
        """`restored` is called when a draft from before the start is shown: its files may have gone."""
        self._pane = pane
        self._store = store
        self._message = message
        self._restored = restored
        self._aside: dict[str | None, Written] = {}  # by thread ID; None: the new thread
        self._unsaved: Conversation | None = None  # the one that the draft of None is for
        self._timer: Timer | None = None

    def keep_soon(self) -> None:
        """Keep what is written, once for all that is typed until then."""
        if self._timer is None:
            self._timer = self._pane.set_timer(_KEEP_EVERY, self.keep)

    def keep(self) -> None:
        """Keep what is written now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._store.put(self._message.conversation.thread_id, self._message.written.whole)

    def switch_to(self, conversation: Conversation) -> None:
        """Show what is written for another conversation."""
        self.set_aside(self._message.conversation, self._message.written)
        self.keep()
        self._message.conversation = conversation
        written = self._aside.pop(conversation.thread_id, None)
        self._message.put(written or Written())
        if written is None:
            self.restore()

    def restore(self) -> None:
        """Show what was kept for the thread before the start."""
        draft = self._store.get(self._message.conversation.thread_id)
        if draft != Draft(""):
            self._message.put(Written(draft))
        if draft.files:
            self._restored()

    def set_aside(self, conversation: Conversation, written: Written) -> None:
        """Hold what is written for a conversation that is not shown."""
        if (thread_id := conversation.thread_id) is None:
            self._unsaved = conversation
        self._aside[thread_id] = written

    def add(self, conversation: Conversation, change: Callable[[Written], Written]) -> None:
        """Change what is written for a conversation that is not shown."""
        written = change(self._aside.get(conversation.thread_id, Written()))
        self.set_aside(conversation, written)
        self._store.put(conversation.thread_id, written.whole)

    def find_thread(self) -> None:
        """Move the draft of the new thread to its ID, when it has one by now."""
        if self._unsaved is not None and (thread_id := self._unsaved.thread_id) is not None:
            self._unsaved = None
            if None in self._aside:
                self._aside[thread_id] = self._aside.pop(None)
