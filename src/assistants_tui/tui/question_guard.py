"""Keeps a question that appears under somebody's hands from taking their next keys as its answer."""

from time import monotonic

SECONDS = 0.5
"""How long nobody may type before keys answer a question that has just appeared."""
now = monotonic


class QuestionGuard:
    """Knows since when a question is on the screen, and whether a key may be meant for it."""

    def __init__(self) -> None:
        self._ready_at = 0.0

    def appear(self) -> None:
        """The question has come, or has got the focus."""
        self._ready_at = now() + SECONDS

    def ready(self) -> bool:
        """Whether a key pressed now may answer. Each key that comes too early begins the wait anew."""
        if now() < self._ready_at:
            self.appear()
            return False
        return True
