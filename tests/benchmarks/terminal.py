"""What a user waits for, measured from outside: the installed command in a pseudo-terminal, key to paint.

    python tests/benchmarks/terminal.py [start] [usable] [answer] [keys] [filter] [--runs 5] [--json FILE]

Each row is a ratio against its baseline in the same run, or a time where the budget is one; the figures are
medians, with the smallest and the largest beside them. Wall time on a shared machine is noise, so start-up is
also given in CPU seconds of the process.
"""

import argparse
import asyncio
import json
import os
import select
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.markdown_stream import answer, tokens
from support.model_endpoint import DONE, ModelEndpoint, Reply, chunk
from support.terminal import COMMAND, Terminal

BARE = """
from textual.app import App
from textual.widgets import Label
class Bare(App):
    def compose(self):
        yield Label("bare and ready")
Bare().run()
"""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Row:
    """One figure: what it is, the budget in words, and the samples behind the median."""

    name: str
    unit: str
    budget: str
    samples: tuple[float, ...]

    def __str__(self) -> str:
        median = statistics.median(self.samples)
        spread = f"{min(self.samples):.2f} to {max(self.samples):.2f}"
        return f"{self.name:58} {median:8.2f} {self.unit:3} ({spread}; budget {self.budget})"


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_megabytes(pid: int) -> float:
    """Memory of a process that is in RAM now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


@contextmanager
def machine() -> Iterator[dict[str, str]]:
    """An empty home directory and the environment of a terminal."""
    home = tempfile.mkdtemp(prefix="bench-")
    try:
        yield {
            "HOME": home,
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
        }
    finally:
        shutil.rmtree(home, ignore_errors=True)


def until_painted(terminal: Terminal, marker: str, *, seconds: float = 120) -> float:
    """Read until the terminal has been sent `marker`; the wall time from now."""
    begin = time.perf_counter()
    wanted = marker.encode()
    start = max(0, len(terminal.raw) - len(wanted))
    while wanted not in terminal.raw[start:]:
        if not terminal.read(begin + seconds - time.perf_counter()):
            raise TimeoutError(f"{marker!r} was not painted")
    return time.perf_counter() - begin


@contextmanager
def bare() -> Iterator[tuple[Terminal, float]]:
    """A Textual app that shows one label, and when it was started."""
    with machine() as env, tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(BARE)
        script.flush()
        begin = time.perf_counter()
        with Terminal([script.name], env=env, command=Path(sys.executable)) as terminal:
            yield terminal, begin


def start_up(runs: int, marker: str, *, references: int = 0) -> tuple[list[float], list[float], list[float]]:
    """Wall, CPU and memory of the command until `marker` is painted, each over the bare app's."""
    wall, cpu, memory = [], [], []
    for _ in range(runs + 1):
        with bare() as (terminal, begin):
            until_painted(terminal, "bare and ready")
            base = (time.perf_counter() - begin, cpu_seconds(terminal.pid), resident_megabytes(terminal.pid))
        with machine() as env:
            write_references(env, references)
            begin = time.perf_counter()
            with Terminal(env=env, command=COMMAND) as terminal:
                until_painted(terminal, marker)
                ours = (
                    time.perf_counter() - begin,
                    cpu_seconds(terminal.pid),
                    resident_megabytes(terminal.pid),
                )
        wall.append(ours[0] / base[0])
        cpu.append(ours[1] / base[1])
        memory.append(ours[2] / base[2])
    return wall[1:], cpu[1:], memory[1:]  # the first run warms the disk cache


def write_references(env: dict[str, str], count: int) -> None:
    """A history of `count` threads."""
    if not count:
        return
    folder = Path(env["HOME"]) / ".local/share/assistants-tui"
    folder.mkdir(parents=True, mode=0o700)
    tables = (
        f'[[threads]]\nprofile = "local"\nid = "thread_{n:024}"\n'
        f'title = "Thread number {n} about topic {n % 97}"\n'
        f"created_at = {1700000000 + n * 60}\nlast_used_at = {1700000000 + n * 60}\n"
        "pinned = false\narchived = false\n"
        for n in range(count)
    )
    (folder / "threads.toml").write_text("\n".join(tables))


def start(runs: int) -> list[Row]:
    wall, cpu, memory = start_up(runs, "Type a message")
    return [
        Row("first frame / bare app, wall", "×", "≤ 1.5", tuple(wall)),
        Row("first frame / bare app, CPU", "×", "≤ 1.5", tuple(cpu)),
        Row("memory at the first frame / bare app", "×", "≤ 2", tuple(memory)),
    ]


def usable(runs: int) -> list[Row]:
    wall, cpu, _ = start_up(runs, "Thread number", references=1000)
    return [
        Row("1,000 threads listed, keys accepted / bare app, wall", "×", "≤ 2.5", tuple(wall)),
        Row("1,000 threads listed, keys accepted / bare app, CPU", "×", "≤ 2.5", tuple(cpu)),
    ]


class Endpoint:
    """A model endpoint in a thread of its own, so that reading the terminal does not hold it up."""

    def __init__(self, reply: Callable[[], Reply]) -> None:
        self._reply = reply
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self.url = ""
        threading.Thread(target=self._run, daemon=True).start()
        self._ready.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        async with ModelEndpoint() as endpoint:
            endpoint.otherwise = lambda _: self._reply()
            self.url = endpoint.url
            self._ready.set()
            await asyncio.Event().wait()


@contextmanager
def app_on(url: str) -> Iterator[Terminal]:
    """The app, connected, on a model endpoint."""
    with machine() as env:
        folder = Path(env["HOME"]) / ".config/assistants-tui"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(
            f'[profiles.local]\nkind = "embedded"\nmodel_url = "{url}"\ndefault_model = "served"\n'
        )
        with Terminal(env=env, columns=120, lines=40) as terminal:
            until_painted(terminal, "is ready.")
            yield terminal


def text_reply(pieces: list[str]) -> Reply:
    """An answer that is sent as fast as it is read."""
    return Reply(
        [
            chunk({"role": "assistant", "content": ""}),
            *(chunk({"content": piece}) for piece in pieces),
            chunk(finish_reason="stop"),
            DONE,
        ]
    )


def answer_row(runs: int) -> list[Row]:
    """A 2,000-token answer, sent as fast as the client reads, until its last line is painted."""
    pieces = [*tokens(answer(10_000))][:2000]
    endpoint = Endpoint(lambda: text_reply([*pieces, "\n\nTHE-LAST-LINE"]))
    wall, cpu = [], []
    for _ in range(runs):
        with app_on(endpoint.url) as terminal:
            before = cpu_seconds(terminal.pid)
            terminal.send("Tell me everything\r")
            wall.append(until_painted(terminal, "THE-LAST-LINE"))
            cpu.append(cpu_seconds(terminal.pid) - before)
    return [
        Row("2,000 tokens at once, until painted", "s", "0.3 to 0.6", tuple(wall)),
        Row("2,000 tokens at once, CPU", "s", "0.3", tuple(cpu)),
    ]


def keys(runs: int) -> list[Row]:
    """From a key to its letter on the screen while a long answer streams in."""
    pieces = [*tokens(answer(100_000))]
    endpoint = Endpoint(lambda: text_reply(pieces))
    waits: list[float] = []
    for _ in range(max(1, runs // 2)):
        with app_on(endpoint.url) as terminal:
            terminal.send("Tell me everything\r")
            until_painted(terminal, "progress")
            for letter in "abcdefghijklmnopqrstuvwxyz"[:20]:
                # a mark that the answer does not hold: typed twice, painted after the prompt's text so far
                begin = time.perf_counter()
                terminal.send(letter)
                until_painted(terminal, letter)
                waits.append((time.perf_counter() - begin) * 1e3)
                select.select([], [], [], 0.05)
    waits.sort()
    return [
        Row("key to paint while a long answer streams, median", "ms", "", (statistics.median(waits),)),
        Row("key to paint while a long answer streams, p95", "ms", "≤ 100", (waits[int(len(waits) * 0.95)],)),
    ]


def filtered(runs: int) -> list[Row]:
    """A letter typed into the filter of 10,000 threads, until the list has answered."""
    waits: list[float] = []
    for _ in range(runs):
        with machine() as env:
            write_references(env, 10_000)
            with Terminal(env=env, columns=120, lines=40) as terminal:
                until_painted(terminal, "is ready.")
                terminal.send("\x1b[Z\x1b[Z/")
                for typed, shown in (("4", "4"), ("2", "42"), ("4", "424"), ("2", "4242")):
                    begin = time.perf_counter()
                    terminal.send(typed)
                    until_painted(terminal, shown)
                    waits.append((time.perf_counter() - begin) * 1e3)
    waits.sort()
    return [Row("10,000 threads: filter key to paint, p95", "ms", "≤ 50", (waits[int(len(waits) * 0.95)],))]


ROWS: dict[str, Callable[[int], list[Row]]] = {
    "start": start,
    "usable": usable,
    "answer": answer_row,
    "keys": keys,
    "filter": filtered,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"unknown row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    figures: list[Row] = []
    for name in options.rows or ROWS:
        for row in ROWS[name](options.runs):
            print(row, flush=True)
            figures.append(row)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in figures], indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
