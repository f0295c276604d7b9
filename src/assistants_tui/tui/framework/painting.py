"""Less work for each update of the screen, with the same cells as a result.

Textual 8.2 draws every widget that an update touches, also those that lie wholly behind others, such as the
screen and all containers; and each `Strip`, of which an update makes hundreds, gets seven caches that most
strips never use. Here a widget draws only lines in which something of it is seen, and a cache is made when it
is first asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from rich.segment import Segment
from textual._compositor import Compositor
from textual.cache import FIFOCache
from textual.geometry import Region
from textual.strip import Strip

CACHES: Final = {
    # name -> entries, as in Textual 8.2's `Strip.__init__`
    "_divide_cache": 4,
    "_crop_cache": 16,
    "_style_cache": 16,
    "_filter_cache": 4,
    "_line_length_cache": 4,
    "_crop_extend_cache": 4,
    "_offsets_cache": 4,
}


def paint_with_less_work() -> None:
    """Change Textual's classes so; a second call changes nothing more."""
    Strip.__init__ = _init  # type: ignore[method-assign]
    Strip.__getattr__ = _create_cache  # type: ignore[attr-defined]
    Compositor._render_chops = _render_chops  # type: ignore[method-assign]


def _init(self: Strip, segments: Iterable[Segment], cell_length: int | None = None) -> None:
    self._segments = list(segments)
    self._cell_length = cell_length
    self._render_cache = None
    self._link_ids = None
    self._cell_count = None


def _create_cache(self: Strip, name: str) -> FIFOCache[object, object]:
    """Python asks here for an attribute that has no value yet."""
    try:
        entries = CACHES[name]
    except KeyError:
        raise AttributeError(f"'Strip' object has no attribute '{name}'", name=name, obj=self) from None
    cache: FIFOCache[object, object] = FIFOCache(entries)
    setattr(self, name, cache)
    return cache


def _render_chops(
    self: Compositor, crop: Region, is_rendered_line: Callable[[int], bool]
) -> Sequence[Mapping[int, Strip]]:
    """The parts of each line, by the column where they begin; lines that are not asked for have none.

    The widgets come from front to back, and what is in front stays.
    """
    cuts = self.cuts
    chops: list[dict[int, Strip | None]] = [dict.fromkeys(line[:-1]) for line in cuts]
    for widget, (region, clip) in self.visible_widgets.items():
        seen = region.intersection(clip)
        if not seen or not crop.overlaps(clip):
            continue
        first, last = seen.column_span
        wanted: dict[int, list[int]] = {}  # line -> the widget's cuts in it
        for y in filter(is_rendered_line, seen.line_range):
            inside = [cut for cut in cuts[y] if first <= cut <= last]
            if any(chops[y][cut] is None for cut in inside[:-1]):
                wanted[y] = inside
        for lines in _runs(wanted):
            part = Region(seen.x - region.x, lines.start - region.y, seen.width, len(lines))
            for y, strip in zip(lines, widget.render_lines(part), strict=False):
                inside = wanted[y]
                drawn = strip.divide([cut - seen.x for cut in inside[1:]])
                for cut, piece in zip(inside, drawn, strict=False):  # the line may be drawn too short
                    if chops[y][cut] is None:
                        chops[y][cut] = piece
    return chops  # type: ignore[return-value]  # every cell belongs to the screen at least


def _runs(lines: Iterable[int]) -> Iterator[range]:
    """Ascending numbers as ranges of those that follow each other."""
    for _, group in groupby(enumerate(lines), lambda one: one[1] - one[0]):
        numbers = [number for _, number in group]
        yield range(numbers[0], numbers[-1] + 1)
