"""The bytes of files, on disk under names that say nothing.

A file's own name comes from its user and never becomes part of a path here.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 18
_PARTIAL = ".partial"


class BlobTooLargeError(Exception):
    """More bytes came than the writer was to take."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes")
        self.limit = limit


class BlobWriter:
    """Takes the bytes of one blob. `finish()` it, or `discard()` what was written."""

    def __init__(self, path: Path, limit: int) -> None:
        self.name = path.name
        self.bytes = 0
        self._path = path
        self._partial = path.with_suffix(_PARTIAL)
        self._limit = limit
        self._file: BinaryIO | None = None

    async def write(self, data: bytes) -> None:
        """Append. Raises `BlobTooLargeError` before it takes more than the limit, and `OSError`."""
        if self.bytes + len(data) > self._limit:
            raise BlobTooLargeError(self._limit)
        self.bytes += len(data)
        await asyncio.to_thread(self._write, data)

    async def finish(self) -> None:
        """Make sure that the bytes are on the disk, and the blob readable under its name."""
        await asyncio.to_thread(self._finish)

    async def discard(self) -> None:
        await asyncio.to_thread(self._discard)

    def _open(self) -> BinaryIO:
        if self._file is None:
            self._partial.parent.mkdir(mode=0o700, exist_ok=True)
            self._file = os.fdopen(os.open(self._partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
        return self._file

    def _write(self, data: bytes) -> None:
        self._open().write(data)

    def _finish(self) -> None:
        with self._open() as file:
            file.flush()
            os.fsync(file.fileno())
        self._partial.rename(self._path)

    def _discard(self) -> None:
        if self._file is not None:
            self._file.close()
        self._partial.unlink(missing_ok=True)


class BlobStore:
    """A directory of blobs."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """Where a blob lies, for those who have to read the file itself."""
        return self._root / name[:2] / name

    def writer(self, limit: int) -> BlobWriter:
        """A new blob of at most `limit` bytes."""
        return BlobWriter(self.path(secrets.token_hex(16)), limit)

    async def store(self, chunks: AsyncIterable[bytes], limit: int) -> tuple[str, int]:
        """Write a blob from a stream and return its name and size. Raises `BlobTooLargeError`."""
        writer = self.writer(limit)
        try:
            async for chunk in chunks:
                await writer.write(chunk)
            await writer.finish()
        except BaseException:
            await writer.discard()
            raise
        return writer.name, writer.bytes

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """The bytes of a blob, piece by piece. Raises `FileNotFoundError`."""
        file = await asyncio.to_thread(self.path(name).open, "rb")
        try:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk
        finally:
            file.close()

    async def remove(self, *names: str) -> None:
        """Delete blobs; those that are not there are deleted already."""

        def unlink() -> None:
            for name in names:
                self.path(name).unlink(missing_ok=True)

        await asyncio.to_thread(unlink)

    async def older_than(self, time: float) -> list[str]:
        """The blobs, finished or not, that were last written to before that time, in Unix seconds."""

        def look() -> list[str]:
            old = []
            for path in self._root.glob("*/*"):
                with suppress(FileNotFoundError):  # deleted meanwhile
                    if path.stat().st_mtime < time:
                        old.append(path.name)
            return old

        return await asyncio.to_thread(look)
