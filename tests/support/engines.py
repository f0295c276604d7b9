"""A served engine with a model endpoint behind it, and what tests ask of it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from openai import AsyncOpenAI

from assistants_tui.engine.app import EngineSettings, ModelProvider, create_app
from assistants_tui.engine.store.clock import Clock, SystemClock
from assistants_tui.protocol.objects import Json
from support.model_endpoint import ModelEndpoint, Reply
from support.served import served

Event = tuple[str, Any]

BETA = {"OpenAI-Beta": "assistants=v2"}


@dataclass
class ServedEngine:
    """An engine at an address. `endpoint` is None where the tutor answers."""

    url: str
    sdk: AsyncOpenAI
    http: httpx2.AsyncClient
    endpoint: ModelEndpoint | None

    def replies(self, *replies: Reply) -> None:
        """What the model answers next."""
        assert self.endpoint is not None
        self.endpoint.replies += replies

    @property
    def prompts(self) -> list[Json]:
        """What the model was asked."""
        assert self.endpoint is not None
        return self.endpoint.chats

    async def assistant(self, **fields: object) -> str:
        """A new assistant's ID."""
        return str((await self.post("/assistants", {"model": "served", **fields}))["id"])

    async def thread(self, *questions: str | list[Json]) -> str:
        """A new thread's ID. A question is a text, or parts of a content."""
        messages = [{"role": "user", "content": question} for question in questions]
        return str((await self.post("/threads", {"messages": messages}))["id"])

    async def post(self, path: str, body: object = None) -> Json:
        """The object that a request gives. Fails unless the answer is 200."""
        return _checked(await self.http.post(path, json=body if body is not None else {}))

    async def get(self, path: str) -> Json:
        return _checked(await self.http.get(path))

    async def listed(self, path: str) -> list[Json]:
        """A list's objects, oldest first."""
        found: list[Json] = (await self.get(f"{path}?order=asc&limit=100"))["data"]
        return found

    @asynccontextmanager
    async def streaming(self, path: str, body: Json) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of a request with `stream`, as they come."""
        async with self.http.stream("POST", path, json={**body, "stream": True}) as response:
            assert response.status_code == 200, await response.aread()
            assert response.headers["content-type"].startswith("text/event-stream")
            yield _events(response)

    async def events(self, path: str, body: Json) -> list[Event]:
        """All events of a request with `stream`."""
        async with self.streaming(path, body) as events:
            return [event async for event in events]

    async def run(self, thread_id: str, assistant_id: str, **fields: object) -> list[Event]:
        """All events of a new run."""
        return await self.events(f"/threads/{thread_id}/runs", {"assistant_id": assistant_id, **fields})

    async def settled(self, thread_id: str, run_id: str) -> Json:
        """The run once it has ended or waits for an answer, by polling."""
        run = await self.sdk.beta.threads.runs.poll(run_id, thread_id=thread_id, poll_interval_ms=5)
        return await self.get(f"/threads/{thread_id}/runs/{run.id}")


@asynccontextmanager
async def engine(
    data_dir: Path,
    *replies: Reply,
    clock: Clock | None = None,
    tutor: bool = False,
    **settings: Any,
) -> AsyncIterator[ServedEngine]:
    """A served engine whose model gives these replies, or on which the tutor answers."""
    async with AsyncExitStack() as stack:
        endpoint = None if tutor else await stack.enter_async_context(ModelEndpoint(*replies))
        app = create_app(
            EngineSettings(
                data_dir,
                providers=[ModelProvider(endpoint.url)] if endpoint else [],
                clock=clock or SystemClock(),
                **settings,
            )
        )
        url = await stack.enter_async_context(served(app))
        sdk = AsyncOpenAI(api_key="test", base_url=f"{url}/v1", max_retries=0)
        stack.push_async_callback(sdk.close)
        http = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=f"{url}/v1", headers=BETA, timeout=60)
        )
        yield ServedEngine(url, sdk, http, endpoint)


def tokens(prompt: int, completion: int, *, cached: int = 0, reasoning: int = 0) -> Json:
    """The usage that runs and steps show."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_token_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def names(events: Sequence[Event]) -> list[str]:
    """The events' names, without `thread.`, repeated deltas as one."""
    short = [name.removeprefix("thread.") for name, _ in events]
    return [
        name for n, name in enumerate(short) if n == 0 or name != short[n - 1] or not name.endswith(".delta")
    ]


def data_of(events: Sequence[Event], name: str) -> list[Any]:
    """The data of the events of that name."""
    return [data for given, data in events if given == name]


def text_of(message: Json) -> str:
    """The text of a message."""
    return "".join(part["text"]["value"] for part in message["content"] if part["type"] == "text")


async def _events(response: httpx2.Response) -> AsyncIterator[Event]:
    name, data = "", ""
    async for line in response.aiter_lines():
        if line.startswith(":"):
            continue
        key, _, value = line.partition(": ")
        assert key in ("", "event", "data"), line
        if key == "event":
            name = value
        elif key == "data":
            data = value
        elif name:
            yield name, (data if data == "[DONE]" else json.loads(data))
            name, data = "", ""


def _checked(response: httpx2.Response) -> Json:
    assert response.status_code == 200, (response.status_code, response.text)
    found: Json = response.json()
    return found
