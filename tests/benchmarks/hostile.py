"""What others notice of a client that sends the most expensive requests it can, without a pause.

Server, hostile client and the client that is measured are processes of their own. The hostile one has several
connections, and sends on each whatever has once frozen the server, or could.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path

import httpx2

from benchmarks.command import resident_megabytes
from benchmarks.figures import Figure, percentile
from support.serve_command import serve_command

BETA = {"OpenAI-Beta": "assistants=v2"}
CONNECTIONS = 8
SECONDS = 10.0  # of one sample
PAUSE = 0.02  # between two requests of the client that is measured
SETTLING = 10.0  # seconds after the attack, until memory is looked at: what had been sent is still worked on

MESSAGE = {"role": "user", "content": "x"}


def bodies() -> dict[str, tuple[str, bytes]]:
    """Path and body by what is wrong with it."""
    fields = {f"field{number}": number for number in range(90_000)}
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(700)}}
    function = {"type": "function", "function": {"parameters": schema, "strict": True}}
    tools = [{**function, "function": {**function["function"], "name": f"f{n}"}} for n in range(60)]  # type: ignore[dict-item]
    values: dict[str, tuple[str, object]] = {
        "200,000 messages": ("/threads", {"messages": [MESSAGE] * 200_000}),
        "1,000 messages": ("/threads", {"messages": [MESSAGE] * 1_000}),
        "1,000 wrong messages": ("/threads", {"messages": [fields] + [[]] * 9_000}),
        "unknown fields": ("/threads", fields),
        "metadata": ("/threads", {"metadata": fields}),
        "long text": ("/threads", {"messages": [{"role": "x" * 15_000_000, "content": "x"}]}),
        "escapes": ("/threads", {"messages": [MESSAGE | {"content": "\U0001f600" * 1_200_000}]}),
        "schemas": ("/assistants", {"model": "m", "tools": tools}),
        "conditions": (
            "/vector_stores/vs_x/search",
            {
                "query": "x",
                "filters": {"type": "or", "filters": [{"type": "eq", "key": "k", "value": 1}] * 20_000},
            },
        ),
    }
    return {
        "empty lists": ("/threads", b'{"messages":[' + b"[]," * 5_000_000 + b"[]]}"),
        "digits": ("/threads", b"[" + b",".join([b"9" * 4_300] * 3_500) + b"]"),
        "depth": ("/threads", b'{"metadata":' + b"[" * 15_000_000),
        **{name: (path, json.dumps(value).encode()) for name, (path, value) in values.items()},
    }


async def attack(url: str) -> None:
    """Send all of them over and over on several connections."""
    found = list(bodies().values())

    async def send(first: int) -> None:
        async with httpx2.AsyncClient(base_url=f"{url}/v1", headers=BETA, timeout=120) as http:
            for path, body in cycle([*found[first:], *found[:first]]):
                with contextlib.suppress(httpx2.HTTPError):  # the server hangs up on what it will not read
                    await http.post(path, content=body)

    print("attacking", flush=True)
    await asyncio.gather(*(send(number % len(found)) for number in range(CONNECTIONS)))


@asynccontextmanager
async def attacker(url: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).parent), "--attack", url), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        yield
    finally:
        process.kill()
        await process.wait()


def requests(runs: int) -> list[Figure]:
    """Waiting times of one client and memory of the server while another client is hostile, and after."""
    return asyncio.run(_measure(runs))


async def _measure(runs: int) -> list[Figure]:
    quiet: list[float] = []
    during: list[float] = []
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            serve_command(Path(folder) / "data") as server,
            httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA, timeout=120) as http,
        ):
            body = {"messages": [MESSAGE] * 20}
            thread = (await http.post("/threads", json=body)).json()["id"]
            path = f"/threads/{thread}/messages"
            await _use(http)
            await _waits(http, path, SECONDS / 4)
            for _ in range(runs):
                quiet.append(percentile(await _waits(http, path, SECONDS / 4), 0.99) * 1e3)
                before = resident_megabytes(server.pid)
                async with attacker(server.url):
                    during.append(percentile(await _waits(http, path, SECONDS), 0.99) * 1e3)
                await asyncio.sleep(SETTLING)
                memory.append(resident_megabytes(server.pid) / before)
    return [
        Figure("hostile requests: p99 of another's GET before", "ms", tuple(quiet)),
        Figure("hostile requests: p99 of another's GET meanwhile", "ms", tuple(during), 250),
        Figure("hostile requests: memory after / before", "×", tuple(memory), 1.1),
    ]


async def _use(http: httpx2.AsyncClient) -> None:
    """Ask for what any client may: what the server loads for it and keeps is not what the attack leaves."""
    for _ in range(3):
        for path, body in (bodies()[name] for name in ("1,000 messages", "schemas")):
            (await http.post(path, content=body)).raise_for_status()


async def _waits(http: httpx2.AsyncClient, path: str, seconds: float) -> list[float]:
    """How long answers take, in seconds, one request after another."""
    found = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        (await http.get(path)).raise_for_status()
        found.append(time.perf_counter() - started)
        await asyncio.sleep(PAUSE)
    return found
