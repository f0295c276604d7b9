"""Folders that code has written to: measured while it runs, deleted when it has ended.

Code may have made any number of names, any depth, any permissions, and may change all of it at any moment. So
every folder is opened below a descriptor of the one above it, never by a path and never through a link.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path

DEEPEST = 64
"""How deep folders may lie in each other to be measured: each level takes two descriptors."""

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = stat.S_IRUSR | stat.S_IXUSR
_MOVING_SECONDS = 0.3
_MOVED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes on disk and names below a folder. `unseen`: what could not be counted, if anything."""

    size: int
    names: int
    unseen: str | None = None


def open_folder(name: str | Path, above: int | None = None, wanted: int = _READ) -> int:
    """A descriptor of a folder, whose owner is given back the permissions in `wanted` where they are missing.

    `above` is a descriptor of the folder that it lies in. Raises OSError.
    """
    try:
        folder = os.open(name, _FOLDER | os.O_RDONLY, dir_fd=above)
    except PermissionError:
        _permit(name, above)
        folder = os.open(name, _FOLDER | os.O_RDONLY, dir_fd=above)
    try:
        mode = stat.S_IMODE(os.fstat(folder).st_mode)
        if mode & wanted != wanted:
            os.fchmod(folder, mode | wanted)
    except BaseException:
        os.close(folder)
        raise
    return folder


def measure(root: Path, most: int) -> Usage:
    """What lies below a folder; stops counting after `most` names.

    Looks again when something was renamed under its eyes: else code could hide a file by renaming it all the
    time. Raises OSError.
    """
    end = time.monotonic() + _MOVING_SECONDS
    while True:
        walk = _Walk(most)
        folder = open_folder(root)
        try:
            walk.count(folder, 0)
        finally:
            os.close(folder)
        if walk.unseen is None and walk.moved and time.monotonic() >= end:
            walk.unseen = "names that change too fast to be counted"
        if walk.unseen is not None or not walk.moved:
            return Usage(walk.size, walk.names, walk.unseen)


class _Walk:
    def __init__(self, most: int) -> None:
        self.size = self.names = 0
        self.moved = False
        """Whether something could not be looked at any more."""
        self.unseen: str | None = None
        self._most = most

    def count(self, folder: int, depth: int) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                if self.names > self._most:
                    return
                self.names += 1
                try:
                    status = entry.stat(follow_symlinks=False)
                    self.size += status.st_blocks * 512
                    if stat.S_ISDIR(status.st_mode):
                        self._enter(entry.name, folder, depth + 1)
                except OSError as error:
                    if error.errno not in _MOVED:
                        raise
                    self.moved = True

    def _enter(self, name: str, above: int, depth: int) -> None:
        if depth > DEEPEST:
            self.unseen = f"folders more than {DEEPEST} deep"
            return
        folder = open_folder(name, above)
        try:
            self.count(folder, depth)
        finally:
            os.close(folder)


def remove(root: Path) -> bool:
    """Delete a folder, or a link that has its place, and all below. Only when the code has ended.

    Returns whether nothing of it is left.
    """
    with contextlib.suppress(OSError):
        try:
            top = open_folder(root, wanted=stat.S_IRWXU)
        except NotADirectoryError:
            root.unlink()
        else:
            try:
                _empty(top)
            finally:
                os.close(top)
            root.rmdir()
    return not os.path.lexists(root)


def _empty(top: int) -> None:
    """Delete what can be deleted. Folders are brought to the top first, so depth takes no descriptors."""
    stuck: set[str] = set()
    while folders := [name for name in _unlink_files(top) if name not in stuck]:
        for name in folders:
            try:
                folder = open_folder(name, top, wanted=stat.S_IRWXU)
                try:
                    for below in _unlink_files(folder):
                        # moving a folder changes its "..", for which it has to be writable
                        os.close(open_folder(below, folder, wanted=stat.S_IRWXU))
                        os.rename(below, secrets.token_hex(16), src_dir_fd=folder, dst_dir_fd=top)
                finally:
                    os.close(folder)
                os.rmdir(name, dir_fd=top)
            except OSError:
                stuck.add(name)


def _unlink_files(folder: int) -> list[str]:
    """Delete everything in a folder but folders, whose names it returns."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                with contextlib.suppress(OSError):
                    os.unlink(entry.name, dir_fd=folder)
    return folders


def _permit(name: str | Path, above: int | None) -> None:
    """Let the owner of a folder do everything with it."""
    if not hasattr(os, "O_PATH"):
        os.chmod(name, stat.S_IRWXU, dir_fd=above, follow_symlinks=False)
        return
    folder = os.open(name, _FOLDER | os.O_PATH, dir_fd=above)
    try:
        Path(f"/proc/self/fd/{folder}").chmod(stat.S_IRWXU)
    finally:
        os.close(folder)
