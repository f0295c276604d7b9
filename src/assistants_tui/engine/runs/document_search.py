"""Searches the documents of a run: those of its assistant and those of its thread, together."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.runs import call_arguments
from assistants_tui.engine.runs.artifacts import RunArtifacts
from assistants_tui.engine.runs.cancellation import CancelToken
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.runs.tool_calls_writer import ToolCallsWriter
from assistants_tui.engine.search import passages
from assistants_tui.engine.search.queries import rewrite
from assistants_tui.engine.search.results import Ranking
from assistants_tui.engine.store import assistants, threads, vector_store_files, vector_stores
from assistants_tui.protocol import bounded_json
from assistants_tui.protocol.objects import Assistant, FileSearchResources, Json, Run, Thread

WAIT = 60
"""Seconds that a run waits, all its searches together, for files that are still being read.

The Assistants guide has it for the stores of threads. Those of assistants are as new where programs make a
store, attach it and ask at once.
"""

_LOOK = 0.1  # seconds between two looks at them
_QUERIES = 20  # of one call: more is a model that repeats itself
_NAMES = 20  # documents that the model is told the names of
_FAULTS = 5  # documents that could not be read: the model is told why
_SMALL = "gpt-3.5-turbo"  # with few results and few tokens, per the guide


class ExpiredStoreError(Exception):
    """The vector store of the thread has expired, and with it what the run was to search."""

    def __init__(self, store_id: str) -> None:
        super().__init__(
            f"The vector store {store_id} of this thread has expired. Attach the files again, or give the "
            "thread another vector store."
        )


@dataclass(frozen=True)
class Documents:
    """What a run can search. `names`: of the newest documents; `count`: of all of them.

    `faults`: the newest of the `not_read` documents that could not be read, each with the reason.
    """

    of_assistant: list[str] = field(default_factory=list)
    of_thread: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    count: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)
    not_read: int = 0

    @property
    def stores(self) -> list[str]:
        """The IDs of the vector stores to search."""
        return list(dict.fromkeys([*self.of_thread, *self.of_assistant]))


async def of_run(connection: AsyncConnection, owner: str, run: Run, now: int) -> Documents | None:
    """The documents of a run; None if it has no file search. Raises `ExpiredStoreError`."""
    if all(tool["type"] != "file_search" for tool in run["tools"]):
        return None
    assistant = _store_ids(await assistants.get(connection, owner, run["assistant_id"]))
    thread = _store_ids(await threads.get(connection, owner, run["thread_id"]))
    known = await vector_stores.several(connection, owner, [*assistant, *thread], now)
    expired = [store_id for store_id, store in known.items() if store["status"] == "expired"]
    for store_id in thread:
        if store_id in expired:
            raise ExpiredStoreError(store_id)
    usable = known.keys() - set(expired)
    found = Documents(
        of_assistant=[store_id for store_id in assistant if store_id in usable],
        of_thread=[store_id for store_id in thread if store_id in usable],
        expired=expired,
    )
    return await _with_files(connection, found)


async def _with_files(connection: AsyncConnection, documents: Documents) -> Documents:
    """The same stores with the files that they have now."""
    names, count = await vector_store_files.names(connection, documents.stores, _NAMES)
    faults, not_read = await vector_store_files.not_read(connection, documents.stores, _FAULTS)
    return replace(documents, names=names, count=count, faults=faults, not_read=not_read)


class DocumentSearch:
    """File search as one run uses it."""

    def __init__(self, services: RunServices, run: Run, artifacts: RunArtifacts) -> None:
        self.documents: Documents | None = None
        self.told: dict[str, str] = {}
        """What the model reads of each search, by call ID."""
        self.remarks: dict[str, str] = {}
        """What it reads there beside the results, such as what could not be searched, by call ID."""
        self._services = services
        self._artifacts = artifacts
        self._searches = 0
        self._waits_until: float | None = None
        tools = [tool for tool in run["tools"] if tool["type"] == "file_search"]
        options: Json = (tools[0].get("file_search") or {}) if tools else {}
        small = str(run["model"]).startswith(_SMALL)
        self._max_results: int = options.get("max_num_results") or (5 if small else 20)
        self._max_tokens = 4_000 if small else 16_000
        self._ranking = passages.ranking(run["tools"])

    def resume(self, results: list[list[Json]]) -> None:
        """Go on after searches that the run has done before, so that they can still be cited."""
        for found in results:
            self._cite(found)

    async def run(
        self,
        calls: ToolCallsWriter,
        index: int,
        arguments: str,
        cancel_token: CancelToken,
        *,
        budget: int | None,
    ) -> None:
        """Do one search. `budget`: tokens of the next prompt, if it is limited. Raises `Interrupted`."""
        documents = self.documents or Documents()
        found: list[Json] = []
        unread = 0
        if documents.stores:
            unread = await self._wait(documents.stores, cancel_token)
            async with self._services.database.read() as connection:
                self.documents = documents = await _with_files(connection, documents)
            found = await self._search(documents.stores, _queries(arguments), budget)
            cancel_token.check()
        number = self._cite(found)
        calls.add_results(index, found)
        remark = passages.remark(
            found=bool(found),
            searched=documents.count,
            unread=unread,
            faults=documents.faults,
            not_read=documents.not_read,
            expired=documents.expired,
        )
        call_id = calls.items[index]["id"]
        self.told[call_id] = passages.told(found, number, remark)
        if remark:
            self.remarks[call_id] = remark

    async def _search(self, stores: list[str], queries: list[str], budget: int | None) -> list[Json]:
        services = self._services
        async with services.database.write() as connection:
            await vector_stores.use(connection, stores, services.now())
        if not queries:
            return []
        hits = await services.file_search.search(
            stores,
            queries,
            max_results=self._max_results,
            ranking=Ranking(score_threshold=self._ranking["score_threshold"]),
            # What is found is not all that the prompt has to hold.
            token_budget=self._max_tokens if budget is None else min(self._max_tokens, budget // 2),
        )
        return [passages.result(hit) for hit in hits]

    async def _wait(self, stores: list[str], cancel_token: CancelToken) -> int:
        """Wait until the files of some stores are read, but not for ever. How many are not.

        Meanwhile the step of the search is `in_progress`. Raises `Interrupted`.
        """

        async def pause(_: Callable[[None], None]) -> None:
            await asyncio.sleep(_LOOK)

        clock = self._services.clock
        if self._waits_until is None:
            self._waits_until = clock.time() + WAIT
        while True:
            async with self._services.database.read() as connection:
                unread = await vector_store_files.unread(connection, stores)
            if not unread or clock.time() >= self._waits_until:
                return unread
            async with aclosing(cancel_token.items(pause)) as nothing:
                async for _ in nothing:
                    pass

    def _cite(self, found: list[Json]) -> int:
        """Make the results of a search citable and return its number."""
        number = self._searches
        self._searches += 1
        for marker, file_id in passages.markers(found, number):
            self._artifacts.add_passage(marker, file_id)
        return number


def _store_ids(holder: Assistant | Thread | None) -> list[str]:
    resources = (holder["tool_resources"] if holder is not None else None) or {}
    return (resources.get("file_search") or FileSearchResources()).get("vector_store_ids", [])


def _queries(arguments: str) -> list[str]:
    """What the model wants to look for: all texts in its arguments, however it has written them."""
    value: object = arguments
    with suppress(ValueError, RecursionError):  # RecursionError: nested too deeply
        value = bounded_json.parse(call_arguments.sound(arguments) or arguments)
    texts = [text for text in _texts(value) if text.strip()]
    return list(dict.fromkeys(query for text in texts[:_QUERIES] for query in rewrite(text)))[:_QUERIES]


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in _texts(item)]
        case list():
            return [text for item in value for text in _texts(item)]
        case _:
            return []
