"""The thread's folder: files copied in, and what code created or changed copied out.

Code owns everything in the folder and may change it at any moment. So every file is opened below a descriptor
of its folder, never through a symbolic link, and is what the open file says it is, not what its name said
before.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .interface import MIB, CreatedFile, Limits
from .media import media_type
from .names import safe_name

Stamp = tuple[int, int, int]
"""Inode, time of change in nanoseconds, size: equal for a file that is the same as before."""
Stamps = dict[str, Stamp]

_MAX_DEPTH = 8
_BLOCK = MIB
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# without O_NONBLOCK, a named pipe that took a file's place would hold us for ever
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def stamps(root: Path, limits: Limits) -> Stamps:
    """The regular files below a folder, hidden ones excepted, by their path in it."""
    return {path: stamp for path, _, _, stamp in _walk(root, limits)}


def put(root: Path, name: str, source: Path) -> Stamp:
    """Copy a file into the folder under a safe name, over whatever file or link is there.

    Raises OSError, such as IsADirectoryError when a folder has the name.
    """
    folder = os.open(root, _FOLDER)
    try:
        temporary = f".incoming-{secrets.token_hex(8)}"
        try:
            with (
                source.open("rb") as reader,
                os.fdopen(os.open(temporary, _NEW, 0o600, dir_fd=folder), "wb") as writer,
            ):
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


def collect(root: Path, before: Mapping[str, Stamp], outbox: Path, limits: Limits) -> Collected:
    """Copy the files that are new or changed since `before` into the outbox, under opaque names.

    Raises OSError when the outbox cannot be written.
    """
    files: list[CreatedFile] = []
    after: Stamps = {}
    left_out = 0
    too_large: list[str] = []
    for path, folder, name, stamp in _walk(root, limits):
        after[path] = stamp
        if before.get(path) == stamp:
            continue
        shown = "/".join(safe_name(part) for part in PurePosixPath(path).parts)
        if len(files) >= limits.created_files:
            left_out += 1
        elif stamp[2] > limits.file_bytes:
            too_large.append(shown)
        elif copied := _take(folder, name, outbox, limits):
            target, size, kind = copied
            files.append(CreatedFile(shown, target, size, kind))
    notes = [
        f"[{name} is larger than {limits.file_bytes // MIB} MiB and was not handed back.]"
        for name in too_large
    ]
    if left_out:
        notes.append(f"[{left_out} more files were created and not handed back; put them into one archive.]")
    return Collected(tuple(files), after, tuple(notes))


def _take(folder: int, name: str, outbox: Path, limits: Limits) -> tuple[Path, int, str] | None:
    try:
        source = os.open(name, _OLD, dir_fd=folder)
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
        return target, size, media_type(name, start)


def _walk(root: Path, limits: Limits) -> Iterator[tuple[str, int, str, Stamp]]:
    """Each regular file: its path below the root, a descriptor of its folder, its name there, its stamp."""
    seen = 0
    open_folders = [("", os.open(root, _FOLDER), 0)]
    try:
        while open_folders:
            above, folder, depth = open_folders.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        seen += 1
                        if seen > 2 * limits.files:  # the watchdog has ended the code long before
                            return
                        if entry.name.startswith("."):
                            continue
                        path = f"{above}{entry.name}"
                        with contextlib.suppress(OSError):
                            status = entry.stat(follow_symlinks=False)
                            if (
                                stat.S_ISDIR(status.st_mode)
                                and depth < _MAX_DEPTH
                                and len(open_folders) < 100
                            ):
                                descriptor = os.open(entry.name, _FOLDER, dir_fd=folder)
                                open_folders.append((f"{path}/", descriptor, depth + 1))
                            elif stat.S_ISREG(status.st_mode):
                                yield path, folder, entry.name, _stamp(status)
            finally:
                os.close(folder)
    finally:
        for _, folder, _ in open_folders:
            os.close(folder)


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_ino, status.st_mtime_ns, status.st_size)
