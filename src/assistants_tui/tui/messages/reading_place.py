"""Where the reader is among messages whose heights become known only when they are seen."""

from typing import Literal

from .entry_list import EntryList
from .message_entry import MessageEntry

WALK = 4
"""Scrolling by up to so many screens goes line by line over the true heights, farther by the estimates."""


class ReadingPlace:
    """The reader is at the end of the messages, or holds on to a line of the message at the top edge.

    So what is read stays where it is when an estimate is corrected, older messages arrive, or an answer grows
    somewhere else.
    """

    def __init__(self, entries: EntryList) -> None:
        self._entries = entries
        self.at_end = True
        """Whether the end is followed."""
        self.top: MessageEntry | None = None
        """The message at the top edge."""
        self._line = 0  # of that message
        self._reached: Literal["directly", "upwards", "downwards"] = "directly"  # how it was
        self._sought: tuple[MessageEntry, str | float] | None = None  # a text, or how far down, in a message

    def reset(self) -> None:
        """Follow the end of other messages."""
        self.at_end, self.top, self._sought = True, None, None

    def hold(self, entry: MessageEntry, line: int = 0) -> None:
        """Have a line of a message at the top edge, whatever was there before."""
        self.at_end, self.top, self._line, self._reached = False, entry, line, "directly"

    def leave(self, entry: MessageEntry, neighbour: MessageEntry | None) -> None:
        """An entry is gone; `neighbour` is in its place now."""
        if entry is self.top:
            self.top, self._line = neighbour, 0

    def settle(self, height: int) -> int:
        """Measure what is in sight, `height` lines; the first of them, counted from the oldest message."""
        y = 0 if self.at_end or self.top is None else self._fill_down(height)
        waits = False
        if self.at_end or self.top is None:
            y = self._fill_up(height)
            self.at_end = True
        elif y >= self._entries.heights.total - height:
            # what ends here so far is no end that the reader has gone to
            waits = self._reached == "directly" and self._entries[-1].behind
            y = self._fill_up(height)
            self.at_end = not waits
        if len(self._entries) and not waits:
            place, self._line = self._entries.heights.at(y)
            self.top = self._entries[place]
        return y

    def _fill_up(self, height: int) -> int:
        """Measure messages from the last upwards until the view is full; the first line to show."""
        filled = 0
        for place in range(len(self._entries) - 1, -1, -1):
            filled += self._entries.measure(place)
            if filled >= height:
                break
        return max(0, self._entries.heights.total - height)

    def _fill_down(self, height: int) -> int:
        """Measure messages from the one at the top edge downwards; the first line to show."""
        assert self.top is not None
        place = self._entries.place(self.top)
        left = height + min(self._line, self._entries.measure(place) - 1)
        y = self._entries.heights.top(place) + left - height
        while left > 0 and place < len(self._entries):
            left -= self._entries.measure(place)
            place += 1
        return y

    def scroll(self, lines: int, to: int, height: int) -> None:
        """Move the top edge by a number of lines, and so to line `to` as far as the heights are known."""
        if self.top is not None and abs(lines) <= WALK * height:
            self.walk(lines)
        else:
            place, line = self._entries.heights.at(to)
            self.hold(self._entries[place], line)
        self.at_end, self._sought = False, None

    def walk(self, lines: int) -> None:
        """Move the top edge by a number of lines over the true heights."""
        assert self.top is not None
        if lines > 0:
            self._reached = "downwards"
        place, line = self._entries.place(self.top), self._line + lines
        while line < 0 and place > 0:
            place -= 1
            line += self._entries.measure(place)
            self._reached = "upwards"
        while place < len(self._entries) - 1 and line >= self._entries.measure(place):
            line -= self._entries.measure(place)
            place += 1
        self.top, self._line = self._entries[place], max(0, line)

    def note_growth(self, entry: MessageEntry, before: int, now: int, height: int) -> None:
        """More of a message is drawn. Who came to it from below keeps in sight what is below its end."""
        came_from_below = entry is self.top and self._reached == "upwards" and not self.at_end
        if came_from_below and self._line + height > before:
            self._line += max(0, now - before)

    def set_width(self, width: int) -> None:
        """Wrap all messages anew and stay about where the reader is."""
        top, entries = self.top, self._entries
        part = self._line / entries.heights[entries.place(top)] if top else 0
        entries.set_width(width)
        if top:
            self._line = int(part * entries.measure(entries.place(top)))
            if not self.at_end and top.behind:
                self._sought = top, part

    # -- a place that is looked for

    def seek(self, entry: MessageEntry, text: str) -> None:
        """Look for a text in a message, whatever its case; `find` goes there once it is drawn."""
        self._sought = entry, text.casefold()

    @property
    def can_find(self) -> bool:
        """Whether something is looked for in a message that is drawn to its end."""
        return self._sought is not None and self._sought[0].at_hand and not self._sought[0].behind

    def find(self, y: int, height: int) -> bool:
        """Go to what is looked for, if it is drawn. True if it is not among the `height` lines from `y`."""
        if self._sought is None:
            return False
        entry, wanted = self._sought
        if not entry.at_hand or self._entries.find(entry.item.id) is not entry:
            self._sought = None
            return False
        body = entry.body
        if isinstance(wanted, str):
            row = next((row for row in range(len(body)) if wanted in body[row].text.casefold()), None)
        else:
            row = None if entry.behind else int(wanted * len(body))
        if row is None:
            self._sought = self._sought if entry.behind else None
            return False
        self._sought = None
        if isinstance(wanted, float):
            self.top, self._line = entry, row
            return False
        if y <= self._entries.heights.top(self._entries.place(entry)) + row < y + height:
            return False
        self.hold(entry, max(0, row - height // 3))
        return True
