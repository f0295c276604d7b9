"""What the kernel's process gives up before it reads a line of foreign code."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import sys
from typing import Any

from . import landlock, seccomp

_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_CAPABILITY_VERSION_3 = 0x20080522


def limit_resources(limits: dict[str, int]) -> None:
    """Set resource limits by their names in the `resource` module without `RLIMIT_`."""
    for name, value in limits.items():
        # macOS has no address-space limit; the watchdog outside measures memory there
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    os.umask(0o077)
    with contextlib.suppress(OSError):
        os.nice(5)


def become(user: int) -> None:
    """Change from root to another user and group of that number, for good. Raises OSError."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    _drop_capabilities()


def die_with(parent: int) -> None:
    """End this process when its parent thread ends, however that ends (prctl(2)). Linux only."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the application is already gone")


def restrict(readable: list[str], writable: list[str], devices: list[str]) -> None:
    """Landlock and the stricter filter: for a process without namespaces of its own.

    Must run while there is one thread: both bind the calling thread and what it starts later.
    """
    if landlock.version() < landlock.OLDEST:
        sys.exit("this system has no Landlock, or an older one than that of Linux 6.2")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _drop_capabilities()
    landlock.restrict(
        [
            *((path, landlock.READ) for path in readable),
            *((path, landlock.WRITE) for path in writable),
            *((path, landlock.DEVICE) for path in devices),
        ]
    )
    _filter(seccomp.program(platform.machine(), alone=os.getpid()))


def _drop_capabilities() -> None:
    """Give up what root may do, when the application runs as root (capabilities(7))."""
    for capability in range(64):
        with contextlib.suppress(OSError):
            _prctl(_PR_CAPBSET_DROP, capability)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_libc().capset(header, nothing))


def refuse_services() -> None:
    """Let no thread of this process listen from now on; it goes on with the sockets that do already."""
    _filter(seccomp.no_more_services(platform.machine()))


def _filter(program: bytes) -> None:
    """Filter the system calls of all threads (seccomp(2))."""

    class Program(ctypes.Structure):  # struct sock_fprog
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    filter_ = Program(len(program) // 8, program)
    number = ctypes.c_long(_SECCOMP[platform.machine()])
    _check(_libc().syscall(number, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(filter_)))


def _prctl(option: int, *arguments: Any) -> None:
    padding = [0] * (4 - len(arguments))
    _check(
        _libc().prctl(
            option, *(ctypes.c_ulong(a) if isinstance(a, int) else a for a in (*arguments, *padding))
        )
    )


def _check(result: int) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
