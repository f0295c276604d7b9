"""The thread's folder: files copied in, and what code created or changed copied out.

Code owns everything in the folder and may change it at any moment. So every file is opened below a descriptor
of its folder, never through a symbolic link, and is what the open file says it is, not what its name said
before.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from . import folder_tree
from .execution import MIB, CreatedFile, Limits
from .file_names import safe_name
from .media import media_type

Stamp = tuple[int, int, int]
"""Inode, time of change in nanoseconds, size: equal for a file that is the same as before."""
Stamps = dict[str, Stamp]

_MAX_DEPTH = 16
_FILLED = "filled-"
_BLOCK = MIB
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# without O_NONBLOCK, a named pipe that took a file's place would hold us for ever
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class _Found:
    """A regular file: its path below the root, a descriptor of its folder and its name there, its stamp."""

    path: str
    folder: int
    name: str
    stamp: Stamp


def stamps(root: Path, limits: Limits) -> Stamps:
    """The regular files below a folder, hidden ones excepted, by their path in it."""
    return {found.path: found.stamp for found in _walk(root, limits.files)}


def put(root: Path, name: str, source: Path) -> Stamp:
    """Copy a file into the folder under a safe name, over whatever file or link is there.

    Raises OSError, such as IsADirectoryError when a folder has the name.
    """
    folder = folder_tree.open_folder(root, wanted=stat.S_IRWXU)
    try:
        temporary = f".incoming-{secrets.token_hex(8)}"
        try:
            with (
                source.open("rb") as reader,
                os.fdopen(os.open(temporary, _NEW, 0o600, dir_fd=folder), "wb") as writer,
            ):
                if (owner := os.fstat(folder)).st_uid != os.geteuid():
                    os.fchown(writer.fileno(), owner.st_uid, owner.st_gid)
                while block := reader.read(_BLOCK):
                    writer.write(block)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise
        return _stamp(os.stat(name, dir_fd=folder, follow_symlinks=False))
    finally:
        os.close(folder)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a call left: `files` to hand back, `after` to compare the next call with, `notes` on the rest."""

    files: tuple[CreatedFile, ...]
    after: Stamps
    notes: tuple[str, ...]


def undo(root: Path, before: Mapping[str, Stamp]) -> bool:
    """Delete everything in the folder that is not as it was before: for code that has filled the disk.

    Only when the code has ended. Returns whether all of it could be deleted. Raises OSError.
    """
    filled = root.with_name(f"{_FILLED}{secrets.token_hex(8)}")
    root.rename(filled)
    root.mkdir(mode=0o700)
    for found in _walk(filled, None):
        if before.get(found.path) == found.stamp:
            kept = root / found.path
            with contextlib.suppress(OSError):  # a path that is too long goes with the rest
                kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.rename(found.name, kept, src_dir_fd=found.folder)
    return folder_tree.remove(filled)


def remove_filled(own: Path) -> None:
    """Delete what `undo` could not delete before in the folder of a thread."""
    for filled in own.glob(f"{_FILLED}*"):
        folder_tree.remove(filled)


def collect(root: Path, before: Mapping[str, Stamp], outbox: Path, limits: Limits) -> Collected:
    """Copy the files that are new or changed since `before` into the outbox, under opaque names.

    Raises OSError when the outbox cannot be written.
    """
    files: list[CreatedFile] = []
    after: Stamps = {}
    left_out = 0
    too_large: list[str] = []
    for found in _walk(root, limits.files):
        after[found.path] = found.stamp
        if before.get(found.path) == found.stamp:
            continue
        shown = "/".join(safe_name(part) for part in PurePosixPath(found.path).parts)
        if len(files) >= limits.created_files:
            left_out += 1
        elif found.stamp[2] > limits.file_bytes:
            too_large.append(shown)
        elif copied := _take(found, outbox):
            target, size, kind = copied
            files.append(CreatedFile(shown, target, size, kind))
    notes = [
        f"[{name} is larger than {limits.file_bytes // MIB} MiB and was not handed back.]"
        for name in too_large
    ]
    if left_out:
        notes.append(f"[{left_out} more files were created and not handed back; put them into one archive.]")
    return Collected(tuple(files), after, tuple(notes))


def _take(found: _Found, outbox: Path) -> tuple[Path, int, str] | None:
    try:
        source = os.open(found.name, _OLD, dir_fd=found.folder)
    except OSError:
        return None  # gone, or no file any more
    with os.fdopen(source, "rb", buffering=0) as reader:
        status = os.fstat(source)
        # with a second name it may be a file of somebody else's
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            return None
        target = outbox / secrets.token_hex(16)
        size, start = 0, b""
        with os.fdopen(os.open(target, _NEW, 0o600), "wb") as writer:
            # never more than it had when it was opened: it may grow as fast as we read
            while size < status.st_size and (block := reader.read(min(_BLOCK, status.st_size - size))):
                start = start or block[:512]
                size += len(block)
                writer.write(block)
        return target, size, media_type(found.name, start)


def _walk(root: Path, most: int | None) -> Iterator[_Found]:
    """The regular files below a folder; hidden ones and those of hidden folders excepted.

    Looks at `most` names at most, and not deeper than some folders: code may have made any number.
    """
    folder = folder_tree.open_folder(root)
    try:
        yield from itertools.islice(_walk_folder(folder, "", _MAX_DEPTH), most)
    finally:
        os.close(folder)


def _walk_folder(folder: int, above: str, depth: int) -> Iterator[_Found]:
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    yield _Found(f"{above}{entry.name}", folder, entry.name, _stamp(status))
                elif stat.S_ISDIR(status.st_mode):
                    folders.append(entry.name)
    for name in folders if depth else ():
        with contextlib.suppress(OSError):
            below = folder_tree.open_folder(name, folder)
            try:
                yield from _walk_folder(below, f"{above}{name}/", depth - 1)
            finally:
                os.close(below)


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_ino, status.st_mtime_ns, status.st_size)
