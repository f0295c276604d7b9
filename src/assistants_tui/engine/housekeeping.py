"""What has to go by itself: files and uploads whose time is over, and bytes that nothing refers to."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from assistants_tui.engine.store import files, uploads
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.clock import Clock
from assistants_tui.engine.store.database import Database

_SECONDS = 60
_DAY = 24 * 3600  # younger bytes may belong to a request that is still being worked on

_logger = logging.getLogger(__name__)


class Housekeeping:
    """Tidies the store from `start` to `stop`."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look for lost bytes once and for what has expired again and again."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Finish what is being done, as a transaction that is broken off costs its connection."""
        self._stopped.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        duties = [self.remove_orphans, self.remove_expired]
        while not self._stopped.is_set():
            failed = [duty for duty in duties if not await self._succeeds(duty)]
            duties = [*(duty for duty in failed if duty == self.remove_orphans), self.remove_expired]
            await self._pause()

    async def _succeeds(self, duty: Callable[[], Awaitable[None]]) -> bool:
        """Do it. What goes wrong with one duty is told in the log, and keeps no other from being done."""
        try:
            await duty()
        except Exception:
            _logger.exception("tidying the store failed; it is tried again in %s seconds", _SECONDS)
            return False
        return True

    async def _pause(self) -> None:
        waits = [
            asyncio.create_task(self._clock.sleep(_SECONDS)),
            asyncio.create_task(self._stopped.wait()),
        ]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    async def remove_expired(self) -> None:
        """Delete files whose time is over, and end uploads that were not completed in theirs."""
        now = int(self._clock.time())
        gone: list[str] = []
        async with self._database.write() as connection:
            for owner, file_id in await files.expired(connection, now):
                blob = await files.remove(connection, owner, file_id)
                gone += [blob] if blob is not None else []
            for upload_id in await uploads.overdue(connection, now):
                gone += [part.blob for part in await uploads.parts(connection, upload_id)]
                await uploads.end(connection, upload_id, "expired")
        await self._blobs.remove(*gone)

    async def remove_orphans(self) -> None:
        """Delete bytes that a killed engine wrote for an object that was never stored, or is deleted."""
        old = await self._blobs.older_than(self._clock.time() - _DAY)
        async with self._database.read() as connection:
            kept = await files.blobs(connection) | await uploads.blobs(connection)
        await self._blobs.remove(*(name for name in old if name not in kept))
