"""What tests of the engine share: a clock that they move, an open store, an engine to talk to."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from assistants_tui.engine.app import EngineSettings
from assistants_tui.engine.store.database import Database
from support.engine import ManualClock, open_engine
from support.engines import ServedEngine, engine


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store."""
    database = await Database.open(tmp_path / "store")
    yield database
    await database.close()


@pytest.fixture
def engine_settings(tmp_path: Path, clock: ManualClock) -> EngineSettings:
    """Those of the engine behind `http`; override this fixture where a test needs others."""
    return EngineSettings(data_dir=tmp_path / "data", clock=clock)


@pytest.fixture
async def http(engine_settings: EngineSettings) -> AsyncIterator[httpx2.AsyncClient]:
    """Plain HTTP to an engine in this process, with the header that the Assistants API wants."""
    async with open_engine(engine_settings) as client:
        yield client


@pytest.fixture
async def served_engine(tmp_path: Path) -> AsyncIterator[ServedEngine]:
    """An engine behind a real socket, whose model answers what the test says."""
    async with engine(tmp_path / "data") as opened:
        yield opened
