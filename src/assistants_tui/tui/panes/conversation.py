"""The conversation in the middle: messages of the open thread, function calls that wait, the composer."""

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from assistants_tui.service.conversation import Conversation, Outgoing
from assistants_tui.service.wire import Message as WireMessage
from assistants_tui.tui.message_items import message_item, outgoing_item
from assistants_tui.tui.panes.function_calls import FunctionCallsPanel
from assistants_tui.tui.widgets.composer import Composer
from assistants_tui.tui.widgets.message_body import MessageItem
from assistants_tui.tui.widgets.message_view import MessageView

_FRAME = 1 / 30
"""Seconds between two looks at the conversation while it changes; a token may arrive every millisecond."""


class ConversationPane(Vertical):
    """Draws one `Conversation` and hands what the user writes to whoever holds it."""

    HELP: ClassVar[str] = "Type and press Enter. The up key brings earlier prompts back. Esc stops a run."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "retry", "Retry", id="conversation.retry", tooltip="Try again what failed"),
    ]

    class OlderWanted(Message):
        """The reader came to the top and there is more above."""

    class RetryWanted(Message):
        """The user wants to try again what failed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._conversation: Conversation | None = None
        self._names: Mapping[str, str] = {}
        self._drawn: dict[str, WireMessage | Outgoing] = {}
        self._scheduled = False
        self._trouble = ("", "")

    def compose(self) -> ComposeResult:
        yield MessageView(id="messages")
        yield Static(id="trouble")
        yield Composer(id="composer", placeholder="Type a message, Enter sends it")

    def on_mount(self) -> None:
        self.query_one("#trouble").display = False

    @property
    def messages(self) -> MessageView:
        return self.query_one(MessageView)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    def show(self, conversation: Conversation | None, names: Mapping[str, str]) -> None:
        """Show `conversation` from the start; `names` are the assistants' names by ID."""
        self._conversation = conversation
        self._names = names
        self._drawn = {}
        self._draw_all()
        self._draw_around()

    def show_empty(self, text: str) -> None:
        """What stands in the middle while there is no message."""
        self.messages.empty_text = text

    def rename(self, names: Mapping[str, str]) -> None:
        """The assistants' names have changed."""
        if names != self._names:
            self._names = names
            self._draw_all()

    def conversation_changed(self) -> None:
        """Look at the conversation again soon. Cheap to call for every token."""
        if not self._scheduled:
            self._scheduled = True
            self.set_timer(_FRAME, self._look)

    def show_trouble(self, what: str, advice: str) -> None:
        """Show what went wrong and what to do about it; nothing if `what` is empty."""
        if (what, advice) == self._trouble:
            return
        self._trouble = (what, advice)
        line = self.query_one("#trouble", Static)
        line.display = bool(what)
        line.update(Content.assemble(("✗ ", "$text-error"), f"{what} {advice}"))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "retry":
            return self._conversation is not None and (
                self._conversation.error is not None
                or any(item.state == "failed" for item in self._conversation.outbox)
            )
        return True

    def action_retry(self) -> None:
        self.post_message(self.RetryWanted())

    def _look(self) -> None:
        self._scheduled = False
        conversation = self._conversation
        if conversation is None:
            return
        known = list(self._drawn)
        ids = [*conversation.messages, *(item.id for item in conversation.outbox)]
        if ids[: len(known)] != known:
            self._draw_changed_order(ids, known)
        else:
            self._draw_new_and_changed(conversation)
        self._draw_around()

    def _draw_all(self) -> None:
        self._drawn = {}
        conversation = self._conversation
        if conversation is None:
            self.messages.set_items([], older=False)
            return
        self._drawn = {**conversation.messages, **{item.id: item for item in conversation.outbox}}
        self.messages.set_items(
            [self._item(thing) for thing in self._drawn.values()], older=conversation.has_older
        )

    def _draw_changed_order(self, ids: list[str], known: list[str]) -> None:
        """Older messages came in above, or something left: keep the reader's place."""
        conversation = self._conversation
        assert conversation is not None
        for gone in set(known) - set(ids):
            self.messages.remove_item(gone)
            del self._drawn[gone]
        first = next(iter(self._drawn), None)
        if first is not None and first in ids and (above := ids[: ids.index(first)]):
            older = {key: conversation.messages[key] for key in above}
            self.messages.prepend(
                [self._item(message) for message in older.values()], older=conversation.has_older
            )
            self._drawn = {**older, **self._drawn}
        if ids[: len(self._drawn)] != list(self._drawn):
            self._draw_all()
        else:
            self._draw_new_and_changed(conversation)

    def _draw_new_and_changed(self, conversation: Conversation) -> None:
        for key, message in conversation.messages.items():
            if self._drawn.get(key) is not message:
                self._drawn[key] = message
                self.messages.upsert(self._item(message))
        for item in conversation.outbox:
            if self._drawn.get(item.id) is not item:
                self._drawn[item.id] = item
                self.messages.upsert(self._item(item))

    def _item(self, thing: WireMessage | Outgoing) -> MessageItem:
        return outgoing_item(thing) if isinstance(thing, Outgoing) else message_item(thing, self._names)

    def _draw_around(self) -> None:
        conversation = self._conversation
        what, advice = _trouble(conversation) if conversation else ("", "")
        self.show_trouble(what, advice)
        calls = conversation.active_run.pending_calls if conversation and conversation.active_run else ()
        panels = self.query(FunctionCallsPanel)
        if panels and [call["id"] for call in panels.first().calls] == [call["id"] for call in calls]:
            return
        had_focus = bool(panels) and panels.first().has_focus_within
        panels.remove()
        if calls and conversation is not None and conversation.active_run is not None:
            run = conversation.active_run.run
            expires_at = run["expires_at"] if run is not None else None
            self.mount(FunctionCallsPanel(calls, expires_at), before="#trouble")
        elif had_focus:
            self.composer.focus()

    @on(Input.Submitted)
    def _stop(self, event: Input.Submitted) -> None:
        event.stop()


def _trouble(conversation: Conversation) -> tuple[str, str]:
    """What keeps the thread from being read or followed, else why its newest run gave no full answer."""
    if conversation.error is not None:
        return conversation.error.what, conversation.error.advice
    latest = conversation.latest_run
    if latest is None or latest.error is None or not latest.finished:
        return "", ""
    return latest.error, "Send another message to go on."
