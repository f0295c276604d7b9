"""When changes are drawn: once per frame, however many come, and without holding up the keys."""

from collections.abc import Callable
from time import perf_counter, thread_time

from textual.timer import Timer
from textual.widget import Widget

FRAME = 1 / 30
"""Seconds between two frames while changes keep coming."""
SHARE = 0.25
"""The part of the processor's time that frames may take; when they get slow, they become fewer."""
SLOWEST = 0.25
"""Seconds between two frames at most, however slow they are."""
BUSY = 0.04
"""Seconds of computing after which drawing lets keys have their turn, at the end of one of its steps."""


class FrameTimer:
    """Has a widget drawn once for all changes that come until then.

    This is the only place between an event and a painted line where changes wait: whoever is told of a change
    calls `request`, and the drawing reads what is new.
    """

    def __init__(self, widget: Widget, draw: Callable[[], bool]) -> None:
        """`draw` draws what has changed and tells whether it needs another frame to go on."""
        self._widget = widget
        self._draw = draw
        self._timer: Timer | None = None
        self._drawn_at = 0.0
        self._cost = 0.0  # seconds of computing for the last frame

    @property
    def pending(self) -> bool:
        """Whether a frame has been asked for and not been drawn."""
        return self._timer is not None

    def request(self) -> None:
        """Have a frame drawn: at once, or later if one has just been drawn. Costs next to nothing.

        A request from within the drawing asks for nothing: that is what draws it.
        """
        if self._timer is None and self._widget.is_mounted:
            due = self._drawn_at + max(FRAME, min(self._cost / SHARE, SLOWEST)) - perf_counter()
            self._timer = self._widget.set_timer(max(0.001, due), self.draw_now)  # 0 is an error to Textual

    def draw_now(self) -> None:
        """Draw what has changed without waiting. Raises what `draw` raises, and frames go on after that."""
        started = thread_time()
        more = False
        try:
            more = self._draw()
        finally:
            if self._timer is not None:
                self._timer.stop()
                self._timer = None
            if more:
                self.request()
            self._drawn_at = perf_counter()
            self._cost = thread_time() - started

    def spend(self, seconds: float) -> None:
        """Count computing that belongs to the last frame but came after it, such as painting its lines."""
        self._cost += seconds


class DrawingTime:
    """How long drawing may go on before keys have their turn."""

    def __init__(self) -> None:
        self._ends = 0.0

    def renew(self) -> None:
        """Something has happened that may need drawing: there is time for it now."""
        self._ends = thread_time() + BUSY

    def used_up(self) -> bool:
        """Whether drawing has taken the time that there was."""
        return thread_time() > self._ends
