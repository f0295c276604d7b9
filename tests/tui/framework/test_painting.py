"""Screens are painted with less work than Textual takes, and look the same."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.cache import FIFOCache
from textual.containers import Container, Horizontal, VerticalScroll
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Label, Static

from assistants_tui.tui.framework.painting import CACHES, paint_with_less_work
from support.app import open_app

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
    paint_with_less_work()
    strip = Strip([])
    assert own.keys() == set(Strip.__slots__)
    for name, value in own.items():
        here = getattr(strip, name)
        assert str(here._maxsize if isinstance(here, FIFOCache) else here) == value
    assert {name for name, value in own.items() if value.isdigit()} == CACHES.keys()


def test_a_cache_is_made_once_and_no_other_name_is_answered() -> None:
    paint_with_less_work()
    strip = Strip([Segment("one two", Style(bold=True))], 7)
    assert strip.divide([3, 7]) is strip.divide([3, 7])
    assert strip.crop(1, 3) is strip.crop(1, 3)
    assert [part.text for part in strip.divide([3, 7])] == ["one", " two"]
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        strip.colour  # type: ignore[attr-defined]  # noqa: B018


@pytest.fixture(scope="module")
def textuals() -> ModuleType:
    """Textual's compositor as it is without us."""
    spec = importlib.util.find_spec("textual._compositor")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Overlapping(App[None]):
    CSS = """
    Screen { layers: below above; }
    VerticalScroll { width: 40%; border: round green; }
    #right { width: 1fr; padding: 1 2; background: blue 30%; }
    #float { layer: above; offset: 7 3; width: 30; height: 6; border: heavy red; opacity: 60%; }
    #thin { layer: above; dock: bottom; height: 1; }
    .gone { visibility: hidden; }
    """

    def compose(self) -> ComposeResult:
        with Horizontal():
            with VerticalScroll():
                for number in range(40):
                    yield Label(f"line {number} 日本 of a list", classes="gone" if number % 7 == 3 else "")
            yield Container(Static("words " * 60), id="right")
        yield Static("above\nthe\nothers", id="float")
        yield Static("at the bottom", id="thin")


class _Asking(ModalScreen[None]):
    CSS = "_Asking { align: center middle; } Static { width: 20; height: 3; border: round white; }"

    def compose(self) -> ComposeResult:
        yield Static("sure?")


def _alike(
    app: App[Any], textuals: ModuleType, lines: set[int], crop: Region | None = None
) -> Iterator[bool]:
    compositor = app.screen._compositor
    crop = crop or compositor.size.region
    inside: Callable[[int], bool] = lambda y: y in lines and crop.y <= y < crop.bottom  # noqa: E731
    theirs = textuals.Compositor._render_chops(compositor, crop, inside)
    ours = compositor._render_chops(crop, inside)
    for y in range(compositor.size.height):
        yield list(theirs[y]) == list(ours[y])
        # What lies outside of `crop` may be left out by either: it is not sent to the terminal.
        for x, end in zip(list(ours[y]), compositor.cuts[y][1:], strict=True):
            if inside(y) and crop.x <= x and end <= crop.right:
                yield list(theirs[y][x] or ()) == list(ours[y][x] or ())


@settings(max_examples=12)
@given(
    lines=st.sets(st.integers(0, 29)),
    size=st.tuples(st.integers(20, 100), st.integers(8, 30)),
    scrolled=st.integers(0, 20),
    asking=st.booleans(),
    corner=st.tuples(st.integers(0, 60), st.integers(0, 20)),
)
async def test_every_line_has_the_same_cells(
    textuals: ModuleType,
    lines: set[int],
    size: tuple[int, int],
    scrolled: int,
    asking: bool,
    corner: tuple[int, int],
) -> None:
    paint_with_less_work()
    async with _Overlapping().run_test(size=size) as pilot:
        pilot.app.query_one(VerticalScroll).scroll_to(y=scrolled, animate=False)
        if asking:
            await pilot.app.push_screen(_Asking())
        await pilot.pause()
        assert all(_alike(pilot.app, textuals, lines))
        crop = Region(*corner, 40, 10).intersection(Region(0, 0, *size))
        if crop:
            assert all(_alike(pilot.app, textuals, lines, crop))


async def test_the_app_looks_the_same(textuals: ModuleType) -> None:
    async with open_app((100, 30)) as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        for keys in ((), ("f4",), ("ctrl+p",)):
            await driver.press(*keys)
            assert all(_alike(driver.app, textuals, set(range(30))))


async def test_what_lies_behind_others_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    paint_with_less_work()
    async with _Overlapping().run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        drawn: list[str] = []
        render_lines = Container.render_lines

        def noted(self: Container, crop: Region) -> list[Strip]:
            drawn.append(type(self).__name__)
            return render_lines(self, crop)

        monkeypatch.setattr(Horizontal, "render_lines", noted)
        pilot.app.screen._compositor.render_full_update()
        assert drawn == []
