"""Text that overwrites itself, as progress bars do, to how it stands in the end."""

from __future__ import annotations

import re

_PIECES = re.compile(r"(\r+|\x08|\x1b\[[0-?]*[ -/]*[@-~])")
_ERASE = re.compile(r"\x1b\[[012]?K")


class OverwrittenText:
    """One stream. Text goes through at once, up to where a line begins to overwrite itself.

    From there on the line is held until it ends: only its last state is of use to those who read it later.
    """

    def __init__(self, longest: int) -> None:
        """`longest`: characters of a held line that are kept; what is written behind them is lost."""
        self._longest = longest
        self._held = False
        self._begun = False  # something of the line went through, and cannot be overwritten any more
        self._line: list[str] = []  # its characters
        self._cursor = 0  # at most at the end of the line

    def write(self, text: str) -> str:
        """What of the stream can be shown after this text was written to it."""
        shown: list[str] = []
        first, *others = text.split("\n")
        shown.append(self._write(first))
        for line in others:
            shown += (self.rest(), "\n")
            self._held = self._begun = False
            shown.append(self._write(line))
        return "".join(shown)

    def rest(self) -> str:
        """The line as it stands, if it is held."""
        line = "".join(self._line).rstrip()
        self._line, self._cursor = [], 0
        if not line:
            return ""
        begun, self._begun = self._begun, True
        return f"\n{line}" if begun else line

    def _write(self, text: str) -> str:
        pieces = _PIECES.split(text)
        if not self._held and all(piece.startswith("\x1b") for piece in pieces[1::2]):
            self._begun = self._begun or bool(text)
            return "".join(pieces[::2])
        self._held = True
        for piece in pieces:
            if piece.startswith("\r"):
                self._cursor = 0
            elif piece == "\b":
                self._cursor = max(0, self._cursor - 1)
            elif _ERASE.fullmatch(piece):
                del self._line[self._cursor :]
            elif not piece.startswith("\x1b"):
                kept = piece[: self._longest - self._cursor]
                end = self._cursor + len(kept)
                self._line[self._cursor : end] = kept
                self._cursor = end
        return ""
