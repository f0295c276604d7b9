"""The way to one server: JSON, events and files. Everything that fails here fails as `ServiceError`.

It goes through the `openai` package, which knows authentication, Azure, retries and event streams, but below
its typed resources: those take most of a second to import and turn each event into a model that drops what it
does not know.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from types import TracebackType
from typing import IO, Any, TypeVar, cast
from urllib.parse import quote

import httpx2
import openai

from assistants_tui import network
from assistants_tui.protocol import file_kinds
from assistants_tui.protocol.events import Event
from assistants_tui.protocol.objects import Json
from assistants_tui.service.errors import ServiceError, error_words, explain, not_the_api
from assistants_tui.service.required_fields import MalformedError, checked
from assistants_tui.settings.secrets import Secret

TIMEOUT = httpx2.Timeout(60.0, connect=10.0)
"""Seconds without a byte. A stream that is silent longer is given up, and its run is asked for instead."""
_READ_RETRIES = 2
_CREATE_RETRIES = 2
_MAX_WAIT = 30.0
"""Seconds that a server may ask us to wait before we repeat a request by ourselves."""

Query = Mapping[str, object]
Answer = TypeVar("Answer")
Thing = TypeVar("Thing")


class Client:
    """Requests to one server. Paths are relative to its base URL, IDs in them quoted with `segment`."""

    def __init__(
        self,
        api: openai.AsyncOpenAI,
        *,
        server: str,
        hosted: bool = False,
        anonymous: bool = False,
        secrets: Collection[Secret] = (),
        tokens: Callable[[], Secret | None] = lambda: None,
        failed: Callable[[ServiceError], None] = lambda error: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`anonymous`: send no key. What `secrets` and `tokens` hold is removed from what the server says.
        `failed` is told of every failure.
        """
        self._api = api
        self._server = server
        self._hosted = hosted
        self._secrets = secrets
        self._tokens = tokens
        self._failed = failed
        self._sleep = sleep
        self._headers: dict[str, Any] = {"OpenAI-Beta": "assistants=v2"}
        if anonymous:
            self._headers["Authorization"] = openai.Omit()

    @property
    def server(self) -> str:
        """The server as it is named in sentences."""
        return self._server

    @property
    def hosted(self) -> bool:
        """Whether the server is api.openai.com."""
        return self._hosted

    @property
    def base_url(self) -> str:
        """The address that paths are relative to, without a slash at its end."""
        return str(self._api.base_url).rstrip("/")

    async def get(self, path: str, query: Query | None = None) -> Json:
        """GET an object. Repeated by itself after timeouts, broken connections, 408, 409, 429 and 5xx."""
        with self._explained(path):
            answer = await self._api.get(path, cast_to=object, options=self._options(query, _READ_RETRIES))
        return self._object(answer)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        *,
        again: bool = False,
    ) -> Json:
        """POST an object. `again`: doing it twice is the same as once, so it may be repeated like a GET.

        Otherwise it is repeated only where the server certainly has not acted: no connection, or 429.
        """
        retries = _READ_RETRIES if again else 0

        async def send() -> object:
            return await self._api.post(
                path, cast_to=object, body=dict(body or {}), options=self._options(query, retries)
            )

        with self._explained(path):
            return self._object(await (send() if again else self._certainly_once(send)))

    async def fetch(self, kind: type[Thing], path: str, query: Query | None = None) -> Thing:
        """`get` what is an object of `kind`. Raises `ServiceError` of kind `protocol` if it is none."""
        return self.checked(kind, await self.get(path, query), f"GET /{path}")

    async def send(
        self, kind: type[Thing], path: str, body: Mapping[str, Any] | None = None, *, again: bool = False
    ) -> Thing:
        """`post` what is answered with an object of `kind`. Raises as `fetch`."""
        return self.checked(kind, await self.post(path, body, again=again), f"POST /{path}")

    def checked(self, kind: type[Thing], answer: object, request: str, place: str = "") -> Thing:
        """A part of an answer, at `place`, as an object of `kind`. Raises as `fetch`."""
        try:
            return checked(kind, answer, place)
        except MalformedError as error:
            if words := error_words(answer):  # some servers, and proxies before them, send errors with 200
                said = f"{self._server} answered {request} with an error: {words}"
                raise ServiceError(said, kind="protocol") from None
            raise ServiceError(
                f"{self._server} answered {request} with something else than the API promises: {error}.",
                "The server is at fault, or the address in the profile is not that of an Assistants API.",
                kind="protocol",
            ) from None

    async def delete(self, path: str) -> Json:
        """DELETE an object. Not repeated: a second attempt would only find nothing."""
        with self._explained(path):
            return self._object(await self._api.delete(path, cast_to=object, options=self._options(None, 0)))

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, body: Mapping[str, Any], query: Query | None = None
    ) -> AsyncIterator[AsyncIterator[Event] | Json]:
        """POST and read the answer as events; a server that does not stream gives the object at once.

        The iterator ends where the stream ends, be it in the middle. What breaks it raises `ServiceError`.
        Leaving the block closes the stream; the run goes on at the server.
        """
        options = self._options(query, 0)
        options["synthesize_event_and_data"] = True
        options["stream_mode"] = "events"  # every event as it is, also errors and ones nobody knows yet

        async def send() -> openai.AsyncStream[object]:
            return await self._api.post(
                path,
                cast_to=object,
                body={**body, "stream": True},
                options=options,
                stream=True,
                stream_cls=openai.AsyncStream[object],
            )

        with self._explained(path):
            stream = await self._certainly_once(send)
        try:
            media_type = stream.response.headers.get("content-type", "").partition(";")[0].strip()
            if media_type == "application/json":
                with self._explained(path):
                    yield self._object(json.loads(await stream.response.aread()))
            elif media_type not in {"text/event-stream", ""}:
                raise not_the_api(self._server)
            else:
                yield self._events(path, stream)
        finally:
            await stream.close()

    async def _events(self, path: str, stream: "openai.AsyncStream[object]") -> AsyncIterator[Event]:
        with self._explained(path):
            async for item in stream:
                event = cast(Json, item)
                yield _unwrapped(Event(event["event"] or "", event["data"]))

    async def upload(self, path: str, fields: Mapping[str, str], name: str, file: IO[bytes]) -> Json:
        """POST a form with one file, which is read while it is sent."""

        async def send() -> object:
            file.seek(0)
            options = self._options(None, 0)
            options["headers"] = {**self._headers, "Content-Type": "multipart/form-data"}
            return await self._api.post(
                path,
                cast_to=object,
                body=dict(fields),
                files={"file": (name, file, file_kinds.kind_of(name).media_type)},
                options=options,
            )

        with self._explained(path):
            return self._object(await self._certainly_once(send))

    @contextlib.asynccontextmanager
    async def download(self, path: str) -> AsyncIterator[tuple[int | None, AsyncIterator[bytes]]]:
        """GET raw bytes: their number, if the server says it, and the bytes as they come."""
        options = self._options(None, _READ_RETRIES)
        options["headers"] = {
            **self._headers,
            "Accept": "application/octet-stream",
            "X-Stainless-Raw-Response": "stream",  # how the openai package is told to leave the body unread
        }
        with self._explained(path):
            response = await self._api.get(path, cast_to=httpx2.Response, options=options)
        try:
            length = response.headers.get("content-length", "")
            coded = response.headers.get("content-encoding")  # then the length is that of the coded bytes
            total = int(length) if length.isascii() and length.isdigit() and not coded else None
            yield total, self._bytes(path, response)
        finally:
            await response.aclose()

    async def _bytes(self, path: str, response: httpx2.Response) -> AsyncIterator[bytes]:
        with self._explained(path):
            async for chunk in response.aiter_bytes():
                yield chunk

    async def close(self) -> None:
        await self._api.close()

    def __repr__(self) -> str:
        return f"Client({self._server!r})"

    # helpers

    def _options(self, query: Query | None, retries: int) -> Any:
        return {"headers": dict(self._headers), "params": dict(query or {}), "max_retries": retries}

    def _object(self, answer: object) -> Json:
        if not isinstance(answer, dict):
            raise not_the_api(self._server)
        return answer

    async def _certainly_once(self, send: Callable[[], Awaitable[Answer]]) -> Answer:
        """Send, and send again only after failures that show that the server has done nothing."""
        for attempt in range(_CREATE_RETRIES):
            try:
                return await send()
            except openai.RateLimitError as error:
                wait = _retry_after(error.response.headers, default=0.5 * 2**attempt)
                if wait > _MAX_WAIT or error.code == "insufficient_quota":
                    raise
            except openai.APIConnectionError as error:
                if not isinstance(error.__cause__, _NOT_CONNECTED):
                    raise
                wait = 0.5 * 2**attempt
            await self._sleep(wait)
        return await send()

    def _explained(self, path: str) -> "_Explained":
        return _Explained(lambda error: self._failure(error, path))

    def _failure(self, error: Exception, path: str) -> ServiceError:
        failure = explain(error, server=self._server, path=path, hosted=self._hosted)
        failure.no_effect = failure.no_effect or isinstance(error.__cause__, _NOT_CONNECTED)
        if isinstance(error, openai.APIConnectionError | openai.InternalServerError) or failure.status == 407:
            way = network.way_to(str(self._api.base_url))
            failure.advice = f"{failure.advice} {way}".strip()
        for secret in (*self._secrets, self._tokens()):
            failure.what = _without(failure.what, secret)
            failure.advice = _without(failure.advice, secret)
        self._failed(failure)
        return failure


class _Explained:
    """The one place where failures become sentences.

    The request holds the key, so nothing of the original failure stays: neither as a cause nor, where a
    traceback shows variables, in this frame.
    """

    def __init__(self, explain: Callable[[Exception], ServiceError]) -> None:
        self._explain = explain

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, ServiceError):
            return
        failure = self._explain(error)
        del kind, error, trace
        raise failure from None


def _unwrapped(event: Event) -> Event:
    """The event itself where a proxy (LiteLLM) puts its name and data into the data of one without a name."""
    data = event.data
    nameless = event.name in {"", "message"} and isinstance(data, dict) and data.keys() == {"data", "event"}
    return Event(data["event"], data["data"]) if nameless and isinstance(data["event"], str) else event


_NOT_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


def segment(value: str) -> str:
    """An ID as a part of a path, whatever stands in it."""
    return quote(value, safe="")


def _without(text: str, secret: Secret | None) -> str:
    value = secret.reveal() if secret else ""
    return text.replace(value, "***") if value else text


def _retry_after(headers: httpx2.Headers, *, default: float) -> float:
    """Seconds that the server asks to wait; `default` if it does not say, or not in seconds."""
    for name, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            wait = float(headers[name]) / divisor
        except (KeyError, ValueError):
            continue
        if wait >= 0:
            return wait
    return default
