"""Ending the processes in which tools work."""

import os
import signal
from asyncio.subprocess import Process
from contextlib import suppress


def kill(process: Process) -> None:
    """End a child at once, unless the event loop knows that it has ended.

    `Process.kill` asks the system first whether the child has ended. If it has that very moment, its exit
    code is gone: the event loop is told 255, and nobody can say any more which limit ended the child.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
