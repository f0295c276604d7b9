"""Measures what a session uses, and says when a limit that the system does not keep for us is reached."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .interface import DATA, GIB, MIB, Limits

if TYPE_CHECKING:
    import psutil

_HOST_DISK_FREE = GIB
_HOST_MEMORY_FREE = 512 * MIB
_SPARE_PROCESSES = 4  # bwrap's own two, and two that are just ending


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of memory; processes and their threads; bytes and names in /mnt/data and in scratch folders."""

    memory: int
    threads: int
    disk: int
    files: int
    scratch: int
    scratch_files: int


def measure(processes: list[psutil.Process], data: Path, scratch: list[Path], limits: Limits) -> Usage:
    """What processes use together, and the folders that they write to. Blocks for some milliseconds."""
    disk, files = _tree(data, 2 * limits.files)
    disk += sum(_deleted(process.pid, data.stat().st_dev) for process in processes)
    trees = [_tree(folder, 2 * limits.files) for folder in scratch]
    memory = _memory(processes)
    if memory > limits.memory:  # pages that processes share were counted for each of them
        memory = _memory(processes, exact=True)
    return Usage(
        memory,
        _threads(processes),
        disk,
        files,
        sum(size for size, _ in trees),
        sum(names for _, names in trees),
    )


def is_full(data: Path, limits: Limits) -> bool:
    """Whether the thread's folder is over its limits. Blocks for some milliseconds."""
    size, names = _tree(data, 2 * limits.files)
    return size > limits.disk or names > limits.files


def violation(usage: Usage, limits: Limits, data: Path) -> str | None:
    """The limit that was reached, as a sentence, or None."""
    import psutil

    reached = {
        f"it used more than {limits.memory // MIB:,} MiB of memory": usage.memory > limits.memory,
        f"it started more than {limits.processes} processes and threads": (
            usage.threads > limits.processes + _SPARE_PROCESSES
        ),
        f"it wrote more than {limits.disk // MIB:,} MiB to {DATA}; that was deleted": usage.disk
        > limits.disk,
        f"it created more than {limits.files:,} files; they were deleted": usage.files > limits.files,
        f"it wrote more than {limits.scratch // MIB:,} MiB of temporary files": usage.scratch
        > limits.scratch,
        f"it created more than {limits.files:,} temporary files": usage.scratch_files > limits.files,
        "this computer's disk is nearly full": shutil.disk_usage(data).free < _HOST_DISK_FREE,
        "this computer is nearly out of memory": psutil.virtual_memory().available < _HOST_MEMORY_FREE,
    }
    return next((f"The code was stopped: {why}." for why, is_reached in reached.items() if is_reached), None)


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
