"""The events of one run, on their way from its executor to whoever reads its stream."""

import asyncio
from collections import deque
from typing import Any

from assistants_tui.protocol import text_size
from assistants_tui.protocol.events import Event

# How far a reader may lag behind, in characters; beyond, it is cut off and has to poll. Short events count
# for the memory that their objects take.
_MAX_WAITING = 10_000_000
_PER_EVENT = 1_000


class Subscription:
    """The events that one stream has not sent yet."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._weight = 0
        self._changed = asyncio.Event()
        self._ended = False
        self.cut_off = False

    async def take(self) -> list[Event]:
        """All events that have come since the last call; waits for one. Empty when no more will come."""
        while not self._waiting and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        events = list(self._waiting)
        self._forget()
        return events

    def put(self, event: Event, weight: int) -> None:
        if self._ended:
            return
        self._weight += weight
        # A single event may have any weight: it is there anyway.
        if self._weight > _MAX_WAITING and self._waiting:
            self.cut_off = True
            self.leave()
            return
        self._waiting.append(event)
        self._changed.set()

    def end(self) -> None:
        """Nothing more will come, but what is waiting may be taken."""
        self._ended = True
        self._changed.set()

    def leave(self) -> None:
        """Nothing more will be taken."""
        self._forget()
        self.end()

    def _forget(self) -> None:
        self._waiting.clear()
        self._weight = 0


class EventBroadcaster:
    """Publishes to the readers there are. Without any it costs nothing, and nobody's leaving disturbs it."""

    def __init__(self) -> None:
        self._readers: set[Subscription] = set()

    def subscribe(self) -> Subscription:
        """A reader of all that is published from now on."""
        reader = Subscription()
        self._readers.add(reader)
        return reader

    def publish(self, name: str, data: Any) -> None:
        if self._readers:
            event, weight = Event(name, data), _PER_EVENT + text_size.characters(data)
            for reader in self._readers:
                reader.put(event, weight)

    def end(self) -> None:
        """Nothing more will come: readers take what is waiting and are done."""
        for reader in self._readers:
            reader.end()
        self._readers.clear()
