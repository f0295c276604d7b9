"""File search over a store, with files in it as the vector store endpoints put them there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from assistants_tui.engine.store.database import Database
from support.search import Library


@pytest.fixture
async def library(tmp_path: Path, database: Database) -> AsyncIterator[Library]:
    """An empty vector store and what searches it."""
    library = Library(tmp_path / "data", database)
    await library.open()
    yield library
    await library.close()
