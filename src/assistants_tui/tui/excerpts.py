"""Cutting the place where something was found, so that what was found can be seen."""

from collections.abc import Callable, Sequence
from itertools import takewhile

from rich.cells import cell_len

MAX_SENTENCE = 2000
"""Characters of a text from outside that a label, a notification or a dialog shows."""

Pieces = Sequence[tuple[str, bool]]
"""A text in pieces, and whether each is what was searched for."""


def fitting(pieces: Pieces, cells: int) -> Pieces:
    """`pieces` cut to so many cells of a terminal line; the first match stays, all of it where it fits.

    Before it, at most a third of the line is kept.
    """
    if cell_len("".join(text for text, _ in pieces)) <= cells:
        return pieces
    before = list(takewhile(lambda piece: not piece[1], pieces))
    if len(before) == len(pieces):
        return [(_beginning("".join(text for text, _ in before), cells), False)]
    room = min(cells // 3, max(0, cells - cell_len(pieces[len(before)][0])))
    head = _ending("".join(text for text, _ in before), room)
    shown = [(head, False)] if head else []
    left = cells - cell_len(head)
    for text, is_match in pieces[len(before) :]:
        part = _beginning(text, left)
        if part:
            shown.append((part, is_match))
        left -= cell_len(part)
        if part != text:
            break
    return shown


def shortened(text: str, most: int = MAX_SENTENCE) -> str:
    """The beginning of a text, and how long it is, if it has more characters than `most`."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def _beginning(text: str, cells: int) -> str:
    if cell_len(text) <= cells:
        return text
    return _longest(text[: 4 * cells], cells - 1, lambda short: short[:-1]) + "…" if cells > 0 else ""


def _ending(text: str, cells: int) -> str:
    if cell_len(text) <= cells:
        return text
    return "…" + _longest(text[-4 * cells :], cells - 1, lambda short: short[1:]) if cells > 0 else ""


def _longest(text: str, cells: int, shorter: Callable[[str], str]) -> str:
    while cell_len(text) > cells:
        text = shorter(text)
    return text
