"""What an answer costs while it streams in: CPU time per token in the message view, against the same tokens
written as plain text into Textual's `Log`, and at the end of a long answer against its beginning.

Both views fill a terminal of 100 by 30 cells and get what has arrived thirty times a second, as the app
does it. The ratios are what counts, the rest depends on the machine.
"""

import asyncio
import gc
import random
import statistics
import time
from collections.abc import Iterator

from textual.app import ComposeResult
from textual.widgets import Log

from assistants_tui.tui.messages.message_view import MessageItem, MessageView
from assistants_tui.tui.text.safety import SafeFilter
from benchmarks.figures import Figure
from support.bare_app import BareApp

SIZE = (100, 30)
FRAME = 1 / 30
CHARACTERS = 100_000
STEP = 33  # tokens in a frame: 1,000 per second
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


class Bench(BareApp[list[float]]):
    """Feeds one view, and returns the CPU seconds per token of each frame."""

    CSS = "Log, MessageView { height: 1fr; }"

    def __init__(self, formatted: bool, text: str) -> None:
        super().__init__()
        self.formatted = formatted
        self.text = text

    def get_line_filters(self) -> list[object]:  # type: ignore[override]  # as the app has it
        return [*super().get_line_filters(), SafeFilter()]

    def compose(self) -> ComposeResult:
        yield MessageView() if self.formatted else Log()

    async def feed(self) -> list[float]:
        view = self.query_one(MessageView) if self.formatted else self.query_one(Log)
        pieces = list(tokens(self.text))
        costs: list[float] = []
        written = 0
        gc.collect()
        gc.freeze()
        before, due = time.process_time(), time.perf_counter()
        for start in range(0, len(pieces), STEP):
            new = "".join(pieces[start : start + STEP])
            written += len(new)
            if isinstance(view, MessageView):
                text = self.text[:written]
                view.upsert(MessageItem("answer", "Assistant", False, "12:00", text, streaming=True))
            else:
                view.write(new)
            due += FRAME
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            now = time.process_time()
            costs.append((now - before) / STEP)
            before = now
        return costs


async def run(formatted: bool, text: str) -> list[float]:
    app = Bench(formatted, text)
    async with app.run_test(size=SIZE):
        return await app.feed()


def streamed(runs: int) -> list[Figure]:
    """CPU time per token of a 100,000-character answer that comes at 1,000 tokens per second."""
    text = answer(CHARACTERS)
    ratios, growth, slowest = [], [], []
    for _ in range(max(1, runs // 2)):
        plain = asyncio.run(run(False, text))
        view = asyncio.run(run(True, text))
        tenth = len(view) // 10
        ratios.append(statistics.mean(view) / statistics.mean(plain))
        # the first frames fill the screen, which all later ones move
        growth.append(statistics.mean(view[-tenth:]) / statistics.mean(view[tenth // 3 : tenth]))
        slowest.append(max(view[1:]) * 1e3 * STEP)
    return [
        Figure("message view / plain log, CPU time per token", "×", tuple(ratios), 2),
        Figure("message view, last tenth / first tenth of the answer", "×", tuple(growth), 1.3),
        Figure("message view, slowest frame, CPU time", "ms", tuple(slowest)),
    ]
