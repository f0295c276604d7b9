"""Cutting the place where something was found, so that what was found can be seen."""

import re
from collections.abc import Callable, Sequence
from itertools import takewhile

from rich.cells import cell_len
from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions

MAX_SENTENCE = 2000
"""Characters of a text from outside that a label, a notification or a dialog shows."""

_WORD = re.compile(r"\S+")
_PART = re.compile(r"[^/\\]*[/\\]+|[^/\\]+")

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


def without_middle(text: str, cells: int) -> str:
    """A path or a file name cut to so many cells: its beginning and its end stay."""
    if cell_len(text) <= cells:
        return text
    end = _ending(text, cells - cells // 2)
    return _beginning(text, cells - cell_len(end) + 1).removesuffix("…") + end


def broken_after_slashes(text: str, cells: int) -> str:
    """Text with line breaks inside of words that are longer than a line, after a slash where there is one."""
    return _WORD.sub(lambda word: word[0] if cell_len(word[0]) <= cells else _broken(word[0], cells), text)


def _broken(word: str, cells: int) -> str:
    lines = [""]
    for part in _PART.findall(word):
        if lines[-1] and cell_len(lines[-1]) + cell_len(part) > cells:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


class SentenceWithPaths(Content):
    """Words without styles whose paths are broken after slashes where they are longer than a line."""

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self._within(width).get_height(rules, width)

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        return self._within(width).render_strips(width, height, style, options)

    def _within(self, width: int) -> Content:
        return Content(broken_after_slashes(self.plain, width))


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
