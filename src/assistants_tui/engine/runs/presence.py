"""Knowing whether another engine process on the same data directory is alive.

Each engine holds a lock on a file of its own. The system frees it when the process ends, however it ends.
"""

import secrets
from pathlib import Path

from filelock import FileLock, Timeout


class Presence:
    """This engine's name and its sign of life."""

    def __init__(self, directory: Path) -> None:
        self.name = secrets.token_hex(8)
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = FileLock(self._file(self.name), mode=0o600)
        self._lock.acquire(blocking=False)

    def is_dead(self, name: str) -> bool:
        """Whether the engine of that name has certainly ended. False if nothing is known of it."""
        path = self._file(name)
        if not path.exists():
            return False
        try:
            with FileLock(path, mode=0o600, blocking=False):
                return True
        except Timeout:
            return False

    def tidy(self) -> None:
        """Delete the files of engines that have ended."""
        for path in self._directory.glob("*.lock"):
            if self.is_dead(path.stem):
                path.unlink(missing_ok=True)

    def leave(self) -> None:
        self._lock.release()
        self._file(self.name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._directory / f"{name}.lock"
