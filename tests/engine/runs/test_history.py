"""What a run reads of its thread."""

import sys
from pathlib import Path
from typing import Any

from assistants_tui.engine.runs import history
from assistants_tui.engine.store import messages, runs, threads
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.database import Database
from support.engine import NEW_RUN


async def test_what_is_not_wanted_of_a_thread_is_not_left_open(database: Database, tmp_path: Path) -> None:
    """On most databases a connection can do nothing else before all rows are read or let go."""
    left: list[Any] = []  # generators
    async with database.write() as connection:
        thread = await threads.create(connection, "local", 1, {"tool_resources": {}, "metadata": {}})
        for number in range(3):
            content = [{"type": "text", "text": {"value": f"{number}", "annotations": []}}]
            said = {"role": "user", "content": content}
            await messages.create(connection, "local", thread["id"], 1, said)
        newest_two = {"truncation_strategy": {"type": "last_messages", "last_messages": 2}}
        run = await runs.create(connection, "local", thread["id"], 1, NEW_RUN | newest_two)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=left.append)
        try:
            read = await history.of_thread(
                connection, BlobStore(tmp_path / "files"), "local", run, now=1, budget=None
            )
        finally:
            sys.set_asyncgen_hooks(*hooks)
    assert [message["content"] for message in read] == ["1", "2"]
    assert messages.newest_first.__name__ not in {generator.__name__ for generator in left}
