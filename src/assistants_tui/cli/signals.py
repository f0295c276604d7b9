"""Ends a command in order when the system tells it to, or its terminal goes away."""

import asyncio
import signal
import threading
from collections.abc import Coroutine

from assistants_tui.service.exit_guard import end_hard_after

_HARD_END = 5.0
"""Seconds after which the command ends whatever it hangs in."""


async def until_told_to_end(work: Coroutine[object, object, int]) -> int:
    """The result of `work`; or 128 and the number of the signal that has cancelled it.

    A signal that is ignored stays so: `nohup` and the background jobs of scripts rely on it.
    """
    task = asyncio.ensure_future(work)
    told: list[int] = []

    def end(number: int) -> None:
        if not told:
            told.append(number)
            end_hard_after(_HARD_END, 128 + number)
            task.cancel()

    in_main = threading.current_thread() is threading.main_thread()  # others hear no signals
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if in_main else ():
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not told:
            raise
        return 128 + told[0]
