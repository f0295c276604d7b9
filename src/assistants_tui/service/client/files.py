"""Files of a server: sent, fetched, listed and deleted."""

import asyncio
import contextlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import FileObject, Page
from assistants_tui.service.client.http_client import Client, segment
from assistants_tui.service.client.pages import read_page
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.file_names import name_to_send, numbered, safe_file_name
from assistants_tui.settings.files import private_directory

Progress = Callable[[int, int | None], None]
"""Told of the bytes that are through and, where it is known, of how many there are."""


class Files:
    """The files of a server. Everything raises `ServiceError` when it fails."""

    def __init__(self, client: Client, downloads_dir: Path) -> None:
        self._client = client
        self._downloads_dir = downloads_dir

    async def list(
        self, *, purpose: str | None = None, limit: int = 100, after: str | None = None
    ) -> Page[FileObject]:
        """A page of files, the newest first."""
        query = {"purpose": purpose} if purpose else None
        return await read_page(self._client, FileObject, "files", limit=limit, after=after, query=query)

    async def retrieve(self, file_id: str) -> FileObject:
        return await self._client.fetch(FileObject, _path(file_id))

    async def upload(
        self, path: Path | str, *, purpose: str = "assistants", progress: Progress = lambda done, total: None
    ) -> FileObject:
        """Send a file from the disk. Images that a message shows have the purpose `vision`.

        Cancelling the call stops it.
        """
        file, name = await asyncio.to_thread(_opened, Path(path))
        with _Counted(file, os.fstat(file.fileno()).st_size, progress) as counted:
            answer = await self._client.upload("files", {"purpose": purpose}, name, counted)
        return self._client.checked(FileObject, answer, "POST /files")

    async def read(self, file_id: str, most: int) -> tuple[bytes, int | None]:
        """The first `most` bytes of a file, and how many it has if the server says so."""
        data = bytearray()
        async with self._client.download(f"{_path(file_id)}/content") as (total, chunks):
            async for chunk in chunks:
                data += chunk
                if len(data) > most:
                    return bytes(data[:most]), max(total or 0, most + 1)
        return bytes(data), len(data)

    async def download(
        self,
        file_id: str,
        folder: Path | None = None,
        *,
        name: str | None = None,
        progress: Progress = lambda done, total: None,
    ) -> Path:
        """Fetch a file into `folder` (the user's downloads), under its own name or `name`, made safe.

        Nothing is overwritten: a name that is taken gets a number. Until the file is complete it has another
        name, and a download that fails or is cancelled leaves nothing. Returns where it lies.
        """
        folder = folder or self._downloads_dir
        if name is None:
            name = str((await self.retrieve(file_id)).get("filename") or "")
        wanted = safe_file_name(name, fallback=safe_file_name(file_id))
        async with self._client.download(f"{_path(file_id)}/content") as (total, chunks):
            partial = await asyncio.to_thread(_Partial, folder, wanted)
            try:
                done = 0
                progress(done, total)
                async for chunk in chunks:
                    await asyncio.to_thread(partial.write, chunk)
                    done += len(chunk)
                    progress(done, total)
                return await asyncio.to_thread(partial.complete)
            finally:
                await asyncio.to_thread(partial.close)

    async def delete(self, file_id: str) -> None:
        """Delete a file; vector stores and tools that used it lose it."""
        await self._client.delete(_path(file_id))


def _path(file_id: str) -> str:
    return f"files/{segment(file_id)}"


def _opened(path: Path) -> tuple[io.FileIO, str]:
    """A file that can be sent, and its name."""
    with contextlib.suppress(RuntimeError):  # no such user
        path = path.expanduser()
    try:
        file = path.open("rb", buffering=0)
        size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise ServiceError(
            f"{path} cannot be read: {error.strerror}.", kind="settings", no_effect=True
        ) from error
    wrong = ""
    if not path.is_file():
        wrong = "is no file"
    elif size == 0:
        wrong = "is empty"
    elif size > limits.MAX_FILE_BYTES:
        wrong = f"is larger than {limits.MAX_FILE_BYTES // 1024**2} MB"
    if wrong:
        file.close()
        raise ServiceError(f"{path} {wrong}.", "Choose another file.", kind="refused", no_effect=True)
    return file, name_to_send(path)


class _Counted(io.BufferedReader):
    """A file that tells how much of it has been read."""

    def __init__(self, raw: io.FileIO, total: int, progress: Progress) -> None:
        super().__init__(raw)
        self._total = total
        self._progress = progress

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._progress(self.tell(), self._total)
        return data


class _Partial:
    """A download that is not complete yet. Its methods block; failures are `ServiceError`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._completed = False
        try:
            private_directory(folder)
            self._path, self._file = self._created(f"{name}.part")
        except OSError as error:
            raise self._failure(error) from error

    def _created(self, wanted: str) -> tuple[Path, BinaryIO]:
        """A new file under the first name that is free, which no other program can have made."""
        for name in numbered(wanted):
            path = self._folder / name
            try:
                return path, os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            except FileExistsError:
                continue
        raise FileExistsError(0, "every name for it is taken")

    def write(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
        except OSError as error:
            raise self._failure(error) from error

    def complete(self) -> Path:
        try:
            self._file.close()
            final, reserved = self._created(self._name)
            reserved.close()
            self._path.replace(final)
        except OSError as error:
            raise self._failure(error) from error
        self._completed = True
        return final

    def close(self) -> None:
        """Remove what is there if the download has not been completed."""
        try:
            self._file.close()
        finally:
            if not self._completed:
                self._path.unlink(missing_ok=True)

    def _failure(self, error: OSError) -> ServiceError:
        return ServiceError(
            f"{self._folder / self._name} cannot be written: {error.strerror}.",
            "Choose another folder.",
            kind="settings",
        )
