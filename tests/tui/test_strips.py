"""Strips whose caches are made on first use work as Textual's own."""

import subprocess
import sys

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.cache import FIFOCache
from textual.strip import Strip

from assistants_tui.tui.strips import CACHES, create_caches_on_first_use

_OWN = """
from textual.cache import FIFOCache
from textual.strip import Strip
strip = Strip([])
for name in Strip.__slots__:
    value = getattr(strip, name)
    print(name, value._maxsize if isinstance(value, FIFOCache) else value)
"""


def test_every_cache_of_textual_is_known_with_its_size() -> None:
    shown = subprocess.run(  # in a process in which nobody has changed Textual
        [sys.executable, "-c", _OWN], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    own = dict(line.split() for line in shown.splitlines())
    create_caches_on_first_use()
    strip = Strip([])
    assert own.keys() == set(Strip.__slots__)
    for name, value in own.items():
        here = getattr(strip, name)
        assert str(here._maxsize if isinstance(here, FIFOCache) else here) == value
    assert {name for name, value in own.items() if value.isdigit()} == CACHES.keys()


def test_a_cache_is_made_once_and_no_other_name_is_answered() -> None:
    create_caches_on_first_use()
    strip = Strip([Segment("one two", Style(bold=True))], 7)
    assert strip.divide([3, 7]) is strip.divide([3, 7])
    assert strip.crop(1, 3) is strip.crop(1, 3)
    assert [part.text for part in strip.divide([3, 7])] == ["one", " two"]
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        strip.colour  # type: ignore[attr-defined]  # noqa: B018
