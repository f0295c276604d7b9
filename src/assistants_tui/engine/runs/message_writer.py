"""The message that a run is writing, and the step that says so."""

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.models.base import Usage
from assistants_tui.engine.runs import usage
from assistants_tui.engine.runs.message_content import MessageContent
from assistants_tui.engine.runs.run_storage import RunStorage, begin_events
from assistants_tui.engine.store import ids, messages
from assistants_tui.engine.store.messages import StoredMessage
from assistants_tui.engine.store.run_steps import StoredStep
from assistants_tui.protocol.events import MESSAGE, MESSAGE_DELTA, STEP, Event, message_event
from assistants_tui.protocol.objects import Json
from assistants_tui.protocol.transitions import OPEN


class MessageWriter:
    """Writes one message after the other. `open` and `close` raise `Interrupted`."""

    def __init__(self, storage: RunStorage) -> None:
        self._storage = storage
        self._message: StoredMessage | None = None
        self._step: StoredStep | None = None
        self._content = MessageContent([])

    @property
    def is_open(self) -> bool:
        """Whether a message is being written."""
        return self._message is not None

    @property
    def has_content(self) -> bool:
        """Whether a message is being written that holds something."""
        return self.is_open and bool(self._content.parts())

    async def open(self, image_ids: list[str], attachments: list[Json]) -> None:
        """Begin a message and its step."""
        storage = self._storage
        message_id = ids.new("message")
        self._content = MessageContent(image_ids)
        values = {
            "id": message_id,
            "status": OPEN,
            "role": "assistant",
            "content": [],
            "assistant_id": storage.run["assistant_id"],
            "run_id": storage.id,
            "attachments": attachments,
        }
        async with storage.transaction() as (connection, events):
            await storage.check(connection)
            details = {"type": "message_creation", "message_creation": {"message_id": message_id}}
            self._step = await storage.create_step(connection, details)
            thread_id, now = storage.run["thread_id"], storage.now()
            self._message = await messages.create(connection, storage.owner, thread_id, now, values)
            events.extend(begin_events(STEP, self._step))
            events.extend(begin_events(MESSAGE, self._message))
        for delta in self._content.image_deltas():
            self._announce(delta)

    def add_text(self, text: str) -> None:
        self._announce(self._content.add_text(text))

    def discard_text(self) -> None:
        """Leave out of the message what was written. Readers that have it learn it with the whole message."""
        self._content.discard_text()
        self._storage.note_streamed()

    def add_marker(self, marker: str, meaning: Json) -> None:
        self._announce(self._content.add_marker(marker, meaning))

    def add_refusal(self, text: str) -> None:
        self._announce(self._content.add_refusal(text))

    async def close(self) -> None:
        """The message is complete, and so is its step, while the turn goes on."""
        assert self._message is not None and self._step is not None
        message, step = self._message, self._step
        self.leave()
        storage, values = self._storage, {"content": self._content.parts()}
        async with storage.transaction(saves=True) as (connection, events):
            await storage.check(connection)
            if changed := await messages.end(connection, message["id"], "completed", storage.now(), values):
                events.append(Event(message_event("completed"), changed))
            # What the turn takes is known at its end, and belongs to its last step.
            await storage.complete_step(connection, events, step, {"usage": usage.to_wire(Usage())})

    async def checkpoint(self, connection: AsyncConnection) -> None:
        """Store what has been written of the open message, if there is one."""
        if self._message is not None:
            await messages.change(connection, self._message["id"], {"content": self._content.parts()})

    def unsaved_values(self) -> tuple[str, str, Json] | None:
        """The IDs of the open message and of its step, and what it holds so far. None if none is open."""
        if self._message is None or self._step is None:
            return None
        return self._message["id"], self._step["id"], {"content": self._content.parts()}

    def leave(self) -> None:
        """The message is ended elsewhere."""
        self._message = self._step = None

    def _announce(self, delta: Json) -> None:
        assert self._message is not None
        self._storage.publish_delta(MESSAGE_DELTA, self._message["id"], {"content": [delta]})
