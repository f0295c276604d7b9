"""How our tests wait for an app, and when it paints.

They wait as long as it gets on, and else fail with the names of the widgets that do not.
"""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen

from support.patience import patience

STUCK = 20.0
"""Seconds in which no widget has handled a message, after which the app counts as stuck; see `patience`."""
_LOOK = 0.1
"""Seconds between two looks at what has become of the app while it is waited for."""


class StuckError(AssertionError):
    """Some widgets handle no messages any more."""


async def all_messages_handled(pilot: Pilot[Any], *, stuck: float | None = None) -> bool:
    """Wait until the app and the widgets of its screen have handled what was sent to them before.

    Textual's own wait gives up after 30 seconds in all, also for widgets that have been removed meanwhile. A
    computer with other work is slow, but it gets on: only time in which nothing is handled counts here.
    Returns False if the app has crashed or has no screen. Raises `StuckError`.
    """
    app = pilot.app
    try:
        screen = app.screen
    except ScreenStackError:
        return False
    waiting: dict[MessagePump, None] = {}
    done = asyncio.Event()

    def handled(widget: MessagePump) -> None:
        waiting.pop(widget, None)
        if not waiting:
            done.set()

    for widget in (app, *screen.walk_children(with_self=True)):
        if widget.call_later(handled, widget):
            waiting[widget] = None
    left, since = len(waiting), monotonic()
    while waiting and app._exception is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), _LOOK)
        for gone in [one for one in waiting if not one.is_attached]:
            del waiting[gone]
        if len(waiting) < left:
            left, since = len(waiting), monotonic()
        elif waiting and monotonic() - since > (patience(STUCK) if stuck is None else stuck):
            raise StuckError(f"these handle no messages any more: {[*waiting]}")
    return not waiting


def wait_as_long_as_it_gets_on() -> None:
    """Let every `Pilot` wait like that."""

    async def wait(pilot: Pilot[Any], timeout: float | None = None) -> bool:
        return await all_messages_handled(pilot, stuck=timeout)

    Pilot._wait_for_screen = wait  # type: ignore[method-assign, assignment]


_refresh: Final = Screen._compositor_refresh
_pause: Final = Pilot.pause


def look(app: App[Any]) -> None:
    """Let the app paint what has changed since somebody looked."""
    if app.is_running and app.screen_stack and app.screen._compositor._dirty_regions:
        _refresh(app.screen)


def paint_when_a_test_looks() -> None:
    """Let apps without a terminal paint when a test pauses or waits, not up to sixty times a second.

    Nobody sees the frames between, and painting them took two fifths of the time of a test with the app.
    """

    def refresh(screen: Screen[Any]) -> None:
        app = screen.app
        if not app.is_headless or screen is not app.screen:
            _refresh(screen)
            return
        screen._dirty_widgets.clear()  # the compositor keeps their regions
        app._update_mouse_over(screen)

    async def pause(pilot: Pilot[Any], delay: float | None = None) -> None:
        await _pause(pilot, delay)
        look(pilot.app)

    Screen._compositor_refresh = refresh  # type: ignore[method-assign, assignment]
    Pilot.pause = pause  # type: ignore[method-assign, assignment]
