"""An HTTP transport that hands requests to an ASGI application in the same process and streams both ways.

httpx2's own ASGITransport collects the whole answer before it returns it, which would turn every event stream
into one late block. This one passes each piece on as the application sends it, and behaves towards the
application like a server with a client at the other end of a socket: slow readers hold it up, and a closed
response is reported as `http.disconnect`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx2

Message = MutableMapping[str, Any]
Application = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

BUFFERED_CHUNKS = 16
"""Pieces of an answer that may wait for the reader before the application has to."""

_log = logging.getLogger(__name__)


class AsgiTransport(httpx2.AsyncBaseTransport):
    """Sends requests to `application`. Closing the transport cancels what the application still does for it.

    An application that raises before its answer begins gives a plain 500, as a server would; afterwards the
    reader gets `httpx2.ReadError`. The read timeout of the request counts as on a socket.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = _Exchange(request)
        task = asyncio.create_task(exchange.run(self._application))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: exchange.end())
        try:
            async with asyncio.timeout(exchange.read_timeout):
                await exchange.started.wait()
        except TimeoutError:
            exchange.disconnect()
            raise httpx2.ReadTimeout("the application gave no answer in time", request=request) from None
        except BaseException:
            exchange.disconnect()
            raise
        if exchange.request_failure is not None:
            raise exchange.request_failure
        if exchange.status is None:
            if isinstance(exchange.failure, Exception):
                return httpx2.Response(500, text="Internal Server Error", request=request)
            raise httpx2.RemoteProtocolError("the application ended without an answer", request=request)
        return httpx2.Response(exchange.status, headers=exchange.headers, stream=_Body(exchange))

    async def aclose(self) -> None:
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class _Exchange:
    """One request and its answer, between the application's task and the reader's."""

    def __init__(self, request: httpx2.Request) -> None:
        self.request = request
        self.read_timeout: float | None = request.extensions.get("timeout", {}).get("read")
        self.started = asyncio.Event()
        """The answer has begun, or it never will."""
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.failure: BaseException | None = None
        self.request_failure: BaseException | None = None
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        """The body; None when there is no more. It is bounded by `_room`, so that its end always fits."""
        self._room = asyncio.Semaphore(BUFFERED_CHUNKS)
        self.complete = False
        """The application has sent its last piece."""
        self._body = self._request_body()
        self._body_read = False
        self._gone = False
        """Nobody reads the answer any more."""
        self._over = asyncio.Event()
        """The answer is complete, or nobody reads it any more."""

    async def run(self, application: Application) -> None:
        url = self.request.url
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self.request.headers.raw],
            "client": None,
            "server": (url.host, url.port),
        }
        try:
            await application(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001  whatever it raises, its reader gets an answer
            self.failure = error
            if not self._gone and self.request_failure is None:
                _log.exception("%s %s failed in the application", self.request.method, url.path)
        except asyncio.CancelledError as error:
            self.failure = error
            raise

    def end(self) -> None:
        """The application has ended, or was cancelled before it began: its reader waits for nothing more."""
        self.started.set()
        if not self.complete:
            self._chunks.put_nowait(None)

    async def read(self) -> bytes | None:
        """The next piece of the body; None when there is no more. Makes room for another one."""
        chunk = await self._chunks.get()
        if chunk is not None:
            self._room.release()
        return chunk

    def disconnect(self) -> None:
        """The reader is gone: nothing more is kept for it, and the application may know."""
        self._gone = True
        self._over.set()
        while not self._chunks.empty():
            self._chunks.get_nowait()
        self._room.release()  # a sender that waits for room goes on

    async def _request_body(self) -> AsyncIterator[bytes]:
        stream = self.request.stream
        if not isinstance(stream, httpx2.AsyncByteStream):
            raise TypeError("an async client sends async bodies")
        async for chunk in stream:
            yield chunk

    async def _receive(self) -> Message:
        if not self._body_read and not self._over.is_set():
            try:
                chunk = await anext(self._body, None)
            except Exception as error:
                self.request_failure = error
                self.started.set()
                self.disconnect()
                raise
            if chunk is not None:
                return {"type": "http.request", "body": chunk, "more_body": True}
            self._body_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._gone:
            return  # what servers do: writing to nobody is no error
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", [])]
            self.started.set()
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            if body and self.request.method != "HEAD":
                await self._put(bytes(body))
            if not message.get("more_body", False):
                self.complete = True
                self._over.set()
                self._chunks.put_nowait(None)

    async def _put(self, chunk: bytes) -> None:
        await self._room.acquire()
        if self._gone:
            self._room.release()  # for another sender
        else:
            self._chunks.put_nowait(chunk)


class _Body(httpx2.AsyncByteStream):
    """The answer as it comes. It may be iterated again after a break and then goes on where it was."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        exchange = self._exchange
        while not self._ended:
            try:
                async with asyncio.timeout(exchange.read_timeout):
                    chunk = await exchange.read()
            except TimeoutError:
                raise httpx2.ReadTimeout("the application went silent", request=exchange.request) from None
            if chunk is not None:
                yield chunk
                continue
            self._ended = True
            if exchange.failure is not None and not exchange.complete:
                raise httpx2.ReadError(
                    f"the application failed: {type(exchange.failure).__name__}", request=exchange.request
                ) from exchange.failure
            if not exchange.complete:
                raise httpx2.RemoteProtocolError("the answer stops in the middle", request=exchange.request)

    async def aclose(self) -> None:
        self._ended = True
        self._exchange.disconnect()
