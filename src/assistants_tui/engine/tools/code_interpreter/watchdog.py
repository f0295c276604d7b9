"""Measures what a session uses, and says when a limit that the system does not keep for us is reached."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from .interface import DATA, GIB, MIB, Limits

if TYPE_CHECKING:
    import psutil

_HOST_DISK_FREE = GIB
_HOST_MEMORY_FREE = 512 * MIB
_SPARE_PROCESSES = 4  # bwrap's own two, and two that are just ending


def is_full(data: Path, limits: Limits) -> bool:
    """Whether the thread's folder is over its limits. Blocks for some milliseconds."""
    size, names = _tree(data, 2 * limits.files)
    return size > limits.disk or names > limits.files


def violation(processes: list[psutil.Process], data: Path, scratch: list[Path], limits: Limits) -> str | None:
    """The first limit that processes and the folders they write to have reached, as a sentence, or None.

    Blocks for some milliseconds. What needs no disk is looked at first, so that memory and processes are
    watched also while the disk fails. Raises OSError.
    """
    reached = _of_processes(processes, limits) or _of_folders(processes, data, scratch, limits)
    return f"The code was stopped: {reached}." if reached else None


def _of_processes(processes: list[psutil.Process], limits: Limits) -> str | None:
    import psutil

    memory = _memory(processes)
    if memory > limits.memory:  # pages that processes share were counted for each of them
        memory = _memory(processes, exact=True)
    if memory > limits.memory:
        return f"it used more than {limits.memory // MIB:,} MiB of memory"
    if _threads(processes) > limits.processes + _SPARE_PROCESSES:
        return f"it started more than {limits.processes} processes and threads"
    if psutil.virtual_memory().available < _HOST_MEMORY_FREE:
        return "this computer is nearly out of memory"
    return None


def _of_folders(
    processes: list[psutil.Process], data: Path, scratch: list[Path], limits: Limits
) -> str | None:
    device = data.stat().st_dev
    disk, files = _tree(data, 2 * limits.files)
    disk += sum(_deleted(process.pid, device) for process in processes)
    trees = [_tree(folder, 2 * limits.files) for folder in scratch]
    if disk > limits.disk:
        return f"it wrote more than {limits.disk // MIB:,} MiB to {DATA}; that was deleted"
    if files > limits.files:
        return f"it created more than {limits.files:,} files; they were deleted"
    if sum(size for size, _ in trees) > limits.scratch:
        return f"it wrote more than {limits.scratch // MIB:,} MiB of temporary files"
    if sum(names for _, names in trees) > limits.files:
        return f"it created more than {limits.files:,} temporary files"
    if shutil.disk_usage(data).free < _HOST_DISK_FREE:
        return "this computer's disk is nearly full"
    return None


def _memory(processes: list[psutil.Process], *, exact: bool = False) -> int:
    import psutil

    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if exact and hasattr(process, "memory_full_info"):
                info = process.memory_full_info()
                total += getattr(info, "pss", info.uss)
            else:
                total += process.memory_info().rss
    return total


def _threads(processes: list[psutil.Process]) -> int:
    import psutil

    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.num_threads()
    return total


def _tree(root: Path, most: int) -> tuple[int, int]:
    """Bytes and names below a folder, itself not counted; stops counting after `most` names."""
    size = names = 0
    folders = [os.fspath(root)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    names += 1
                    if names > most:
                        return size, names
                    with contextlib.suppress(OSError):
                        status = entry.stat(follow_symlinks=False)
                        size += status.st_blocks * 512
                        if stat.S_ISDIR(status.st_mode):
                            folders.append(entry.path)
        except OSError:
            continue
    return size, names


def _deleted(pid: int, device: int) -> int:
    """Bytes of files without a name, on disk only because a process has them open. Linux only."""
    size = 0
    folder = Path(f"/proc/{pid}/fd")
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                status = path.stat()
                if status.st_nlink == 0 and status.st_dev == device and stat.S_ISREG(status.st_mode):
                    size += status.st_blocks * 512
    return size
