"""A served engine for the tests of runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.engines import ServedEngine, engine


@pytest.fixture
async def served_engine(tmp_path: Path) -> AsyncIterator[ServedEngine]:
    """An engine whose model answers what the test says."""
    async with engine(tmp_path / "data") as opened:
        yield opened
