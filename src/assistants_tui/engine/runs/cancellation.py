"""Interrupting a run's work from outside.

The task of a run is never cancelled, for it could be in the middle of a transaction. It does its waiting
through a `CancelToken`, and learns there that it is to end.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Literal, TypeVar

Reason = Literal["cancel", "expire", "taken", "shutdown"]
"""`cancel`, `expire`: as in the API. `taken`: the run is gone, or others ended it. `shutdown`: we close."""

Item = TypeVar("Item")
Produce = Callable[[Callable[[Item], None]], Awaitable[None]]


class Interrupted(Exception):
    """The run is to end for this reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class CancelToken:
    """Asked for once, from anywhere on the event loop; noticed at the next item or at once while waiting."""

    def __init__(self) -> None:
        self._reason: Reason | None = None
        self._changed = asyncio.Event()

    def request(self, reason: Reason) -> bool:
        """Have the work end. The first reason counts; False for every later one."""
        if self._reason is not None:
            return False
        self._reason = reason
        self._changed.set()
        return True

    def check(self) -> None:
        """Raises `Interrupted` if a stop was requested."""
        if self._reason is not None:
            raise Interrupted(self._reason)

    async def items(self, produce: Produce[Item]) -> AsyncGenerator[Item]:
        """What `produce` hands to its argument, item by item. Raises what it raises, and `Interrupted`.

        Close the iterator when leaving early (`contextlib.aclosing`): the producer is cancelled then.
        """
        arrived: deque[Item] = deque()

        def emit(item: Item) -> None:
            arrived.append(item)
            self._changed.set()

        async def run() -> None:
            await produce(emit)

        task = asyncio.create_task(run())
        task.add_done_callback(lambda _: self._changed.set())
        try:
            while True:
                self.check()
                if arrived:
                    yield arrived.popleft()
                elif task.done():
                    task.result()
                    return
                else:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
