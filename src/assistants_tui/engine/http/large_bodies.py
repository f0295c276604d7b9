"""Large JSON in requests and answers: how much is held at once, and that work on it leaves others time."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from assistants_tui.engine.http.errors import ApiError

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a JSON body. The longest legal text, 256,000 code points, takes about 1 MiB."""

LARGE = 64 * 1024
"""Bytes from which on a body is large. Smaller ones are read at once and not counted."""

_ALL_HELD = 16 * MAX_BODY  # bytes of large bodies whose requests have no answer yet
_HELD_BY_OWNER = _ALL_HELD // 2
_PATIENCE = 20.0  # seconds that a request waits for others to be answered

Result = TypeVar("Result")


class LargeBodies:
    """Shared by all requests of an engine. All methods belong to one event loop."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}  # bytes by owner
        self._released = asyncio.Condition()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def room(self, owner: str) -> AsyncIterator["Room"]:
        """Room for the body of one request, which is given back at the end of the block."""
        room = Room(self, owner)
        try:
            yield room
        finally:
            await room.keep(0)

    async def in_turn(self, work: Callable[[], Result]) -> Result:
        """Do the work on a large body in a thread, one body after another.

        Threads take turns with the event loop, but not within a single call of a parser. So there is a rest
        after each body that is as long as its work, and belongs to all other requests.
        """
        async with self._turn:
            started = time.monotonic()
            try:
                return await asyncio.to_thread(work)
            finally:
                await asyncio.sleep(time.monotonic() - started)

    async def take(self, owner: str, size: int) -> None:
        """Count so many bytes more, once there is room. Raises `ApiError` if that takes long."""
        try:
            async with asyncio.timeout(_PATIENCE), self._released:
                await self._released.wait_for(lambda: self._has_room(owner, size))
                self.take_now(owner, size)
        except TimeoutError:
            raise _no_room() from None

    def take_now(self, owner: str, size: int) -> None:
        """The same without waiting."""
        if not self._has_room(owner, size):
            raise _no_room()
        self._held[owner] = self._held.get(owner, 0) + size

    async def release(self, owner: str, size: int) -> None:
        self._held[owner] -= size
        if not self._held[owner]:
            del self._held[owner]
        async with self._released:
            self._released.notify_all()

    def _has_room(self, owner: str, size: int) -> bool:
        own, everyone = self._held.get(owner, 0), sum(self._held.values())
        return own + size <= _HELD_BY_OWNER and everyone + size <= _ALL_HELD


class Room:
    """What one request takes of the room for large bodies. Made by `LargeBodies.room` only."""

    def __init__(self, bodies: LargeBodies, owner: str) -> None:
        self._bodies = bodies
        self._owner = owner
        self._size = 0

    async def take(self, size: int) -> None:
        """Take room for a body of at most `size` bytes, if it has none yet. Raises `ApiError`, status 503."""
        if not self._size:
            await self._bodies.take(self._owner, size)
            self._size = size

    def take_now(self, size: int) -> None:
        """The same without waiting for room."""
        if not self._size:
            self._bodies.take_now(self._owner, size)
            self._size = size

    async def keep(self, size: int) -> None:
        """Give back what the body does not need, having turned out to be of `size` bytes."""
        if size < self._size:
            released, self._size = self._size - size, size
            await self._bodies.release(self._owner, released)


def _no_room() -> ApiError:
    return ApiError(
        503,
        "The engine holds as many large requests as it has room for. Send this one again later.",
        type="server_error",
        headers={"retry-after": "1", "connection": "close"},
    )
