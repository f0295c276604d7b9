"""A chat-completions endpoint for tests: real HTTP on a real loopback socket, scripted answer by answer.

It speaks the streaming protocol of model servers (server-sent events of `chat.completion.chunk` objects
ended by `[DONE]`), and can misbehave byte for byte as they do.
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from assistants_tui.protocol.objects import Json


class Cut:
    """In a reply: the connection dies here, in the middle of the body."""


@dataclass
class Reply:
    """One answer. Its body's items: chunks to send as events, raw bytes, events to wait for, `Cut()`."""

    body: Iterable[Json | bytes | asyncio.Event | Cut] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})


@dataclass
class Request:
    """What the endpoint was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: Json


def chunk(delta: Json | None = None, finish_reason: str | None = None, **rest: object) -> Json:
    """One `chat.completion.chunk` with one choice."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "served",
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish_reason}],
        **rest,
    }


def usage(prompt: int, completion: int) -> Json:
    """The chunk without choices that ends an answer whose tokens are counted."""
    counts = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return {**chunk(), "choices": [], "usage": counts}


DONE = b"data: [DONE]\n\n"


def says(*pieces: str, prompt: int = 10, completion: int = 5, finish: str = "stop") -> Reply:
    """An answer in text, one chunk per piece."""
    return Reply(
        [
            chunk({"role": "assistant", "content": ""}),
            *(chunk({"content": piece}) for piece in pieces),
            chunk(finish_reason=finish),
            usage(prompt, completion),
            DONE,
        ]
    )


def calls(
    *functions: tuple[str, str], text: str = "", prompt: int = 20, completion: int = 7, piece: int = 6
) -> Reply:
    """An answer that calls functions, each a name and arguments, these in pieces of `piece` characters."""
    chunks = [chunk({"role": "assistant", "content": text or None})]
    for index, (name, arguments) in enumerate(functions):
        identity = {"index": index, "id": f"call_{index}_{name}", "type": "function"}
        chunks.append(chunk({"tool_calls": [{**identity, "function": {"name": name, "arguments": ""}}]}))
        chunks += [
            chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments[at : at + piece]}}]})
            for at in range(0, len(arguments), piece)
        ]
    return Reply([*chunks, chunk(finish_reason="tool_calls"), usage(prompt, completion), DONE])


def refuses(status: int, error: object, **headers: str) -> Reply:
    """An error response. `error` is the body's `error` member."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"error": error}).encode()
    return Reply([body], status, {"content-type": "application/json", **named})


class ModelEndpoint:
    """The server. Replies are given in order; when they have run out, `otherwise` answers every request.

    >>> async with ModelEndpoint(says("Hello", "!")) as endpoint:
    ...     endpoint.url  # http://127.0.0.1:<port>/v1
    """

    def __init__(self, *replies: Reply, models: Iterable[str] = ("served",)) -> None:
        self.replies = list(replies)
        self.models = list(models)
        self.shutdown_dates: dict[str, str] = {}
        """When models end, as OpenAI's list says it."""
        self.model_fields: Json = {}
        """Further fields of every entry of the list of models."""
        self.own_api: dict[str, object] = {}
        """What the server's API beside `/v1` answers, by path; 404 for every other path."""
        self.refused: Reply | None = None
        """What every request is answered with while it is set, also one for the list of models."""
        self.requests: list[Request] = []
        self.otherwise: Callable[[Request], Reply] = lambda _: refuses(
            500, {"message": "No reply is scripted."}
        )
        self.url = ""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def chats(self) -> list[Json]:
        """The bodies of the chat requests so far."""
        return [request.body for request in self.requests if request.path.endswith("/chat/completions")]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while request := await _read(reader):
                self.requests.append(request)
                if not await self._answer(request, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up, which is its right
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Sends the next reply; False if the connection cannot be used again."""
        if self.refused is not None:
            reply = self.refused
        elif not (path := urlsplit(request.path).path).startswith("/v1/"):  # a proxy gets whole addresses
            found = self.own_api.get(path)
            status = 404 if found is None else 200
            reply = Reply([json.dumps(found).encode()], status, {"content-type": "application/json"})
        elif request.path.endswith("/models"):
            listed = [
                {
                    "id": name,
                    "object": "model",
                    "created": 1,
                    "owned_by": "test",
                    **self.model_fields,
                    **({"shutdown_date": self.shutdown_dates[name]} if name in self.shutdown_dates else {}),
                }
                for name in self.models
            ]
            reply = Reply(
                [json.dumps({"object": "list", "data": listed}).encode()],
                headers={"content-type": "application/json"},
            )
        else:
            reply = self.replies.pop(0) if self.replies else self.otherwise(request)
        head = [f"HTTP/1.1 {reply.status} Scripted", "transfer-encoding: chunked"]
        head += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write("\r\n".join([*head, "", ""]).encode())
        for item in reply.body:
            if isinstance(item, Cut):
                writer.transport.abort()
                return False
            if isinstance(item, asyncio.Event):
                await item.wait()
                continue
            data = item if isinstance(item, bytes) else f"data: {json.dumps(item)}\n\n".encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = head[0].split(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(body) if body else {})
