"""An end for a process that was told to end and hangs, and for what it has started."""

import os
import signal
import threading
from contextlib import suppress

_spared: set[int] = set()


def end_hard_after(seconds: float, code: int) -> None:
    """End this process with `code` and what `end_children` ends, unless it ends before.

    For the main thread. Should nothing run any more in Python, the system ends the process a second later.
    The first call counts.
    """
    if signal.getitimer(signal.ITIMER_REAL)[0]:
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)  # first: nothing can hang before it
    guard = threading.Timer(seconds, _end, [code])
    guard.daemon = True
    guard.start()


def _end(code: int) -> None:
    try:
        end_children()
    finally:
        os._exit(code)


def spare(pid: int) -> None:
    """Let a process that this one has started, and what it starts, go on after the end: it is the user's."""
    _spared.add(pid)


def end_children() -> None:
    """End all processes that this one has started, and those that they have started, but for spared ones."""
    import psutil  # seldom needed

    for child in psutil.Process().children():
        if child.pid in _spared:
            continue
        with suppress(psutil.Error):
            for process in (*child.children(recursive=True), child):
                with suppress(psutil.Error):  # it has ended meanwhile
                    process.kill()
