"""Puts together what works on runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from assistants_tui.engine.models.base import ChatModel
from assistants_tui.engine.runs.presence import Presence
from assistants_tui.engine.runs.runner import Runner
from assistants_tui.engine.runs.workshop import Workshop
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.clock import Clock
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.tools.code_interpreter import CodeInterpreter
from assistants_tui.engine.tools.file_search.search import FileSearch


@asynccontextmanager
async def open_runner(
    data_dir: Path,
    database: Database,
    blobs: BlobStore,
    clock: Clock,
    *,
    model: ChatModel,
    file_search: FileSearch,
) -> AsyncIterator[Runner]:
    """A runner that watches the runs in the store, and ends its own at the end."""
    interpreter = CodeInterpreter(data_dir / "code_interpreter")
    workshop = Workshop(database, blobs, clock, model, interpreter, file_search)
    runner = Runner(workshop, Presence(data_dir / "engines"))
    try:
        await runner.open()
        yield runner
    finally:
        await runner.close()
        await interpreter.close()
