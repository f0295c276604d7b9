"""Changes wait for the next frame in one place, and slow frames become fewer."""

import pytest
from textual.app import ComposeResult
from textual.widget import Widget

from assistants_tui.tui import frame_timer
from assistants_tui.tui.frame_timer import FRAME, SLOWEST, DrawingTime, FrameTimer
from support.bare_app import BareApp
from support.patience import until


class Drawn(Widget):
    def __init__(self) -> None:
        super().__init__()
        self.frames = FrameTimer(self, self.draw)
        self.drawn = 0
        self.pieces = 0
        self.broken = False

    def draw(self) -> bool:
        self.drawn += 1
        self.frames.request()
        if self.broken:
            raise KeyError("broken")
        self.pieces -= 1
        return self.pieces > 0

    async def settled(self) -> None:
        await until("nothing waits for a frame", lambda: not self.frames.pending, pause=0.001)


class App(BareApp[None]):
    def compose(self) -> ComposeResult:
        yield Drawn()


async def test_many_requests_are_one_frame() -> None:
    app = App()
    async with app.run_test():
        widget = app.query_one(Drawn)
        for _ in range(100):
            widget.frames.request()
        assert widget.drawn == 0 and widget.frames.pending
        await widget.settled()
        assert widget.drawn == 1, "a request from within the drawing asks for no other frame"
        widget.frames.request()
        await widget.settled()
        assert widget.drawn == 2


async def test_what_is_left_to_draw_is_drawn_by_further_frames() -> None:
    app = App()
    async with app.run_test():
        widget = app.query_one(Drawn)
        widget.pieces = 3
        widget.frames.request()
        await widget.settled()
        assert widget.drawn == 3


async def test_a_frame_that_is_drawn_at_once_is_not_drawn_again() -> None:
    app = App()
    async with app.run_test() as pilot:
        widget = app.query_one(Drawn)
        widget.frames.request()
        widget.frames.draw_now()
        assert not widget.frames.pending
        await pilot.pause(3 * FRAME)
        assert widget.drawn == 1


async def test_a_frame_that_fails_holds_up_no_other() -> None:
    app = App()
    async with app.run_test():
        widget = app.query_one(Drawn)
        widget.broken = True
        widget.frames.request()
        with pytest.raises(KeyError):
            widget.frames.draw_now()
        waits = widget.frames.pending
        assert not waits
        widget.broken = False
        widget.frames.request()
        assert widget.frames.pending
        await widget.settled()
        assert widget.drawn == 2


@pytest.mark.parametrize(("cost", "wait"), [(0.0, FRAME), (0.04, 0.16), (9.0, SLOWEST)])
async def test_the_slower_frames_are_the_fewer_they_become(
    cost: float, wait: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App()
    async with app.run_test():
        widget = app.query_one(Drawn)
        waits: list[float] = []
        set_timer = widget.set_timer

        def noted(delay: float, callback: object) -> object:
            waits.append(delay)
            return set_timer(delay, callback)  # type: ignore[arg-type]

        monkeypatch.setattr(frame_timer, "perf_counter", lambda: 100.0)
        monkeypatch.setattr(frame_timer, "thread_time", lambda: 0.0)
        widget.frames.draw_now()
        widget.frames.spend(cost)
        monkeypatch.setattr(widget, "set_timer", noted)
        widget.frames.request()
        assert waits == [pytest.approx(wait)]
        await widget.settled()


def test_drawing_time_is_used_up_until_it_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 50.0
    monkeypatch.setattr(frame_timer, "thread_time", lambda: now)
    time = DrawingTime()
    assert time.used_up()
    time.renew()
    now += frame_timer.BUSY / 2
    assert not time.used_up()
    now += frame_timer.BUSY
    assert time.used_up()
