"""Text that is to be approved, shown so that nothing in it can hide.

Characters that cannot be seen, that look like a blank, or that reorder what is shown get a visible mark; long
runs of blanks and of empty lines, which push what follows out of sight, are counted instead.
"""

import re
import unicodedata

_BLANKS = 8
"""Blanks in a row after the beginning of a line, from which on they are counted."""
_EMPTY = 3
"""Empty lines in a row, from which on they are counted."""
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters, marks and symbols that are drawn as a blank, or not at all."""
_RUN = re.compile(rf"(?<=\S) {{{_BLANKS},}}")
_EMPTY_LINES = re.compile(rf"(?:^[^\S\n]*\n){{{_EMPTY},}}", re.MULTILINE)


def exact(text: str) -> str:
    """The text with marks for whatever a reader could not see in it."""
    text = _EMPTY_LINES.sub(lambda match: f"‹{match[0].count(chr(10))} empty lines›\n", text)
    text = _RUN.sub(lambda match: f" ‹{len(match[0])} blanks› ", text)
    return text if text.isascii() and text.isprintable() else "".join(map(_mark, text))


def _mark(character: str) -> str:
    if character in " \n":
        return character
    if character == "\t":
        return "⇥   "
    if character in _INVISIBLE or unicodedata.category(character)[0] in "CZ" or _joins(character):
        return f"‹U+{ord(character):04X}›"
    return character


def _joins(character: str) -> bool:
    """Whether it only changes the character before it, and is itself not drawn."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
