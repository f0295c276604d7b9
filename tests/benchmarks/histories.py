"""Long histories in the installed command: opening, scrolling, filtering, and a long day of use."""

import asyncio
import itertools
import re
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine import seed as starters
from assistants_tui.engine.store import ids, threads
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.schema import messages
from benchmarks.command import (
    READY,
    Endpoint,
    data_folder,
    machine,
    press,
    resident_megabytes,
    spoken,
    until_painted,
    use_endpoint,
)
from benchmarks.figures import Figure, percentile
from benchmarks.starting import reference
from support.terminal import Terminal

SMALL, BIG = 100, 100_000
SCROLLED = 5_000
FILTERED = 10_000
LONG_RUNS, SWITCHES, COMPARED = 1_000, 200, 25
SHIFT_TAB, PAGE_UP = "\x1b[Z", "\x1b[5~"


def seed(env: dict[str, str], sizes: dict[str, int]) -> None:
    """Threads with so many messages each, by title, in the engine's store and in the history."""
    found = asyncio.run(_fill(data_folder(env) / "engines" / "local", sizes))
    tables = (reference(n, title, found[title]) for n, title in enumerate(sizes))
    (data_folder(env) / "threads.toml").write_text("\n".join(tables))


async def _fill(folder: Path, sizes: dict[str, int]) -> dict[str, str]:
    now = 1_700_000_000

    async def first(connection: AsyncConnection) -> None:
        await starters.create(connection, "local", now)

    database = await Database.open(folder, seed=first)
    found = {}
    async with database.write() as connection:
        for title, count in sizes.items():
            thread = await threads.create(
                connection, "local", now, {"metadata": {}, "tool_resources": {}, "message_count": count}
            )
            found[title] = thread["id"]
            for start in range(0, count, 10_000):
                rows = [
                    _message(thread["id"], title, n, count) for n in range(start, min(count, start + 10_000))
                ]
                await connection.execute(insert(messages), rows)
    await database.close()
    return found


def _message(thread_id: str, title: str, number: int, count: int) -> dict[str, object]:
    said = f"Message {number} of {title}: " + "some words to read " * (2 + number % 5)
    if number == count - 1:
        said = f"NEWEST-OF-{title.upper()}"
    text = {"value": said, "annotations": []}
    return {
        "id": ids.new("message"),
        "owner": "local",
        "created_at": 1_700_000_000 + number,
        "thread_id": thread_id,
        "status": "completed",
        "role": "assistant" if number % 2 else "user",
        "content": [{"type": "text", "text": text}],
        "attachments": [],
        "metadata": {},
    }


def opening(runs: int) -> list[Figure]:
    """From Enter on a thread to its newest page, and the memory after scrolling far up in it."""
    ratios, grown = [], []
    with machine() as env:
        seed(env, {"Small": SMALL, "Large": BIG})  # listed from the one used last
        for number in range(runs):
            with _app(env) as terminal:
                empty = resident_megabytes(terminal.pid)
                small = _open(terminal, "G\r", "NEWEST-OF-SMALL")
                ratios.append(_open(terminal, "g\r", "NEWEST-OF-LARGE") / small)
                if number == 0:
                    _scroll_up(terminal, BIG - SCROLLED)
                    grown.append(resident_megabytes(terminal.pid) / empty)
    return [
        Figure(f"open a thread of {BIG:,} messages / one of {SMALL}", "×", tuple(ratios), 1.5),
        Figure(f"memory after scrolling {SCROLLED:,} messages up / empty app", "×", tuple(grown), 1.5),
    ]


def filtering(runs: int) -> list[Figure]:
    """From a key in the filter of 10,000 threads to the paint of the last of the rows that it brings."""
    waits: list[float] = []
    with machine() as env:
        tables = (reference(n, f"Thread number {n} about topic {n % 97}") for n in range(FILTERED))
        (data_folder(env) / "threads.toml").write_text("\n".join(tables))
        with _app(env) as terminal:
            _to_threads(terminal)
            press(terminal, "/", "ilter by title")  # the cursor is on the first letter
            for _ in range(max(2, runs)):
                waits += [_rows_painted(terminal, key) * 1e3 for key in ("4", "2", "4", *("\x7f" * 3))]
    return [
        Figure(f"{FILTERED:,} threads: filter key to paint, median", "ms", (statistics.median(waits),)),
        Figure(f"{FILTERED:,} threads: filter key to paint, p95", "ms", (percentile(waits, 0.95),), 50),
    ]


def _rows_painted(terminal: Terminal, key: str) -> float:
    """Seconds until each row that a key brings has been painted once; a scroll bar may come or go later."""
    begin, since = time.perf_counter(), len(terminal.raw)
    arrivals: list[tuple[int, float]] = []
    terminal.send(key)
    while terminal.read(0.2 if arrivals else 5.0):
        arrivals.append((len(terminal.raw) - since, time.perf_counter() - begin))
    painted: dict[bytes, int] = {}
    for row in re.finditer(rb"number (\d+) ", terminal.raw[since:]):
        painted.setdefault(row[1], row.end())
    return next(seconds for length, seconds in arrivals if length >= max(painted.values()))


def long_use(_runs: int) -> list[Figure]:
    """Memory and speed over 1,000 runs and 200 switches between threads, one of 10,000 messages."""
    answered = itertools.count()
    endpoint = Endpoint(lambda: spoken([f"Answer-{next(answered)}-", "is here"]))
    with machine() as env:
        use_endpoint(env, endpoint.url)
        seed(env, {"Small": SMALL, "Large": 10_000})
        history = data_folder(env) / "threads.toml"  # with Small on top, whatever is used
        history.write_text(history.read_text().replace("pinned = false", "pinned = true", 1))
        memory: list[float] = []
        with _app(env) as terminal:
            asked = itertools.count()
            for number in range(LONG_RUNS):
                _, newest = _turn(terminal, next(asked))
                if number % (LONG_RUNS // SWITCHES) == 0:
                    _open(terminal, "g\r", "NEWEST-OF-SMALL")
                    _open(terminal, "gj\r", newest)
                memory.append(resident_megabytes(terminal.pid))
            # by turns, because a computer may be slower for minutes: in the short thread, and in the long one
            short, long = [], []
            _open(terminal, "g\r", "NEWEST-OF-SMALL")
            for _ in range(COMPARED):
                seconds, answer = _turn(terminal, next(asked))
                short.append(seconds)
                _open(terminal, "gj\r", newest)
                seconds, newest = _turn(terminal, next(asked))
                long.append(seconds)
                _open(terminal, "g\r", answer)
    slower = statistics.median(long) / statistics.median(short)
    grown = memory[-1] / memory[LONG_RUNS // 10]
    return [
        Figure(f"{LONG_RUNS:,} runs: key to answer in their thread / in one of 100", "×", (slower,), 1.3),
        Figure(f"{LONG_RUNS:,} runs: memory at the end / after a tenth", "×", (grown,), 1.5),
    ]


def _turn(terminal: Terminal, number: int) -> tuple[float, str]:
    """Ask in the open thread. Seconds until its answer is painted, and what stands there then."""
    since, answer = len(terminal.raw), f"Answer-{number}-"
    seconds = press(terminal, "More\r", answer)
    until_painted(terminal, "✓", since=since)
    return seconds, answer


@contextmanager
def _app(env: dict[str, str]) -> Iterator[Terminal]:
    shutil.rmtree(Path(env["HOME"]) / ".local/state", ignore_errors=True)  # or it begins where it was left
    with Terminal(env=env, columns=120, lines=40) as terminal:
        until_painted(terminal, READY, since=0)
        yield terminal


def _to_threads(terminal: Terminal) -> None:
    """From the composer to the list of threads."""
    press(terminal, SHIFT_TAB, "Regenerate")
    press(terminal, SHIFT_TAB, "Archive")


def _open(terminal: Terminal, keys: str, marker: str) -> float:
    """Seconds until a thread that `keys` choose in the list is painted; the composer has the focus then."""
    _to_threads(terminal)
    since = len(terminal.raw)
    seconds = press(terminal, keys, marker)
    until_painted(terminal, "New line", since=since)
    return seconds


def _scroll_up(terminal: Terminal, goal: int) -> None:
    """Go up page by page in the open thread until a message as old as `goal` has been painted."""
    press(terminal, SHIFT_TAB, "Regenerate")
    oldest = 10**9
    while oldest > goal:
        since = len(terminal.raw)
        terminal.send(PAGE_UP)
        until_painted(terminal, "Message ", since=since)
        seen = re.findall(rb"Message (\d+) of", terminal.raw[since:])
        oldest = min([oldest, *map(int, seen)])
