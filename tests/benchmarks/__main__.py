"""What the budgets of the app and the engine are measured with.

    python tests/benchmarks [ROW ...] [--runs N] [--json FILE]

Without a row, all of them, which takes some minutes. Every figure is a ratio against its baseline in the same
run, or a time where the budget is one: the median, and the smallest and the largest sample beside it. Compare
figures of one run on a quiet machine only.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import (
    answering,
    engine_runs,
    file_search,
    histories,
    hostile,
    interpreter,
    markdown_stream,
    starting,
)
from benchmarks.figures import Figure

ROWS: dict[str, Callable[[int], list[Figure]]] = {
    "start": starting.first_frame,
    "usable": starting.usable,
    "answer": answering.burst,
    "keys": answering.keys,
    "stream": markdown_stream.streamed,
    "open": histories.opening,
    "filter": histories.filtering,
    "engine": engine_runs.engine,
    "code": interpreter.warm_call,
    "search": file_search.search,
    "day": histories.long_use,
    "hostile": hostile.requests,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python tests/benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="rows:\n" + "\n".join(f"  {name:8} {row.__doc__}" for name, row in ROWS.items()),
    )
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--runs", type=int, default=3, help="samples of a figure (default: 3)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--endpoint", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--attack", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.endpoint:
        asyncio.run(engine_runs.serve_endpoint())
        return
    if options.attack:
        asyncio.run(hostile.attack(options.attack))
        return
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"unknown row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    figures: list[Figure] = []
    for name in options.rows or ROWS:
        for figure in ROWS[name](options.runs):
            print(figure, flush=True)
            figures.append(figure)
    if options.json:
        found = [asdict(figure) | {"median": figure.median, "met": figure.met} for figure in figures]
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
