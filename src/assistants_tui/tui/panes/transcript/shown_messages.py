"""What of the conversation is shown: its messages and what waits to be sent, as the view draws them."""

from collections.abc import Iterator

from assistants_tui.protocol.objects import Message
from assistants_tui.service import message_text
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.conversation.outbox import Outgoing
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.messages.message_body import MessageItem
from assistants_tui.tui.messages.message_view import MessageView

from .citation_sources import CitationSources
from .message_items import MAX_FOLDED_CODE, Manner, can_fold, message_item, outgoing_item

Shown = Message | Outgoing


class ShownMessages:
    """Keeps a view equal to the shown conversation, and knows which messages are folded."""

    def __init__(self, workspace: Workspace, view: MessageView) -> None:
        self._workspace = workspace
        self._view = view
        self._shown: dict[str, Shown] = {}
        self._folds: dict[str, bool] = {}  # what the user chose, by message ID
        self._code_folds: set[str] = set()  # messages whose code blocks are folded
        self._sources = CitationSources(workspace)

    def get(self, item_id: str) -> Shown | None:
        """What an item of the view stands for."""
        return self._shown.get(item_id)

    @property
    def last_id(self) -> str:
        """The ID of the last one; empty if there is none."""
        return next(reversed(self._shown), "")

    def clear_sources(self) -> None:
        """Another conversation is shown."""
        self._sources.clear()

    def show_all(self) -> None:
        """Have the view show the conversation from its end."""
        conversation = self._workspace.conversations.shown
        self._shown = _wanted(conversation)
        items = [self._item(thing) for thing in self._shown.values()]
        self._view.set_items(items, older=conversation.pages.has_older)

    def show_file_names(self) -> None:
        """Have messages with files drawn again: names have become known."""
        for thing in self._shown.values():
            if not isinstance(thing, Outgoing) and any(True for _ in file_ids(thing)):
                self._view.upsert(self._item(thing))

    def show_changes(self) -> None:
        """Bring the view up to date: older messages above, changed ones, new ones below."""
        conversation = self._workspace.conversations.shown
        wanted = _wanted(conversation)
        for gone in [key for key in self._shown if key not in wanted]:
            self._view.remove_item(gone)
            del self._shown[gone]
        order = list(wanted)
        first = next(iter(self._shown), None)
        if first is not None and (above := order[: order.index(first)]):
            self._view.prepend([self._item(wanted[key]) for key in above], older=conversation.pages.has_older)
            self._shown = {**{key: wanted[key] for key in above}, **self._shown}
        if order[: len(self._shown)] != list(self._shown):
            self.show_all()  # something came in between, as a queued text does not wait for its turn here
            return
        sourced = self._sources.take_known()
        for key, thing in wanted.items():
            if self._shown.get(key) is not thing or key in sourced:
                self._shown[key] = thing
                self._view.upsert(self._item(thing))

    # folding

    def fold(self, message: Message, item: MessageItem) -> None:
        """Hide or show the rest of a long message that is shown as `item`."""
        if can_fold(text_of(message)):
            self._folds[message["id"]] = len(item.source or item.text) >= len(text_of(message))
            self._view.upsert(self._item(message))

    def fold_code(self, message: Message) -> bool:
        """Hide or show the rest of the code of a message. False if it is too long for that."""
        if len(text_of(message)) > MAX_FOLDED_CODE:
            return False
        self._code_folds ^= {message["id"]}
        self._view.upsert(self._item(message))
        return True

    def unfold(self, message: Message) -> None:
        """Show all of a message."""
        if len(self._item(message).text) < len(text_of(message)):
            self._folds[message["id"]] = False
            self._code_folds.discard(message["id"])
            self._view.upsert(self._item(message))

    def _item(self, thing: Shown) -> MessageItem:
        if isinstance(thing, Outgoing):
            return outgoing_item(thing)
        message_id = thing["id"]
        fold_code = message_id in self._code_folds
        return message_item(thing, self._manner, fold=self._folds.get(message_id), fold_code=fold_code)

    @property
    def _manner(self) -> Manner:
        workspace = self._workspace
        return Manner(
            workspace.assistants.names,
            workspace.file_names.name,
            self._sources.source,
            workspace.session.profile.runs.max_response_chars,
        )


def text_of(thing: Shown) -> str:
    """The whole text, also of a folded message."""
    return thing.text if isinstance(thing, Outgoing) else message_text.render_text(thing).text


def file_ids(message: Message) -> Iterator[str]:
    """The files that the line below a message may name."""
    for attachment in message.get("attachments") or ():
        yield attachment["file_id"]
    shown = message_text.render_text(message)
    yield from (note.file_id for note in shown.footnotes)
    yield from (image for image in shown.images if "/" not in image)


def _wanted(conversation: Conversation) -> dict[str, Shown]:
    return {**conversation.messages, **{item.id: item for item in conversation.outbox}}
