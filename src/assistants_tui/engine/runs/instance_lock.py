"""Knowing whether another engine process on the same data directory is alive.

Each engine holds a lock on a file of its own. The system frees it when the process ends, however it ends. A
process that is stopped (SIGSTOP, a paused container or virtual machine) keeps it, and is alive.
"""

import secrets
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

State = Literal["alive", "dead", "unknown"]


class InstanceLock:
    """This engine's name and its sign of life."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name, self._lock = self._lock_new_file()

    def state(self, name: str) -> State:
        """Whether the engine of that name is alive.

        `unknown`: it has no file here, because it ended in good order or works on another computer.
        """
        path = self._file(name)
        if not path.exists():
            return "unknown"
        try:
            with FileLock(path, mode=0o600, blocking=False):
                return "dead"
        except Timeout:
            return "alive"

    def tidy(self) -> None:
        """Delete the files of engines that have ended."""
        for path in self._directory.glob("*.lock"):
            try:
                with FileLock(path, mode=0o600, blocking=False):
                    path.unlink(missing_ok=True)
            except Timeout:
                continue

    def leave(self) -> None:
        self._file(self.name).unlink(missing_ok=True)
        self._lock.release()

    def _lock_new_file(self) -> tuple[str, FileLock]:
        while True:
            name = secrets.token_hex(8)
            lock = FileLock(self._file(name), mode=0o600)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue  # an engine that tidies up holds it, and is about to delete it
            if self._file(name).exists():
                return name, lock
            lock.release()  # it was deleted just before it was locked

    def _file(self, name: str) -> Path:
        return self._directory / f"{name}.lock"
