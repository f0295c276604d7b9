"""Finds markers in a text that comes in pieces, so that each can be announced with its annotation, whole.

A marker is a text the model writes for something the user can open: `sandbox:/mnt/data/plan.csv` for a file
that code has made, `【4:0†source】` for a place in a file. The streaming protocol wants its annotation in one
event, so a piece that may be the beginning of a marker is held back until the next pieces decide.
"""

from collections.abc import Iterable, Iterator


class MarkerScanner:
    """Splits a growing text into plain stretches and markers."""

    def __init__(self, markers: Iterable[str] = ()) -> None:
        # The longest first, so that `…/a.csv.gz` is not taken for `…/a.csv`.
        self._markers = sorted(markers, key=len, reverse=True)
        self._held = ""

    def feed(self, piece: str) -> Iterator[tuple[str, str | None]]:
        """Stretches of text that are decided, each with the marker that it is, or None."""
        if not self._markers:
            if piece:
                yield piece, None
            return
        yield from self._split(self._held + piece, final=False)

    def finish(self) -> Iterator[tuple[str, str | None]]:
        """The text has ended: what was held back."""
        yield from self._split(self._held, final=True)

    def _split(self, text: str, *, final: bool) -> Iterator[tuple[str, str | None]]:
        self._held = ""
        while text:
            places = [(text.find(marker), marker) for marker in self._markers]
            found = min(((at, -len(marker), marker) for at, marker in places if at >= 0), default=None)
            held = len(text) if final else self._undecided(text)
            if found is None or found[0] > held or (found[0] == held and not final):
                if text[:held]:
                    yield text[:held], None
                self._held = text[held:]
                return
            at, _, marker = found
            if text[:at]:
                yield text[:at], None
            yield marker, marker
            text = text[at + len(marker) :]

    def _undecided(self, text: str) -> int:
        """Where the earliest end of the text begins that could become a longer marker."""
        longest = min(len(text), len(self._markers[0]) - 1)
        for start in range(len(text) - longest, len(text)):
            tail = text[start:]
            if any(len(marker) > len(tail) and marker.startswith(tail) for marker in self._markers):
                return start
        return len(text)
