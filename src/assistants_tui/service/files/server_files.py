"""The files that the server has: listed, looked into, sent and deleted."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import FileObject, Page
from assistants_tui.service.files.previews import MAX_PICTURE, Preview, preview, wanted_bytes

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class ServerFiles:
    """Everything raises `ServiceError` when it fails, also where the server cannot be reached."""

    def __init__(self, backend: "Callable[[], Awaitable[Backend]]") -> None:
        self._backend = backend

    async def list(self, *, purpose: str | None = None, after: str | None = None) -> Page[FileObject]:
        """A page of files, the newest first."""
        return await (await self._backend()).files.list(purpose=purpose, after=after)

    async def retrieve(self, file_id: str) -> FileObject:
        return await (await self._backend()).files.retrieve(file_id)

    async def upload(
        self,
        path: Path,
        *,
        purpose: str = "assistants",
        progress: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> FileObject:
        """Send a file of this machine. `progress` gets the bytes that are through, and how many there are."""
        return await (await self._backend()).files.upload(path, purpose=purpose, progress=progress)

    async def delete(self, file_id: str) -> None:
        """Delete a file; vector stores and tools that used it lose it."""
        await (await self._backend()).files.delete(file_id)

    async def read_picture(self, file_id: str) -> bytes:
        """The bytes of a picture, at most 20 MB of them."""
        data, _ = await (await self._backend()).files.read(file_id, MAX_PICTURE)
        return data

    async def preview(self, file_id: str) -> tuple[FileObject, Preview]:
        """A file, and what can be shown of it."""
        backend = await self._backend()
        file = await backend.files.retrieve(file_id)
        name = file.get("filename") or file_id
        data, total = await backend.files.read(file_id, wanted_bytes(name))
        return file, preview(name, data, total)
