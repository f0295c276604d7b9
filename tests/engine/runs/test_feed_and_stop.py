"""The feed of events, and the stopping of work."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from assistants_tui.engine.api.event_stream import encode, event_stream
from assistants_tui.engine.runs import feed as feed_module
from assistants_tui.engine.runs.feed import Event, Feed
from assistants_tui.engine.runs.stop import Interrupted, Stop


async def test_readers_take_what_was_published_since_they_came() -> None:
    feed = Feed()
    feed.publish("a", 1)
    reader = feed.subscribe()
    feed.publish("b", 2)
    feed.publish("c", 3)
    assert await reader.take() == [Event("b", 2), Event("c", 3)]
    taking = asyncio.create_task(reader.take())
    await asyncio.sleep(0)
    feed.publish("d", 4)
    assert await taking == [Event("d", 4)]
    feed.publish("e", 5)
    feed.end()
    assert await reader.take() == [Event("e", 5)]
    assert await reader.take() == []


async def test_a_reader_that_lags_too_far_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "_MAX_WAITING", 10_000)
    feed = Feed()
    slow, quick = feed.subscribe(), feed.subscribe()
    for number in range(9):
        feed.publish("n", number)
        assert await quick.take() == [Event("n", number)]
    feed.publish("n", [{"text": "x" * 1_001}])
    assert len(await quick.take()) == 1
    assert slow.cut_off and await slow.take() == []


async def test_a_reader_may_lag_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "_MAX_WAITING", 10_000)
    feed = Feed()
    reader = feed.subscribe()
    for number in range(9):
        feed.publish("n", number)
    assert not reader.cut_off and len(await reader.take()) == 9
    for number in range(9):
        feed.publish("n", number)
    assert not reader.cut_off


async def test_one_event_may_be_as_large_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "_MAX_WAITING", 10)
    feed = Feed()
    reader = feed.subscribe()
    feed.publish("n", "x" * 100)
    assert len(await reader.take()) == 1


async def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistants_tui.engine.api.event_stream._PING_SECONDS", 0.001)
    feed = Feed()
    response = event_stream(feed.subscribe())
    frames = response.body_iterator.__aiter__()
    assert await anext(frames) == b": ping\n\n"
    feed.publish("done", "[DONE]")
    feed.end()
    rest = [frame async for frame in frames]
    assert rest[-1] == b"event: done\ndata: [DONE]\n\n" and set(rest[:-1]) <= {b": ping\n\n"}


def test_events_are_one_line_each() -> None:
    assert (
        encode("a.b", {"x": "two\nlines ä\u2028"})
        == 'event: a.b\ndata: {"x":"two\\nlines ä\u2028"}\n\n'.encode()
    )
    assert encode("a", {"x": "\ud800"}).endswith(b'{"x":"?"}\n\n')


async def test_work_gives_its_items() -> None:
    async def produce(emit: Callable[[int], None]) -> None:
        for number in range(3):
            emit(number)
            await asyncio.sleep(0)

    async with aclosing(Stop().items(produce)) as items:
        assert [item async for item in items] == [0, 1, 2]


async def test_a_stop_ends_waiting_at_once_and_work_with_it() -> None:
    stop, cancelled = Stop(), asyncio.Event()

    async def produce(emit: Callable[[int], None]) -> None:
        emit(1)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def consume() -> list[int]:
        seen = []
        with pytest.raises(Interrupted, match="expire"):
            async with aclosing(stop.items(produce)) as items:
                async for item in items:
                    seen.append(item)
                    asyncio.get_running_loop().call_soon(stop.request, "expire")
        return seen

    assert await consume() == [1]
    assert cancelled.is_set()
    assert not stop.request("cancel")
    with pytest.raises(Interrupted, match="expire"):
        stop.check()


async def test_an_error_of_the_work_comes_after_its_items() -> None:
    async def produce(emit: Callable[[int], None]) -> None:
        emit(1)
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        async with aclosing(Stop().items(produce)) as items:
            async for item in items:
                seen.append(item)
    assert seen == [1]
