"""Timers on a computer that is too busy to be in time."""

import asyncio
import itertools

import pytest
from textual.app import App

from assistants_tui.tui.framework.timers import never_skip_the_only_turn


async def test_a_timer_that_is_late_still_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    never_skip_the_only_turn()
    rang = asyncio.Event()
    async with App[None]().run_test() as pilot:
        seconds = itertools.count()
        monkeypatch.setattr(
            "textual._time.get_time", lambda: float(next(seconds))
        )  # each look is a second late
        pilot.app.set_timer(0.001, rang.set)
        async with asyncio.timeout(20):
            await rang.wait()


async def test_a_timer_that_repeats_still_leaves_out_what_it_is_late_for() -> None:
    never_skip_the_only_turn()
    async with App[None]().run_test() as pilot:
        assert pilot.app.set_interval(60, print)._skip
        assert not pilot.app.set_timer(60, print)._skip
