"""The events of one run, on their way from its executor to whoever reads its stream."""

import asyncio
from collections import deque
from typing import Any, NamedTuple

_MAX_WAITING = 20_000  # events that a reader may lag behind; beyond, it is cut off and has to poll


class Event(NamedTuple):
    """One event of the Assistants streaming protocol. Its data is not changed once it is published."""

    name: str
    data: Any


class Reader:
    """One stream's end of the feed."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._ended = False
        self.cut_off = False

    async def take(self) -> list[Event]:
        """All events that have come since the last call; waits for one. Empty when no more will come."""
        while not self._waiting and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        events = list(self._waiting)
        self._waiting.clear()
        return events

    def put(self, event: Event) -> None:
        if self._ended:
            return
        if len(self._waiting) >= _MAX_WAITING:
            self._waiting.clear()
            self.cut_off = True
            self.end()
            return
        self._waiting.append(event)
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()


class Feed:
    """Publishes to the readers there are. Without any it costs nothing, and nobody's leaving disturbs it."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()

    def subscribe(self) -> Reader:
        """A reader of all that is published from now on."""
        reader = Reader()
        self._readers.add(reader)
        return reader

    def unsubscribe(self, reader: Reader) -> None:
        self._readers.discard(reader)

    def publish(self, name: str, data: Any) -> None:
        if self._readers:
            event = Event(name, data)
            for reader in self._readers:
                reader.put(event)

    def end(self) -> None:
        """Nothing more will come: readers take what is waiting and are done."""
        for reader in self._readers:
            reader.end()
        self._readers.clear()
