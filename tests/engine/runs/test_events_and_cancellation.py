"""Events on their way to streams, and the cancellation of work."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from assistants_tui.engine.http.event_stream import encode, event_stream
from assistants_tui.engine.runs import events as events_module
from assistants_tui.engine.runs.cancellation import CancelToken, Interrupted
from assistants_tui.engine.runs.events import EventBroadcaster
from assistants_tui.protocol.events import Event


async def test_readers_take_what_was_published_since_they_came() -> None:
    broadcaster = EventBroadcaster()
    broadcaster.publish("a", 1)
    reader = broadcaster.subscribe()
    broadcaster.publish("b", 2)
    broadcaster.publish("c", 3)
    assert await reader.take() == [Event("b", 2), Event("c", 3)]
    taking = asyncio.create_task(reader.take())
    await asyncio.sleep(0)
    broadcaster.publish("d", 4)
    assert await taking == [Event("d", 4)]
    broadcaster.publish("e", 5)
    broadcaster.end()
    assert await reader.take() == [Event("e", 5)]
    assert await reader.take() == []


async def test_a_reader_that_lags_too_far_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "_MAX_WAITING", 10_000)
    broadcaster = EventBroadcaster()
    slow, quick = broadcaster.subscribe(), broadcaster.subscribe()
    for number in range(9):
        broadcaster.publish("n", number)
        assert await quick.take() == [Event("n", number)]
    broadcaster.publish("n", [{"text": "x" * 1_001}])
    assert len(await quick.take()) == 1
    assert slow.cut_off and await slow.take() == []


async def test_a_reader_may_lag_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "_MAX_WAITING", 10_000)
    broadcaster = EventBroadcaster()
    reader = broadcaster.subscribe()
    for number in range(9):
        broadcaster.publish("n", number)
    assert not reader.cut_off and len(await reader.take()) == 9
    for number in range(9):
        broadcaster.publish("n", number)
    assert not reader.cut_off


async def test_one_event_may_be_as_large_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "_MAX_WAITING", 10)
    broadcaster = EventBroadcaster()
    reader = broadcaster.subscribe()
    broadcaster.publish("n", "x" * 100)
    assert len(await reader.take()) == 1


async def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistants_tui.engine.http.event_stream._PING_SECONDS", 0.001)
    broadcaster = EventBroadcaster()
    response = event_stream(broadcaster.subscribe())
    frames = response.body_iterator.__aiter__()
    assert await anext(frames) == b": ping\n\n"
    broadcaster.publish("done", "[DONE]")
    broadcaster.end()
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

    async with aclosing(CancelToken().items(produce)) as items:
        assert [item async for item in items] == [0, 1, 2]


async def test_a_stop_ends_waiting_at_once_and_work_with_it() -> None:
    token, cancelled = CancelToken(), asyncio.Event()

    async def produce(emit: Callable[[int], None]) -> None:
        emit(1)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def consume() -> list[int]:
        seen = []
        with pytest.raises(Interrupted, match="expire"):
            async with aclosing(token.items(produce)) as items:
                async for item in items:
                    seen.append(item)
                    asyncio.get_running_loop().call_soon(token.request, "expire")
        return seen

    assert await consume() == [1]
    assert cancelled.is_set()
    assert not token.request("cancel")
    with pytest.raises(Interrupted, match="expire"):
        token.check()


async def test_an_error_of_the_work_comes_after_its_items() -> None:
    async def produce(emit: Callable[[int], None]) -> None:
        emit(1)
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        async with aclosing(CancelToken().items(produce)) as items:
            async for item in items:
                seen.append(item)
    assert seen == [1]
