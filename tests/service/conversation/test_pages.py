"""Pages of a thread that are read as they are wanted."""

import asyncio
from pathlib import Path
from typing import Any

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.service.conversation.pages import MESSAGES_PER_PAGE
from assistants_tui.settings.paths import Paths
from support.served import served
from support.workspaces import backend, connected_to


async def test_older_messages_can_be_read_again_after_reading_was_given_up(
    paths: Paths, tmp_path: Path
) -> None:
    engine = create_app(EngineSettings(tmp_path / "engine", starter_assistants=True))
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if b"after=" in scope.get("query_string", b""):
            asked.set()
            await go_on.wait()
        await engine(scope, receive, send)

    async with served(slow) as url:
        workspace = await connected_to(url, paths)
        threads = (await backend(workspace)).threads
        thread_id = (await threads.create())["id"]
        for number in range(MESSAGES_PER_PAGE + 1):
            await threads.add_message(thread_id, str(number))
        pages = (await workspace.conversations.open(thread_id)).pages
        reading = asyncio.create_task(pages.read_older())
        await asked.wait()
        reading.cancel()
        await asyncio.wait({reading})
        go_on.set()
        assert (reading.cancelled(), pages.has_older) == (True, True)
        await pages.read_older()
        assert (len(pages.messages), pages.has_older) == (MESSAGES_PER_PAGE + 1, False)
        await workspace.close()
