"""The files whose IDs stand in messages: asked for once, when somebody wants to show them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import FileObject
from assistants_tui.service.errors import ServiceError

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend

_AT_ONCE = 4
"""Files that are asked for at the same time."""


class FileNameCache:
    """Files by ID. `file` and `name` answer at once; what they did not know is told to `changed` later."""

    def __init__(self, backend: "Callable[[], Awaitable[Backend]]", changed: Callable[[], None]) -> None:
        self._backend = backend
        self._changed = changed
        self._files: dict[str, FileObject | None] = {}
        self._wanted: list[str] = []
        self._asking: asyncio.Task[None] | None = None

    def file(self, file_id: str) -> FileObject | None:
        """A file; None as long as it is not known, or where the server has none."""
        if file_id not in self._files:
            self._files[file_id] = None
            self._wanted.append(file_id)
            if self._asking is None or self._asking.done():
                self._asking = asyncio.ensure_future(self._ask())
        return self._files[file_id]

    def name(self, file_id: str) -> str:
        """The name of a file, or its ID as long as the name is not known or where the server has none."""
        return _name(self.file(file_id)) or file_id

    def known(self, file_id: str) -> str:
        """The name of a file as far as it is known, else its ID. Nothing is asked."""
        return _name(self._files.get(file_id)) or file_id

    async def names(self, file_ids: Iterable[str]) -> dict[str, str]:
        """The names of all these files, read now where they are not known. Files without one are left out."""
        missing = [file_id for file_id in dict.fromkeys(file_ids) if not _name(self._files.get(file_id))]
        backend = await self._backend()
        while missing:
            batch, missing = missing[:_AT_ONCE], missing[_AT_ONCE:]
            await asyncio.gather(*(self._read(backend, file_id) for file_id in batch))
        return {file_id: name for file_id in file_ids if (name := _name(self._files.get(file_id)))}

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            backend = await self._backend()
        except ServiceError:
            for file_id in self._wanted:  # asked for again when they are shown again
                del self._files[file_id]
            self._wanted.clear()
            return
        while self._wanted:
            batch, self._wanted = self._wanted[:_AT_ONCE], self._wanted[_AT_ONCE:]
            await asyncio.gather(*(self._read(backend, file_id) for file_id in batch))
            self._changed()

    async def _read(self, backend: "Backend", file_id: str) -> None:
        try:
            self._files[file_id] = await backend.files.retrieve(file_id)
        except ServiceError:
            self._files[file_id] = None  # deleted, or no file of ours


def _name(file: FileObject | None) -> str | None:
    return file.get("filename") if file is not None else None
