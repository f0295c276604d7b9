"""Keeps a question that appears under somebody's hands from taking their next keys as its answer."""

from time import monotonic

from textual.widget import Widget

SECONDS = 0.5
"""How long nobody may type before keys answer a question that has just appeared."""
now = monotonic


class QuestionGuard:
    """Knows since when a question is on the screen, and whether a key may be meant for it."""

    def __init__(self, asking: Widget) -> None:
        """`asking` is what asks the question."""
        self._asking = asking
        self._ready_at = 0.0
        self._told = False

    def appear(self) -> None:
        """The question has come, or has got the focus."""
        self._told = False
        self._wait()

    def ready(self) -> bool:
        """Whether a key pressed now may answer. Each key that comes too early begins the wait anew."""
        if now() < self._ready_at:
            self._wait()
            if not self._told:
                self._told = True
                self._asking.notify(
                    "Keys that come right after a question are not taken as its answer.",
                    title="Pause, then answer",
                )
            return False
        return True

    def _wait(self) -> None:
        self._ready_at = now() + SECONDS
