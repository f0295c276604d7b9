"""How the other tests wait for an app: on a busy computer too, and not for ever."""

import asyncio

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from support.patience import LONGEST, patience, until
from support.pilot import StuckError, all_messages_handled


class Slow(Static):
    """Takes its time for each of its messages."""

    async def work(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Several(App[None]):
    def compose(self) -> ComposeResult:
        for number in range(4):
            yield Slow(id=f"slow-{number}")


async def test_it_waits_as_long_as_one_after_the_other_gets_on() -> None:
    app = Several()
    async with app.run_test() as pilot:
        for number, slow in enumerate(app.query(Slow)):
            slow.call_later(slow.work, 0.25 * (number + 1))
        assert await all_messages_handled(pilot, stuck=0.8)  # all of them take longer than that together


async def test_who_is_stuck_is_named() -> None:
    app = Several()
    async with app.run_test() as pilot:
        slow = app.query_one("#slow-2", Slow)
        slow.call_later(slow.work, 2)
        with pytest.raises(StuckError, match="slow-2"):
            await all_messages_handled(pilot, stuck=0.3)


async def test_it_does_not_wait_for_what_is_gone() -> None:
    app = Several()
    async with app.run_test() as pilot:
        slow = app.query_one("#slow-1", Slow)
        slow.call_later(slow.work, 30)
        slow.call_later(slow.work, 30)
        wait = asyncio.create_task(all_messages_handled(pilot))
        await asyncio.sleep(0)
        assert slow._task is not None
        slow._task.cancel()  # its messages are dropped
        await slow.remove()
        assert await asyncio.wait_for(wait, 5)


def test_all_pilots_wait_like_that() -> None:
    assert Pilot._wait_for_screen.__module__ == "support.pilot"


def test_patience_grows_with_the_load_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    limits = []
    for load in (0.1, 2.0, 5.0, 90.0):
        monkeypatch.setattr("os.getloadavg", lambda load=load: (load, 0.0, 0.0))
        limits.append(patience(30))
    assert limits == [30, 30, 75, LONGEST]
    assert patience(200) == 200


async def test_what_never_holds_is_named() -> None:
    asked = []

    async def never() -> bool:
        asked.append(True)
        return False

    with pytest.raises(AssertionError, match="the tide is in"):
        await until("the tide is in", never, seconds=0.05)
    assert len(asked) > 1
