"""An end for a process that was told to end and hangs, and for what it has started."""

import os
import signal
import threading


def end_hard_after(seconds: float, code: int) -> None:
    """End this process with `code` and all processes that it has started, unless it ends before.

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


def end_children() -> None:
    """End all processes that this one has started, and those that they have started."""
    import psutil  # seldom needed

    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.Error:
            continue
