"""A short-lived folder for sockets and scratch files, which no crash leaves behind for long.

Sockets need short paths (about 100 bytes, unix(7)), so it lies in the system's temporary folder. As long as
its owner lives, the owner holds a lock on it; who finds one without a lock removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import tempfile
from pathlib import Path

from . import folder_tree

_logger = logging.getLogger(__name__)

_PREFIX = "assistants-"
_LOCK = "lock"
_LONGEST = 70  # leaves room for "/123/s-1" below it, and for the temporary folder's real path on macOS


class RuntimeFolder:
    """Created by `create` only. All methods do disk I/O."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self._made = 0

    @classmethod
    def create(cls) -> RuntimeFolder:
        """Remove what dead processes left behind, and make a folder of our own. Raises OSError."""
        base = Path(tempfile.gettempdir())
        if len(os.fsencode(base)) > _LONGEST:
            base = Path("/tmp")  # noqa: S108 - the folder made in it is private
        _sweep(base)
        while True:
            path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (
                path / _LOCK
            ).exists():  # else another process took it for abandoned just before it was locked
                return cls(path, lock)
            os.close(lock)

    def make(self) -> Path:
        """A new empty folder in it."""
        self._made += 1
        path = self.path / str(self._made)
        path.mkdir(mode=0o700)
        return path

    def remove(self) -> None:
        _remove(self.path)
        os.close(self._lock)


def _sweep(base: Path) -> None:
    for path in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if path.is_symlink() or path.stat().st_uid != os.getuid():
                continue
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)
            finally:
                os.close(lock)


def _remove(path: Path) -> None:
    """Delete such a folder. Its lock goes last: what is left is found at the next start."""
    emptied = [folder_tree.remove(made) for made in path.iterdir() if made.name != _LOCK]
    if not all(emptied) or not folder_tree.remove(path):
        _logger.warning("temporary files of code could not be deleted: %s", path)
