"""Work that goes on by itself, and that the end of the app waits for."""

import asyncio
from collections.abc import Awaitable


class BackgroundTasks:
    """Tasks that nobody awaits until everything is closed."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[None]] = set()

    def start(self, work: Awaitable[None]) -> None:
        """Begin with a piece of work."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until all of it has ended, whatever came of it."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
