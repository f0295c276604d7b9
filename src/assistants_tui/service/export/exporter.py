"""Saving a whole thread as a document."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from assistants_tui.service.assistants.assistant_list import AssistantList
from assistants_tui.service.export.document import Format
from assistants_tui.service.export.writing import collect, rendered, save
from assistants_tui.service.files.name_cache import FileNameCache
from assistants_tui.service.threads.thread_list import ThreadList
from assistants_tui.settings.files import private_directory

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class Exporter:
    """Reads a thread from the server and writes it to the disk."""

    def __init__(
        self,
        backend: "Callable[[], Awaitable[Backend]]",
        file_names: FileNameCache,
        threads: ThreadList,
        assistants: AssistantList,
        folder: Path,
    ) -> None:
        """`folder` is where documents are saved if the user names no other place."""
        self.folder = folder
        self._backend = backend
        self._file_names = file_names
        self._threads = threads
        self._assistants = assistants

    async def export(self, thread_id: str, form: Format, path: Path, *, overwrite: bool = False) -> None:
        """Save a thread at `path`.

        Raises `ServiceError`, with the code `exists` if there is something at `path` already.
        """
        document = await collect(
            await self._backend(),
            self._file_names,
            thread_id,
            title=self._threads.title_of(thread_id),
            assistants=self._assistants.names,
        )

        def write() -> None:
            if path.parent == self.folder:  # the place that we suggest; others are the user's business
                private_directory(path.parent)
            save(path, rendered(document, form), overwrite=overwrite)

        await asyncio.to_thread(write)
