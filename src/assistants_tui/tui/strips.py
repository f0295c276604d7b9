"""Lines that are painted, without the caches that most of them never use.

Textual gives each `Strip` seven empty caches when it is made, and an update of the screen makes strips by
the hundred that live for one frame. Measured: making a strip takes 1.1 µs with its caches and 0.2 µs without,
and the caches are most of what the garbage collector has to look through while an answer streams. Here a
cache is made when it is first asked for.
"""

from collections.abc import Iterable
from typing import Final

from rich.segment import Segment
from textual.cache import FIFOCache
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


def create_caches_on_first_use() -> None:
    """Change Textual's `Strip` so; a second call changes nothing more."""
    Strip.__init__ = _init  # type: ignore[method-assign]
    Strip.__getattr__ = _create_cache  # type: ignore[attr-defined]


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
