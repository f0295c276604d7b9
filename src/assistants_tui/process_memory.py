"""Keeps the memory of this process, and with it API keys, from being written to disk or read by others."""

import contextlib
import resource
import sys

NO_CORE_DUMP = 1 if sys.platform == "linux" else 0
"""The limit of a core dump, in bytes, at which none is made.

On Linux, 0 does not stop a dump that goes to a program (core(5), `kernel.core_pattern`), as on most desktops;
1 stops that one, too, and a file needs more.
"""

_PR_SET_DUMPABLE = 4


def disable_core_dumps() -> None:
    """Let neither this process nor those that it starts leave their memory on disk when they crash."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    limit = NO_CORE_DUMP if most == resource.RLIM_INFINITY else min(NO_CORE_DUMP, most)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


def hide_from_debuggers() -> None:
    """Let other programs of the user not read this process's memory and environment (prctl(2)). Linux only.

    Root's programs still can, and processes that this one starts are not protected.
    """
    if sys.platform == "linux":
        import ctypes  # takes 2 ms, which is too long before the first frame

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
