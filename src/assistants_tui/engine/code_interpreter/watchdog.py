"""Ends code that has reached a limit that the system does not keep for us."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import folder_tree, process_usage
from .execution import DATA, GIB, MIB, Limits
from .process_usage import ProcessUsage

if TYPE_CHECKING:
    import psutil

_HOST_DISK_FREE = GIB
_HOST_MEMORY_FREE = 512 * MIB
_SPARE_PROCESSES = 4  # bwrap's own two, and two that are just ending
_MOST_LOCKS = 10_000  # parts of files
_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 0.5

_logger = logging.getLogger(__name__)


class Watchdog:
    """Looks at code again and again until `stop`, in a thread: the event loop may have no time for it.

    `look` returns the limit that was reached, if any, as a sentence, and may raise OSError. `end` is then
    called with it, once, and has to be safe to call from any thread.
    """

    def __init__(self, look: Callable[[], str | None], end: Callable[[str], None]) -> None:
        self._look = look
        self._end = end
        self._stopped = threading.Event()
        self._wanted = threading.Event()
        self._wanted.set()
        threading.Thread(target=self._watch, name="watchdog of code", daemon=True).start()

    def pause(self) -> None:
        """Look no more until `resume`, because the code is frozen."""
        self._wanted.clear()

    def resume(self) -> None:
        self._wanted.set()

    def stop(self) -> None:
        self._stopped.set()
        self._wanted.set()

    def _watch(self) -> None:
        failing = False
        while self._wanted.wait() and not self._stopped.is_set():
            started = time.monotonic()
            try:
                if (sentence := self._look()) is not None:
                    self._end(sentence)
                    return
                failing = False
            except Exception:
                if not failing and not self._stopped.is_set():  # said once, not ten times a second
                    _logger.exception("code could not be watched; it is tried again until it can be")
                failing = True
            took = time.monotonic() - started
            self._stopped.wait(max(_PAUSE_SECONDS, min(5 * took, _LONGEST_PAUSE_SECONDS)))


def is_full(data: Path, limits: Limits) -> bool:
    """Whether the thread's folder is over its limits. Blocks for some milliseconds. Raises OSError."""
    return _over(folder_tree.measure(data, 2 * limits.files), 0, limits) is not None


def violation(
    processes: Sequence[psutil.Process],
    data: Path,
    scratch: Sequence[Path],
    writable: Sequence[str],
    limits: Limits,
) -> str | None:
    """The first limit that processes and the folders they write to have reached, as a sentence, or None.

    `writable`: these folders by their paths in the sandbox. Blocks for some milliseconds. What needs no disk
    is looked at first, so that memory and processes are watched also while the disk fails. Raises OSError.
    """
    usage = process_usage.measure(processes, writable, limits)
    if usage.memory > limits.memory:  # pages that processes share were counted for each of them
        usage = process_usage.measure(processes, writable, limits, exact=True)
    reached = _of_processes(usage, limits) or _of_folders(usage, data, scratch, limits)
    return f"The code was stopped: {reached}." if reached else None


def _of_processes(usage: ProcessUsage, limits: Limits) -> str | None:
    import psutil

    if usage.memory > limits.memory:
        return f"it used more than {limits.memory // MIB:,} MiB of memory"
    if usage.threads > limits.processes + _SPARE_PROCESSES:
        return f"it started more than {limits.processes} processes and threads"
    if usage.locks > _MOST_LOCKS:
        return f"it locked more than {_MOST_LOCKS:,} parts of files"
    if usage.unseen:
        return "it started a process that cannot be measured"
    if psutil.virtual_memory().available < _HOST_MEMORY_FREE:
        return "this computer is nearly out of memory"
    return None


def _of_folders(usage: ProcessUsage, data: Path, scratch: Sequence[Path], limits: Limits) -> str | None:
    if reached := _over(folder_tree.measure(data, 2 * limits.files), usage.disk, limits):
        return reached
    trees = [folder_tree.measure(folder, 2 * limits.files) for folder in scratch]
    if unseen := next((found.unseen for found in trees if found.unseen), None):
        return f"it made {unseen}"
    if sum(found.size for found in trees) > limits.scratch:
        return f"it wrote more than {limits.scratch // MIB:,} MiB of temporary files"
    if sum(found.names for found in trees) + usage.temporary > limits.files:
        return f"it created more than {limits.files:,} temporary files"
    if shutil.disk_usage(data).free < _HOST_DISK_FREE:
        return "this computer's disk is nearly full"
    return None


def _over(found: folder_tree.Usage, deleted: int, limits: Limits) -> str | None:
    """The limit that /mnt/data has reached, with the bytes of deleted files that are still in use."""
    if found.size + deleted > limits.disk:
        return f"it wrote more than {limits.disk // MIB:,} MiB to {DATA}; that was deleted"
    if found.names > limits.files:
        return f"it created more than {limits.files:,} files; they were deleted"
    if found.unseen is not None:
        return f"it made {found.unseen}; they were deleted"
    return None
