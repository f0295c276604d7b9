"""Answers on their way to the screen of the installed command, and keys pressed meanwhile."""

import statistics

from benchmarks.command import Endpoint, app_on, cpu_seconds, press, spoken, until_painted
from benchmarks.figures import Figure, percentile
from benchmarks.markdown_stream import answer, tokens

LAST = "\n\nTHE-LAST-LINE"
LETTERS = "αβγδεζηθικλμνξοπρστυφχψωбгджзийлпфцчшщъыьэюя"  # in no answer, so a paint of one is its key's


def burst(runs: int) -> list[Figure]:
    """A 2,000-token answer, sent as fast as the client reads, until its last line is painted."""
    pieces = [*tokens(answer(10_000))][:2000]
    endpoint = Endpoint(lambda: spoken([*pieces, LAST]))
    wall, cpu = [], []
    for _ in range(runs):
        with app_on(endpoint.url) as terminal:
            before = cpu_seconds(terminal.pid)
            wall.append(press(terminal, "Tell me everything\r", LAST.strip()))
            cpu.append(cpu_seconds(terminal.pid) - before)
    return [
        Figure("2,000 tokens that come at once, until painted", "s", tuple(wall), 0.6),
        Figure("2,000 tokens that come at once, CPU time", "s", tuple(cpu), 0.3),
    ]


def keys(runs: int) -> list[Figure]:
    """From a key to its letter on the screen while 1,000 tokens per second stream into a long answer."""
    pieces = [*tokens(answer(100_000))]
    endpoint = Endpoint(lambda: spoken([*pieces, LAST], pace=0.01, at_once=10))
    waits: list[float] = []
    for _ in range(max(1, runs // 3)):
        with app_on(endpoint.url) as terminal:
            terminal.send("Tell me everything\r")
            until_painted(terminal, "in progress")
            for letter in LETTERS:
                waits.append(press(terminal, letter, letter) * 1e3)
                _idle(terminal, 0.4)
    return [
        Figure("key to paint in a 100,000-character stream, median", "ms", (statistics.median(waits),)),
        Figure("key to paint in a 100,000-character stream, p95", "ms", (percentile(waits, 0.95),), 100),
        Figure("key to paint in a 100,000-character stream, longest", "ms", (max(waits),), 150),
    ]


def _idle(terminal: object, seconds: float) -> None:
    """Read what is painted for a while, as a terminal does."""
    from time import monotonic

    end = monotonic() + seconds
    while (left := end - monotonic()) > 0:
        terminal.read(left)  # type: ignore[attr-defined]
