"""Starting the installed command, against a bare Textual app that shows one label.

Wall time on a shared machine is noisy, so CPU seconds of the process stand beside it.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.command import cpu_seconds, data_folder, machine, resident_megabytes, until_painted
from benchmarks.figures import Figure
from support.terminal import Terminal

BARE = """
from textual.app import App
from textual.widgets import Label
class Bare(App):
    def compose(self):
        yield Label("bare and ready")
Bare().run()
"""
THREADS = 1_000


@contextmanager
def bare() -> Iterator[tuple[Terminal, float]]:
    """A Textual app that shows one label, and when it was started."""
    with machine() as env, tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(BARE)
        script.flush()
        begin = time.perf_counter()
        with Terminal([script.name], env=env, command=Path(sys.executable)) as terminal:
            yield terminal, begin


def reference(number: int, title: str, thread_id: str = "") -> str:
    """A thread in threads.toml. Later numbers were used later."""
    when = 1_700_000_000 + number * 60
    return (
        f'[[threads]]\nprofile = "local"\nid = "{thread_id or f"thread_{number:024}"}"\ntitle = "{title}"\n'
        f"created_at = {when}\nlast_used_at = {when}\npinned = false\narchived = false\n"
    )


def started(runs: int, marker: str, *, threads: int = 0) -> tuple[tuple[float, ...], ...]:
    """Wall time, CPU and memory of the command until `marker` is painted, each over the bare app's."""
    ratios = []
    for _ in range(runs + 1):
        with bare() as (terminal, begin):
            until_painted(terminal, "bare and ready", since=0)
            base = (time.perf_counter() - begin, cpu_seconds(terminal.pid), resident_megabytes(terminal.pid))
        with machine() as env:
            if threads:
                tables = (reference(n, f"Thread number {n} about topic {n % 97}") for n in range(threads))
                (data_folder(env) / "threads.toml").write_text("\n".join(tables))
            begin = time.perf_counter()
            with Terminal(env=env) as terminal:
                until_painted(terminal, marker, since=0)
                ours = (
                    time.perf_counter() - begin,
                    cpu_seconds(terminal.pid),
                    resident_megabytes(terminal.pid),
                )
        ratios.append([mine / its for mine, its in zip(ours, base, strict=True)])
    return tuple(zip(*ratios[1:], strict=True))  # the first run warms the disk cache


def first_frame(runs: int) -> list[Figure]:
    """From the command to its first frame."""
    wall, cpu, memory = started(runs, "Type a message")
    return [
        Figure("first frame / bare app, wall time", "×", wall, 1.5),
        Figure("first frame / bare app, CPU time", "×", cpu, 1.5),
        Figure("memory at the first frame / bare app", "×", memory, 2),
    ]


def usable(runs: int) -> list[Figure]:
    """From the command to a list of 1,000 threads and a composer that takes keys."""
    wall, cpu, _ = started(runs, "Thread number", threads=THREADS)
    return [
        Figure("1,000 threads listed, keys accepted / bare app, wall time", "×", wall, 2.5),
        Figure("1,000 threads listed, keys accepted / bare app, CPU time", "×", cpu, 2.5),
    ]
