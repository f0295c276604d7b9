"""Puts together what works on runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from assistants_tui.engine.models.base import ChatModel
from assistants_tui.engine.runs.presence import Presence
from assistants_tui.engine.runs.runner import Runner
from assistants_tui.engine.runs.workshop import Workshop
from assistants_tui.engine.settings import EngineSettings
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.tools.code_interpreter import CodeInterpreter, Limits
from assistants_tui.engine.tools.file_search.search import FileSearch


@asynccontextmanager
async def open_runner(
    settings: EngineSettings,
    database: Database,
    blobs: BlobStore,
    *,
    model: ChatModel,
    file_search: FileSearch,
) -> AsyncIterator[Runner]:
    """A runner that watches the runs in the store, and ends its own at the end."""
    interpreter = CodeInterpreter(
        settings.data_dir / "code_interpreter",
        limits=_limits(settings),
        launcher=settings.sandbox,
        unconfined=settings.without_sandbox != "refuse",
        module_advice=settings.module_advice,
    )
    workshop = Workshop(
        database,
        blobs,
        settings.clock,
        model,
        interpreter,
        file_search,
        ask_about_code=settings.without_sandbox == "ask",
    )
    runner = Runner(workshop, Presence(settings.data_dir / "engines"))
    try:
        await runner.open()
        yield runner
    finally:
        await runner.close()
        await interpreter.close()


def _limits(settings: EngineSettings) -> Limits:
    """Where users have keys of their own, none of them has more than half of the sessions."""
    limits = settings.code_limits
    if settings.api_keys is None or limits.sessions_per_owner is not None:
        return limits
    return replace(limits, sessions_per_owner=max(1, limits.sessions // 2))
