"""What processes take that no folder shows: memory, threads, sockets, deleted files, temporary file systems.

Code may try to have none of it seen. What cannot be measured counts as the most that it can be.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .execution import Limits

if TYPE_CHECKING:
    import psutil

_TEMPORARY = ("/tmp", "/dev/shm")  # noqa: S108 - file systems of the sandbox, each with a size of its own
_SOCKET_BUFFER = 212_992  # bytes, where the system does not tell
_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """All processes together.

    `memory` in bytes, the buffers of sockets included; pages that processes share count once for each of
    them, unless it was measured `exact`. `disk`: bytes of deleted files that are still in use. `temporary`:
    files in file systems that only the sandbox has. `locks`: parts of files that are locked (fcntl(2)), each
    of which takes memory of the system's. `unseen`: whether a process could not be measured.
    """

    memory: int = 0
    threads: int = 0
    disk: int = 0
    temporary: int = 0
    locks: int = 0
    unseen: bool = False


def measure(
    processes: Sequence[psutil.Process], writable: Sequence[str], limits: Limits, *, exact: bool = False
) -> ProcessUsage:
    """What processes take now.

    `writable`: the folders on the computer's disk that they may write to, by their paths in the sandbox.
    `exact` counts each page of memory once, which takes longer.
    """
    if sys.platform != "linux":
        return _by_psutil(processes, exact=exact)
    total = _Total(writable, limits, exact=exact)
    for process in processes:
        total.add(process.pid)
    return total.usage()


def _by_psutil(processes: Sequence[psutil.Process], *, exact: bool) -> ProcessUsage:
    import psutil

    memory = threads = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            memory += process.memory_full_info().uss if exact else process.memory_info().rss
            threads += process.num_threads()
    return ProcessUsage(memory, threads)


class _Total:
    """Adds up what /proc says of one process after the other (proc_pid_status(5) and its neighbours)."""

    def __init__(self, writable: Sequence[str], limits: Limits, *, exact: bool) -> None:
        self._writable = tuple(f"{folder}/".encode() for folder in writable)
        self._limits = limits
        self._exact = exact
        self._pids: set[bytes] = set()
        self._memory = self._threads = 0
        self._deleted: dict[tuple[int, int], int] = {}  # bytes by device and inode
        self._mapped: set[int] = set()  # inodes of deleted files in memory
        self._sockets: set[int] = set()
        self._contained: Path | None = None  # where /proc shows a process with namespaces of its own
        self._unseen = False

    def add(self, pid: int) -> None:
        self._pids.add(b"%d" % pid)
        self._threads += _status(Path(f"/proc/{pid}")).get(b"Threads", 0)
        if not self._try(pid):
            time.sleep(_AGAIN_SECONDS)  # a process that ends may not be looked into either
            self._unseen = self._unseen or not self._try(pid)

    def usage(self) -> ProcessUsage:
        temporary, own_devices = self._temporary()
        disk = sum(size for (device, _), size in self._deleted.items() if device not in own_devices)
        disk += len(self._mapped - {inode for _, inode in self._deleted}) * self._limits.file_bytes
        memory = self._memory + self._socket_count() * _socket_buffer()
        return ProcessUsage(memory, self._threads, disk, temporary, self._locks(), self._unseen)

    def _try(self, pid: int) -> bool:
        """Add a process. False if it is alive and may not be looked into."""
        living = _living(pid)
        if living is None:
            return True
        status = _status(living)
        try:
            self._add_files(living)
            self._add_mapped(living)
            if self._contained is None and _is_contained(living):
                self._contained = living
            pages = _status(living, "smaps_rollup") if self._exact else {}
        except OSError:
            return _living(pid) is None
        self._memory += 1024 * (pages.get(b"Pss") or status.get(b"VmRSS", 0))
        self._memory += 1024 * (pages.get(b"SwapPss") or status.get(b"VmSwap", 0))
        self._memory += 1024 * status.get(b"HugetlbPages", 0)
        return True

    def _add_files(self, living: Path) -> None:
        for descriptor in (living / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                status = descriptor.stat()
                if stat.S_ISSOCK(status.st_mode):
                    self._sockets.add(status.st_ino)
                elif stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                    self._deleted[status.st_dev, status.st_ino] = status.st_blocks * 512

    def _add_mapped(self, living: Path) -> None:
        """Files in memory without a name, and maybe without a descriptor that would tell their size."""
        maps = (living / "maps").read_bytes()
        for line in maps.splitlines() if b" (deleted)\n" in maps else ():
            if not line.endswith(b" (deleted)"):
                continue
            _, access, _, _, inode, path = line.split(maxsplit=5)
            if path.startswith(self._writable):
                self._mapped.add(int(inode))
            elif path == b"/dev/zero (deleted)" and access.endswith(b"s"):
                self._memory += self._limits.memory + 1

    def _locks(self) -> int:
        """Lines such as `3: POSIX  ADVISORY  WRITE 2134 08:01:393217 0 EOF` (proc_locks(5))."""
        with contextlib.suppress(OSError):
            lines = map(bytes.split, Path("/proc/locks").read_bytes().splitlines())
            return sum(line[1] == b"POSIX" and line[4] in self._pids for line in lines)
        return 0

    def _temporary(self) -> tuple[int, set[int]]:
        """Files in the sandbox's own file systems, and the devices that these are."""
        names, devices = 0, set()
        for folder in _TEMPORARY if self._contained is not None else ():
            with contextlib.suppress(OSError):
                path = Path(f"{self._contained}/root{folder}")
                device = path.stat().st_dev
                if device != Path(folder).stat().st_dev:  # else it is the computer's own
                    devices.add(device)
                    state = os.statvfs(path)
                    names += state.f_files - state.f_ffree
        return names, devices

    def _socket_count(self) -> int:
        """With a network of its own, those too that nobody has accepted: only the network knows them."""
        if self._contained is not None:
            with contextlib.suppress(OSError):
                return Path(self._contained, "net/unix").read_bytes().count(b"\n") - 1
        return len(self._sockets)


def _living(pid: int) -> Path | None:
    """Where /proc shows memory and files of a process: its first thread may have ended before others."""
    for path in _threads(pid):
        if b"VmRSS" in _status(path):
            return path
    return None


def _threads(pid: int) -> Iterator[Path]:
    process = Path(f"/proc/{pid}")
    yield process
    with contextlib.suppress(OSError):
        yield from (process / "task").iterdir()


def _status(path: Path, name: str = "status") -> dict[bytes, int]:
    """The numbers of a file with lines such as `VmRSS: 12 kB`; nothing for a process that is gone."""
    numbers = {}
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in (path / name).read_bytes().splitlines():
            key, _, value = line.partition(b":")
            words = value.split()
            if words and words[0].isdigit():
                numbers[key] = int(words[0])
    return numbers


def _is_contained(living: Path) -> bool:
    """Whether a process has a file system and a network of its own."""
    own = Path("/proc/self")
    return all((living / name).readlink() != (own / name).readlink() for name in ("ns/mnt", "ns/net"))


def _socket_buffer() -> int:
    """Bytes that may wait in a socket to be read."""
    with contextlib.suppress(OSError, ValueError):
        return int(Path("/proc/sys/net/core/wmem_default").read_text(encoding="ascii"))
    return _SOCKET_BUFFER
