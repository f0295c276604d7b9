"""Runs through `assistants-tui serve` against direct calls of the same model endpoint.

Endpoint, engine and client are processes of their own, so what the engine does on one core of two slows the
other two down: throughput is of all three together.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from openai import AsyncOpenAI

from benchmarks.command import spoken
from benchmarks.figures import Figure
from support.model_endpoint import ModelEndpoint
from support.serve_command import serve_command

TOKENS = 300  # of an answer
PACE = 0.005  # seconds between two of them
AT_ONCE = 50
WARM_UP = 3

Times = tuple[float, float]


async def serve_endpoint() -> None:
    endpoint = ModelEndpoint()
    endpoint.otherwise = lambda _: spoken(["word "] * TOKENS, pace=PACE)
    async with endpoint:
        print(endpoint.url, flush=True)
        await asyncio.Event().wait()


@asynccontextmanager
async def endpoint_process() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).parent), "--endpoint"), stdout=asyncio.subprocess.PIPE
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


def engine(runs: int) -> list[Figure]:
    """Time to the first token, whole answers, and the throughput of fifty runs at once."""
    return asyncio.run(_run(runs))


async def _run(runs: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            endpoint_process() as model_url,
            serve_command(Path(folder) / "data", "--model-url", model_url) as server,
        ):
            return await measure(runs, model_url, server.url)


async def measure(runs: int, model_url: str, engine_url: str) -> list[Figure]:
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
        for number in range(-WARM_UP, 4 * runs):
            one = await timed(direct)
            thread_id = await thread()
            other = await timed(lambda thread_id=thread_id: through_engine(thread_id))  # type: ignore[misc]  # a default argument has no type in a lambda
            if number >= 0:
                plain.append(one)
                ours.append(other)
        throughput = []
        for _ in range(runs):
            threads = [await thread() for _ in range(AT_ONCE)]
            a = await together([timed(direct) for _ in threads])
            b = await together([timed(lambda t=t: through_engine(t)) for t in threads])  # type: ignore[misc]
            throughput.append(a / b)
    pairs = [*zip(ours, plain, strict=True)]
    return [
        Figure(
            "engine: first token, more than the direct call's",
            "ms",
            tuple((mine[0] - its[0]) * 1e3 for mine, its in pairs),
            15,
        ),
        Figure(
            f"engine: whole answer of {TOKENS} tokens / direct call",
            "×",
            tuple(mine[1] / its[1] for mine, its in pairs),
            1.1,
        ),
        Figure(
            f"engine: throughput of {AT_ONCE} runs at once / direct calls",
            "×",
            tuple(throughput),
            0.7,
            least=True,
        ),
    ]
