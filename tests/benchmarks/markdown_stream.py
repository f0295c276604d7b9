"""What an answer costs while it streams in: CPU time per token in the message view, against the same tokens
written as plain text into Textual's `Log`, and at the end of a long answer against its beginning.

    python tests/benchmarks/markdown_stream.py [--characters 100000] [--rate 1000] [--json FILE]

Both views fill a terminal of 100 by 30 cells and get what has arrived thirty times a second, as the app
does it. The ratios are what counts, the rest depends on the machine.
"""

import argparse
import asyncio
import gc
import json
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import Log

from assistants_tui.tui.markdown import IncrementalMarkdown, render
from assistants_tui.tui.safety import SafeFilter
from assistants_tui.tui.widgets.message_view import MessageItem, MessageView

SIZE = (100, 30)
FRAME = 1 / 30
WORDS = (
    *(
        "the",
        "assistant",
        "reads",
        "messages",
        "from",
        "a",
        "thread",
        "and",
        "writes",
        "an",
        "answer",
        "with",
    ),
    *("steps", "tools", "files", "vectors", "functions", "until", "all", "of", "it", "has", "been", "said"),
    *("in", "plain", "words", "that", "people", "understand"),
)


def sentence(rng: random.Random) -> str:
    words = [rng.choice(WORDS) for _ in range(rng.randint(6, 18))]
    marks = ["**{}**", "*{}*", "`{}`", "[{}](https://example.org/page)"]
    return " ".join(rng.choice(marks).format(word) if rng.random() < 0.08 else word for word in words) + "."


def answer(characters: int) -> str:
    """Mixed Markdown as models write it: headings, paragraphs, code, lists, tables.

    A tenth of it is repeated, so that the end of the answer is as hard to show as its beginning.
    """
    rng = random.Random(1)
    parts: list[str] = []
    size = 0
    while size < characters // 10:
        kind = rng.choice(["heading", "text", "text", "text", "code", "list", "table"])
        if kind == "heading":
            part = f"## {sentence(rng)}"
        elif kind == "text":
            part = " ".join(sentence(rng) for _ in range(4))
        elif kind == "code":
            lines = [
                f"    value_{n} = [{n} * x for x in range({n})]  # {rng.choice(WORDS)}" for n in range(12)
            ]
            part = "\n".join(["```python", "def main() -> None:", *lines, "```"])
        elif kind == "list":
            part = "\n".join(f"{'  ' * (n % 2)}- {sentence(rng)}" for n in range(6))
        else:
            rows = [f"| {rng.choice(WORDS)} | {rng.randint(0, 9999)} | {sentence(rng)} |" for _ in range(6)]
            part = "\n".join(["| Name | Value | Notes |", "|---|--:|---|", *rows])
        parts.append(part)
        size += len(part) + 2
    tenth = "\n\n".join(parts)[: characters // 10 - 2] + "\n\n"
    return tenth * 10


def tokens(text: str) -> Iterator[str]:
    """Pieces of about four characters."""
    rng = random.Random(2)
    start = 0
    while start < len(text):
        size = rng.choice((1, 2, 3, 4, 4, 4, 5, 5, 6, 8))
        yield text[start : start + size]
        start += size


class Bench(App[list[float]]):
    """Feeds one view, and returns the CPU seconds per token of each frame."""

    CSS = "Log, MessageView { height: 1fr; }"

    def __init__(self, formatted: bool, text: str, rate: int) -> None:
        super().__init__()
        self.formatted = formatted
        self.text = text
        self.rate = rate

    def get_line_filters(self) -> list[object]:  # type: ignore[override]  # as the app has it
        return [*super().get_line_filters(), SafeFilter()]

    def compose(self) -> ComposeResult:
        yield MessageView() if self.formatted else Log()

    async def feed(self) -> list[float]:
        view = self.query_one(MessageView) if self.formatted else self.query_one(Log)
        step = max(1, round(self.rate * FRAME))
        pieces = list(tokens(self.text))
        costs: list[float] = []
        written = 0
        gc.collect()
        gc.freeze()
        before, due = time.process_time(), time.perf_counter()
        for start in range(0, len(pieces), step):
            new = "".join(pieces[start : start + step])
            written += len(new)
            if isinstance(view, MessageView):
                text = self.text[:written]
                view.upsert(MessageItem("answer", "Assistant", False, "12:00", text, streaming=True))
            else:
                view.write(new)
            due += FRAME
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            now = time.process_time()
            costs.append((now - before) / step)
            before = now
        return costs


async def run(formatted: bool, text: str, rate: int) -> list[float]:
    app = Bench(formatted, text, rate)
    async with app.run_test(size=SIZE):
        return await app.feed()


def parsing(text: str) -> tuple[float, float]:
    """CPU seconds to draw the text at once, and in tokens with a frame for every ten."""
    started = time.process_time()
    render(text, SIZE[0])
    whole = time.process_time() - started
    markdown = IncrementalMarkdown(SIZE[0])
    started = time.process_time()
    for count, piece in enumerate(tokens(text)):
        markdown.feed(piece)
        if count % 10 == 9:
            markdown.flush()
    markdown.finish()
    return whole, time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=1000, help="tokens per second")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    text = answer(options.characters)
    plain = asyncio.run(run(False, text, options.rate))
    view = asyncio.run(run(True, text, options.rate))
    whole, pieces = parsing(text)
    tenth = len(view) // 10
    # the first frames fill the screen, which all later ones move
    first, last = statistics.mean(view[tenth // 3 : tenth]), statistics.mean(view[-tenth:])
    result = {
        "plain text, µs per token": statistics.median(plain) * 1e6,
        "message view, µs per token": statistics.median(view) * 1e6,
        "message view / plain text (mean)": statistics.mean(view) / statistics.mean(plain),
        "message view / plain text (median)": statistics.median(view) / statistics.median(plain),
        "last tenth / first tenth": last / first,
        "slowest frame, ms of CPU": max(view[1:]) * 1e3 * max(1, round(options.rate * FRAME)),
        "whole text at once, ms": whole * 1e3,
        "in tokens, a frame for ten / at once": pieces / whole,
    }
    for name, value in result.items():
        print(f"{name:40} {value:10.2f}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
