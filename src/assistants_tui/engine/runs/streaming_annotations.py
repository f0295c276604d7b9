"""Finds markers in a text that comes in pieces, so that each can be announced with its annotation, whole.

A marker is a text the model writes for something the user can open: `sandbox:/mnt/data/plan.csv` for a file
that code has made, `【4:0†source】` for a place in a file. The streaming protocol wants its annotation in one
event, so a piece that may be the beginning of a marker is held back until the next pieces decide.
"""

import re
from collections.abc import Iterable, Iterator


class MarkerScanner:
    """Splits a growing text into plain stretches and markers."""

    def __init__(self, markers: Iterable[str] = ()) -> None:
        # The longest first, so that `…/a.csv.gz` is not taken for `…/a.csv`.
        longest_first = sorted(markers, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        self._longest = len(longest_first[0]) if longest_first else 0
        self._beginnings: dict[str, list[str]] = {}  # markers by their first sign: few stretches begin so
        for marker in longest_first:
            self._beginnings.setdefault(marker[0], []).append(marker)
        self._held = ""

    def feed(self, piece: str) -> Iterator[tuple[str, str | None]]:
        """Stretches of text that are decided, each with the marker that it is, or None."""
        if not self._longest:
            if piece:
                yield piece, None
            return
        yield from self._split(self._held + piece, final=False)

    def finish(self) -> Iterator[tuple[str, str | None]]:
        """The text has ended: what was held back."""
        if self._held:
            yield from self._split(self._held, final=True)

    def _split(self, text: str, *, final: bool) -> Iterator[tuple[str, str | None]]:
        self._held = ""
        held = len(text) if final else self._undecided(text)
        at = 0
        while (found := self._pattern.search(text, at)) is not None and (found.start() < held or final):
            if found.start() > at:
                yield text[at : found.start()], None
            yield found[0], found[0]
            at = found.end()
        if held > at:
            yield text[at:held], None
        self._held = text[max(at, held) :]

    def _undecided(self, text: str) -> int:
        """Where the earliest end of the text begins that could become a longer marker."""
        for start in range(max(0, len(text) - self._longest + 1), len(text)):
            tail = text[start:]
            if any(
                len(marker) > len(tail) and marker.startswith(tail)
                for marker in self._beginnings.get(text[start], ())
            ):
                return start
        return len(text)
