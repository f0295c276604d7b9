"""What tests of the engine share: a clock that they move, and an open store."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from assistants_tui.engine.store.database import Database


class ManualClock:
    """Time that stands still until a test moves it."""

    def __init__(self, now: float = 1_763_600_000.0) -> None:
        self.now = now
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        sleeper = (self.now + seconds, woken)
        self._sleepers.append(sleeper)
        try:
            await woken
        finally:
            self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        """Move time on and wake whoever waited for less than that."""
        self.now += seconds
        for until, woken in self._sleepers:
            if until <= self.now and not woken.done():
                woken.set_result(None)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store."""
    database = await Database.open(tmp_path / "data")
    yield database
    await database.close()
