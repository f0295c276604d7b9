"""How long tests wait for what should come at once."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

LONGEST = 120.0
"""Seconds that no wait exceeds, so that the limit of the test itself does not end it without a word."""


def patience(seconds: float) -> float:
    """So many seconds where nothing else runs, and more the more processes share a core.

    A wait for what never comes fails soon on a quiet computer, and none fails only because it is busy.
    """
    return min(seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), max(seconds, LONGEST))


async def until(what: str, holds: Callable[[], object], *, seconds: float = 30, pause: float = 0.01) -> None:
    """Ask again and again, `pause` seconds apart, until the condition holds.

    `what`: the condition in words; `holds`: says whether it holds, at once or when it is awaited;
    `seconds`: see `patience`. Raises `AssertionError` with `what`.
    """
    begin = time.monotonic()
    while not (await answer if isinstance(answer := holds(), Awaitable) else answer):
        waited = time.monotonic() - begin
        assert waited < patience(seconds), f"after {waited:.0f} s it still does not hold that {what}"
        await asyncio.sleep(pause)
