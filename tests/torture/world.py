"""What the killed programs talk to: a model that takes its time, and engines to be started and killed.

A process of its own, so that whoever kills has one thread only. It reads one JSON object per line, the
arguments of `Nursery.start`, and answers each with process ID and address; its first line is the model's.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.engine_process import EngineProcess, nursery
from support.model_endpoint import DONE, ModelEndpoint, Reply, Request, chunk

_WORDS = 40
_WORD_SECONDS = 0.006


def _slow(request: Request) -> Reply:
    """Forty words over a quarter of a second, which name the number in the last question at both ends."""
    numbers = re.findall(r"note (\d+)", json.dumps(request.body["messages"]))
    number = numbers[-1] if numbers else "0"

    def body() -> Iterator[object]:
        yield chunk({"role": "assistant", "content": f"Echo {number}. "})
        for word in range(_WORDS):
            tick = asyncio.Event()
            asyncio.get_running_loop().call_later(_WORD_SECONDS, tick.set)
            yield tick
            yield chunk({"content": f"w{word} "})
        yield chunk({"content": f"End {number}."})
        yield chunk({}, "stop")
        yield DONE

    return Reply(body())  # type: ignore[arg-type]  # items of all kinds


class World:
    """The process, seen from outside."""

    def __init__(self, process: "subprocess.Popen[str]", model_url: str) -> None:
        self._process = process
        self.model_url = model_url

    def engine(self, data_dir: Path, *, port: int = 0) -> EngineProcess:
        """Start an engine and wait until it answers."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(data_dir), port]) + "\n")
        self._process.stdin.flush()
        pid, url = json.loads(self._process.stdout.readline())
        return EngineProcess(pid, url)


@contextmanager
def world() -> Iterator[World]:
    """A running world; all that it started ends with it."""
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield World(process, json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


async def _main() -> None:
    async with ModelEndpoint() as endpoint, nursery() as engines:
        endpoint.otherwise = _slow
        print(json.dumps(endpoint.url), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            data_dir, port = json.loads(line)
            engine = await engines.start(Path(data_dir), endpoint.url, port)
            print(json.dumps([engine.pid, engine.url]), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
