"""A call of the code interpreter on a warm kernel, against the same code in a kernel without a sandbox."""

import asyncio
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from assistants_tui.engine.code_interpreter import CodeInterpreter, Limits, Output
from benchmarks.figures import Figure

PIECES = {
    "1 + 1": "1 + 1",
    "100 lines printed": "for n in range(100): print(n)",
    "real work": "sum(n * n for n in range(300_000))",
}
CALLS = 30  # of one sample


def warm_call(runs: int) -> list[Figure]:
    """The ratio for three pieces of code, the two kernels taking turns."""
    return asyncio.run(_measure(runs))


async def _measure(runs: int) -> list[Figure]:
    manager: Any = import_module("jupyter_client.manager")
    bare, client = await manager.start_new_async_kernel()
    with tempfile.TemporaryDirectory() as folder:
        interpreter = CodeInterpreter(Path(folder), limits=Limits())
        try:
            await interpreter.prestart("thread_1")
            found: dict[str, list[float]] = {name: [] for name in PIECES}
            for number in range(runs + 1):
                for name, code in PIECES.items():
                    ours = theirs = 0.0
                    for _ in range(CALLS):
                        theirs += await _timed(_in_bare(client, code))
                        ours += await _timed(interpreter.run("thread_1", code, {}, _ignore))
                    if number:  # the first round warms both
                        found[name].append(ours / theirs)
        finally:
            await interpreter.close()
            client.stop_channels()
            await bare.shutdown_kernel(now=True)
    return [
        Figure(f"code interpreter, warm, {name} / bare kernel", "×", tuple(ratios), 1.2)
        for name, ratios in found.items()
    ]


async def _in_bare(client: Any, code: str) -> None:
    await client.execute_interactive(code, output_hook=lambda _: None)


async def _ignore(_: Output) -> None:
    pass


async def _timed(work: Any) -> float:
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin
