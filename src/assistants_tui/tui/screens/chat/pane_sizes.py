"""The sizes of panes that the user may choose, and what fits into a terminal."""

from collections.abc import Mapping
from typing import Literal

Axis = Literal["width", "height"]

PANES: Mapping[str, Axis] = {
    "sidebar": "width",
    "inspector": "width",
    "assistants": "height",
    "run-tree": "height",
}
"""The panes with a border that can be moved, and which of their sizes it changes."""
_LEAST: Mapping[str, int] = {"sidebar": 16, "inspector": 24, "assistants": 3, "run-tree": 3}
_SHARE: Mapping[str, float] = {"sidebar": 0.4, "inspector": 0.5, "assistants": 0.6, "run-tree": 0.7}
"""The largest part of the terminal, so that the other panes can be used."""


def fitting(pane: str, size: int, room: int) -> int:
    """The size nearest to `size` that leaves room for the others in a terminal of `room` cells."""
    least = _LEAST[pane]
    return max(least, min(size, int(room * _SHARE[pane])))
