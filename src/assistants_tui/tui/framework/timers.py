"""A timer that rings once always rings.

Textual 8.2's timers skip a turn that they are late for. For `set_timer`, which has only one turn, that is
never: on a busy computer a process may well be held up between two of its lines for the 33 ms of a frame,
and then an answer was not drawn, or a draft not kept.
"""

from functools import wraps
from typing import Any

from textual.timer import Timer

_init = Timer.__init__


def never_skip_the_only_turn() -> None:
    """Change Textual's `Timer` so; a second call changes nothing more."""
    Timer.__init__ = _without_skipping  # type: ignore[method-assign]


@wraps(_init)
def _without_skipping(self: Timer, *args: Any, **options: Any) -> None:
    if options.get("repeat") == 0:
        options["skip"] = False
    _init(self, *args, **options)
