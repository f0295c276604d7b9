"""Where each of many blocks of lines begins, while their heights become known."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Heights:
    """The heights of blocks from top to bottom, in lines.

    Changing one costs nothing until a position below it is asked for; then the sums are renewed from there,
    which takes about a millisecond for 30,000 blocks. Changes at the end, where answers grow, are free.
    """

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._tops: list[int] = [0]  # one more than blocks: the last is the total
        self._valid = 0  # tops up to this index are right

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def __setitem__(self, index: int, height: int) -> None:
        if self._heights[index] != height:
            self._heights[index] = height
            self._valid = min(self._valid, index)

    def append(self, height: int) -> None:
        self._heights.append(height)

    def prepend(self, heights: Iterable[int]) -> None:
        self._heights[:0] = heights
        self._valid = 0

    def __delitem__(self, index: int) -> None:
        del self._heights[index]
        self._valid = min(self._valid, index)

    @property
    def total(self) -> int:
        """The height of all blocks."""
        return self.top(len(self._heights))

    def top(self, index: int) -> int:
        """The line where a block begins; for the number of blocks, the line behind the last."""
        if index > self._valid:
            valid, tops = self._valid, self._tops
            tops[valid:] = accumulate(self._heights[valid:], initial=tops[valid])
            self._valid = len(self._heights)
        return self._tops[index]

    def at(self, line: int) -> tuple[int, int]:
        """The block that holds a line, and its place in there. Lines outside belong to the first or last."""
        total = self.total
        line = max(0, min(line, total - 1))
        index = bisect_right(self._tops, line, 0, len(self._heights)) - 1
        return index, line - self._tops[index]
