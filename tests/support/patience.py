"""How long tests wait for what should come at once."""

import os

LONGEST = 120.0
"""Seconds that no wait exceeds, so that the limit of the test itself does not end it without a word."""


def patience(seconds: float) -> float:
    """So many seconds where nothing else runs, and more the more processes share a core.

    A wait for what never comes fails soon on a quiet computer, and none fails only because it is busy.
    """
    return min(seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), max(seconds, LONGEST))
