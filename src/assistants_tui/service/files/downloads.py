"""Files of the server on their way to the user's disk, and where the finished ones lie."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class Downloads:
    """Everything that was saved since the start. `changed` is told whenever a download gets on."""

    def __init__(self, backend: "Callable[[], Awaitable[Backend]]", changed: Callable[[], None]) -> None:
        self._backend = backend
        self._changed = changed
        self._percent: dict[str, int] = {}
        self._saved: dict[str, Path] = {}

    @property
    def running(self) -> Mapping[str, int]:
        """How much of each running download is through, in percent, by file ID."""
        return self._percent

    async def save(self, file_id: str, folder: Path | None = None, name: str | None = None) -> Path:
        """Fetch a file into `folder` (the user's downloads) under a safe name. Nothing is overwritten.

        Returns where it lies. Raises `ServiceError`.
        """
        backend = await self._backend()
        self._percent[file_id] = 0
        self._changed()

        def progress(done: int, total: int | None) -> None:
            percent = min(100, 100 * done // total) if total else 0
            if self._percent.get(file_id) != percent:
                self._percent[file_id] = percent
                self._changed()

        try:
            path = await backend.files.download(file_id, folder, name=name, progress=progress)
        finally:
            self._percent.pop(file_id, None)
            self._changed()
        if folder is None:
            self._saved[file_id] = path
        return path

    async def saved(self, file_id: str) -> Path:
        """Where a file lies, fetched now if it was not or is not there any more. Raises `ServiceError`."""
        path = self._saved.get(file_id)
        if path is not None and await asyncio.to_thread(path.is_file):
            return path
        return await self.save(file_id)
