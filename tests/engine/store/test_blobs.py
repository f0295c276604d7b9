"""Bytes on disk: in pieces, under names of our own, and nothing left of what was given up."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from assistants_tui.engine.store.blobs import BlobStore, BlobTooLargeError


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


def on_disk(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_bytes_come_back(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "files")
    name, size = await blobs.store(pieces(b"ab" * 200_000, b"", b"c"), limit=400_001)
    assert size == 400_001
    assert b"".join([piece async for piece in blobs.read(name)]) == b"ab" * 200_000 + b"c"
    [path] = on_disk(tmp_path)
    assert path == blobs.path(name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_empty_blob(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    name, size = await blobs.store(pieces(), limit=0)
    assert (size, [piece async for piece in blobs.read(name)]) == (0, [])


async def test_too_many_bytes_leave_nothing(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    with pytest.raises(BlobTooLargeError):
        await blobs.store(pieces(b"ab", b"c"), limit=2)
    assert on_disk(tmp_path) == []


async def test_broken_stream_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"ab"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await BlobStore(tmp_path).store(broken(), limit=9)
    assert on_disk(tmp_path) == []


async def test_removed_blob_is_gone_and_may_be_removed_again(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    name, _ = await blobs.store(pieces(b"a"), limit=1)
    for _ in range(2):
        await blobs.remove(name)
    with pytest.raises(FileNotFoundError):
        [piece async for piece in blobs.read(name)]
