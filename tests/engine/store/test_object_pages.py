"""Lists in pages: walking a list shows everything once and in the order of creation, whatever the limits, and
whatever the clock did meanwhile."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants_tui.engine.store import threads
from assistants_tui.engine.store.crud import Page, PageRequest, UnknownCursorError
from assistants_tui.engine.store.database import Database
from assistants_tui.protocol.objects import Thread

Order = Literal["asc", "desc"]
Fetch = Callable[[PageRequest], Awaitable[Page[Thread]]]


def with_threads(times: list[int], test: Callable[[Fetch, list[str]], Awaitable[None]]) -> None:
    """Run a test against a store of threads, created in this order while the clock showed these times."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as directory:
            database = await Database.open(Path(directory))
            try:
                await test(*await filled(database))
            finally:
                await database.close()

    async def filled(database: Database) -> tuple[Fetch, list[str]]:
        made: list[str] = []
        values: dict[str, Any] = {"tool_resources": {}, "metadata": {}}
        async with database.write() as connection:
            for time in times:
                thread = await threads.create(connection, "local", time, values)
                made.append(thread["id"])
            await threads.create(connection, "somebody else", 2, values)

        async def fetch(request: PageRequest) -> Page[Thread]:
            async with database.read() as connection:
                return await threads.page(connection, "local", request)

        return fetch, made

    asyncio.run(run())


def ids(page: Page[Thread]) -> list[str]:
    return [item["id"] for item in page.data]


@settings(max_examples=12)
@given(
    times=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    limit=st.integers(1, 13),
    order=st.sampled_from(["asc", "desc"]),
)
def test_walk_forwards_and_back(times: list[int], limit: int, order: Order) -> None:
    async def walk(fetch: Fetch, oldest_first: list[str]) -> None:
        expected = oldest_first if order == "asc" else oldest_first[::-1]
        pages = [await fetch(PageRequest(limit, order))]
        while pages[-1].has_more:
            pages.append(await fetch(PageRequest(limit, order, after=ids(pages[-1])[-1])))
        assert [item for page in pages for item in ids(page)] == expected
        assert all(len(page.data) == limit for page in pages[:-1])
        # and every page is the one just before the page after it
        for before, page in pairwise(pages):
            found = await fetch(PageRequest(limit, order, before=ids(page)[0]))
            assert ids(found) == ids(before)
            assert found.has_more == (before is not pages[0])

    with_threads(times, walk)


@settings(max_examples=12)
@given(data=st.data(), times=st.lists(st.integers(0, 2), min_size=2, max_size=9))
def test_between_two_cursors(data: st.DataObject, times: list[int]) -> None:
    order: Order = data.draw(st.sampled_from(["asc", "desc"]))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(times) - 1)] * 2)))

    async def between(fetch: Fetch, oldest_first: list[str]) -> None:
        listed = oldest_first if order == "asc" else oldest_first[::-1]
        page = await fetch(PageRequest(100, order, after=listed[start], before=listed[end]))
        assert ids(page) == listed[start + 1 : end]
        assert not page.has_more

    with_threads(times, between)


def test_cursors_that_are_not_in_the_list() -> None:
    async def unknown(fetch: Fetch, oldest_first: list[str]) -> None:
        for request in (PageRequest(after="thread_x"), PageRequest(before="thread_x")):
            with pytest.raises(UnknownCursorError):
                await fetch(request)

    with_threads([1], unknown)


def test_empty_list() -> None:
    async def empty(fetch: Fetch, oldest_first: list[str]) -> None:
        assert await fetch(PageRequest()) == Page([], has_more=False)

    with_threads([], empty)
