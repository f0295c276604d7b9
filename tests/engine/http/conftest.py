"""An engine that all tests of a module share, for the many small questions whose answers leave no trace."""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from assistants_tui.engine.app import EngineSettings
from support.engine import ManualClock, open_engine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx2.AsyncClient]:
    """Like `http`, but the same for a whole module, whose tests then need `loop_scope="module"`."""
    settings = EngineSettings(data_dir=tmp_path_factory.mktemp("shared"), clock=ManualClock())
    async with open_engine(settings) as client:
        yield client
