"""Runs through the engine against direct calls of the same model endpoint.

    python tests/benchmarks/engine_runs.py [--tokens 100] [--pace 0.005] [--runs 30] [--at-once 50]

Prints the time to the first token and of the whole answer, one after the other, and the throughput of many at
once. Endpoint, engine and client are processes of their own. Compare only figures of one run of this program.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

sys.path.insert(0, str(Path(__file__).parent.parent))

from openai import AsyncOpenAI

from support.engine_process import nursery
from support.model_endpoint import DONE, JSON, ModelEndpoint, Reply, chunk, usage

Times = tuple[float, float]


def answer(tokens: int, pace: float) -> Reply:
    """A number of tokens, one after each pause."""

    def body() -> Iterator[JSON | bytes | asyncio.Event]:
        yield chunk({"role": "assistant", "content": ""})
        for _ in range(tokens):
            if pace:
                tick = asyncio.Event()
                asyncio.get_running_loop().call_later(pace, tick.set)
                yield tick
            yield chunk({"content": "word "})
        yield chunk(finish_reason="stop")
        yield usage(10, tokens)
        yield DONE

    return Reply(body())


async def serve_endpoint(tokens: int, pace: float) -> None:
    endpoint = ModelEndpoint()
    endpoint.otherwise = lambda _: answer(tokens, pace)
    async with endpoint:
        print(endpoint.url, flush=True)
        await asyncio.Event().wait()


@asynccontextmanager
async def endpoint_process(options: argparse.Namespace) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        *("--endpoint", "--tokens", str(options.tokens), "--pace", str(options.pace)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def timed(call: Callable[[], AsyncIterator[bool]]) -> Times:
    """Seconds to the first true item and to the end."""
    start, first = time.perf_counter(), None
    async for is_token in call():
        if first is None and is_token:
            first = time.perf_counter() - start
    assert first is not None
    return first, time.perf_counter() - start


async def together(calls: list[Awaitable[Times]]) -> float:
    start = time.perf_counter()
    await asyncio.gather(*calls)
    return time.perf_counter() - start


async def measure(options: argparse.Namespace, model_url: str, engine_url: str) -> None:
    limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=1000)
    beta = {"OpenAI-Beta": "assistants=v2"}
    async with (
        AsyncOpenAI(api_key="any", base_url=model_url) as model,
        httpx2.AsyncClient(base_url=f"{engine_url}/v1", headers=beta, timeout=300, limits=limits) as http,
    ):
        assistant = (await http.post("/assistants", json={"model": "served"})).json()["id"]

        async def thread() -> str:
            body = {"messages": [{"role": "user", "content": "Hi"}]}
            return str((await http.post("/threads", json=body)).json()["id"])

        async def direct() -> AsyncIterator[bool]:
            stream = await model.chat.completions.create(
                model="served", messages=[{"role": "user", "content": "Hi"}], stream=True
            )
            async for piece in stream:
                yield bool(piece.choices and piece.choices[0].delta.content)

        async def through_engine(thread_id: str) -> AsyncIterator[bool]:
            body = {"assistant_id": assistant, "stream": True}
            async with http.stream("POST", f"/threads/{thread_id}/runs", json=body) as response:
                async for line in response.aiter_lines():
                    yield line.startswith("event: thread.message.delta")

        plain: list[Times] = []
        ours: list[Times] = []
        for number in range(-5, options.runs):
            one = await timed(direct)
            thread_id = await thread()
            other = await timed(lambda thread_id=thread_id: through_engine(thread_id))  # type: ignore[misc]  # a default argument has no type in a lambda
            if number >= 0:
                plain.append(one)
                ours.append(other)
        for place, what in ((0, "first token"), (1, "whole answer")):
            a, b = (statistics.median(times[place] for times in found) * 1000 for found in (plain, ours))
            print(f"{what:14} direct {a:7.1f} ms   engine {b:7.1f} ms   +{b - a:.1f} ms, x {b / a:.2f}")
        threads = [await thread() for _ in range(options.at_once)]
        a = await together([timed(direct) for _ in threads])
        b = await together([timed(lambda t=t: through_engine(t)) for t in threads])  # type: ignore[misc]
        print(f"{options.at_once} at once     direct {a:7.2f} s    engine {b:7.2f} s    x {a / b:.2f}")


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--pace", type=float, default=0.005, help="seconds between two tokens")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--endpoint", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.endpoint:
        await serve_endpoint(options.tokens, options.pace)
        return
    with tempfile.TemporaryDirectory() as folder:
        async with endpoint_process(options) as model_url, nursery() as engines:
            engine = await engines.start(Path(folder) / "data", model_url)
            await measure(options, model_url, engine.url)


if __name__ == "__main__":
    asyncio.run(main())
