"""The tools of MCP servers (https://modelcontextprotocol.io) as functions that assistants may call.

A server is started, or connected to, when something is first wanted of it, and held open until the app ends.
The `mcp` package does the talking; it is an optional extra.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from assistants_tui import network
from assistants_tui.addresses import OPENAI_VARIABLE, not_in_the_clear, only_for_openai
from assistants_tui.installation import install_command
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import FunctionDefinition
from assistants_tui.service.functions import environment
from assistants_tui.service.functions.error_output import LastWords
from assistants_tui.service.functions.mcp_messages import tolerant
from assistants_tui.service.functions.mcp_results import keep_in, result_text
from assistants_tui.service.functions.registry import CallFailedError, Catalogue, Function
from assistants_tui.settings.mcp_server import McpServer

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import Tool

SEPARATOR = "__"
"""Between the name of the server and that of the tool, in the name that models call."""
_UNUSABLE = re.compile(r"[^a-zA-Z0-9_-]")
_HASH = 8
"""Characters of a hash that tell apart tools whose names would be the same."""
_MAX_PAGES = 20
_HTTP_TIMEOUT = httpx2.Timeout(30.0, read=300.0)
"""Seconds; servers hold the answer to a request open while they work."""
_CONNECT = 60.0
"""Seconds that a server may take to be ready; the first start of some downloads them."""
_PROOF = 5.0
"""Seconds in which a server shows that it still works."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a connected server has."""

    client: "Client"
    tools: Mapping[str, tuple[str, Function]]
    """The server's own name of a tool, and the function, by the name that models call."""
    left_out: tuple[str, ...]
    """What is wrong with other tools, as sentences."""


class McpServers:
    """All servers of config.toml."""

    def __init__(
        self,
        servers: Mapping[str, McpServer],
        timeout: float,
        folder: Path | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`timeout`: seconds for a call. `folder`: where images and files of results are kept.

        `changed` is told when a server says that its tools have changed.
        """
        self._servers = {name: _Held(server, timeout, folder, changed) for name, server in servers.items()}

    async def catalogue(self) -> Catalogue:
        """The tools of all servers. One that cannot be reached is a problem."""
        functions: dict[str, Function] = {}
        problems: list[str] = []
        answers = await asyncio.gather(
            *(server.offer(again=True) for server in self._servers.values()), return_exceptions=True
        )
        for name, answer in zip(self._servers, answers, strict=True):
            if isinstance(answer, CallFailedError):
                problems.append(f"MCP server {name}: {answer}")
            elif isinstance(answer, BaseException):
                raise answer
            else:
                problems += (f"MCP server {name}: {sentence}" for sentence in answer.left_out)
                for key, (_, function) in answer.tools.items():
                    if (first := functions.setdefault(key, function)) is not function:
                        problems.append(f"{key} of {function.place} is hidden by the one of {first.place}.")
        return Catalogue(functions, tuple(problems))

    async def find(self, name: str) -> Function | None:
        """The tool of this name as it is now. Only servers whose tools can have such a name are asked."""
        for held in self._of(name):
            if (found := (await held.offer(again=True)).tools.get(name)) is not None:
                return found[1]
        return None

    async def call(self, function: Function, arguments: Mapping[str, Any]) -> str:
        """The texts of a tool's result. Raises `CallFailedError`."""
        name = function.definition["name"]
        for held in self._of(name):
            if held.place == function.place:
                return await held.call(name, arguments)
        raise CallFailedError("There is no such server any more.")

    async def close(self) -> None:
        """Disconnect, and end the programs that were started."""
        await asyncio.gather(*(server.close() for server in self._servers.values()))

    def _of(self, name: str) -> "list[_Held]":
        return [held for key, held in self._servers.items() if name.startswith(f"{key}{SEPARATOR}")]


class _Held:
    """One server, connected once. After a failure the next asker tries again.

    The connection lives in a task of its own: what the package opens has to be closed by the same task.
    """

    def __init__(
        self, server: McpServer, timeout: float, folder: Path | None, changed: Callable[[], None]
    ) -> None:
        self.place = _place(server)
        self._server = server
        self._timeout = timeout
        self._folder = folder
        self._offer: asyncio.Future[_Offer] | None = None
        self._holder: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._turn = asyncio.Lock()
        self._left_out: list[str] = []
        self._changed = changed
        self._stale = False
        """The server has said that its tools have changed, and was not asked since."""
        self._busy = 0
        """Calls that are being answered."""

    async def offer(self, *, again: bool = False) -> _Offer:
        """What the server has. Raises `CallFailedError`.

        `again`: ask a server that is connected already, which may have changed its tools.
        """
        async with self._turn:
            if self._holder is not None and self._stop.is_set():
                await asyncio.wait({self._holder})
            connected = self._offer is not None and self._holder is not None and not self._holder.done()
            # a program that does one thing at a time answers when its tool has ended
            again = again and (self._stale or not self._busy)
            if connected and again and self._offer is not None and self._offer.done():
                connected = await self._look_again(self._offer.result().client)
            if not connected or self._offer is None:
                self._offer = asyncio.get_running_loop().create_future()
                self._stop.clear()
                self._holder = asyncio.create_task(self._hold(self._offer))
            offer = self._offer
        return await asyncio.shield(offer)

    async def _look_again(self, client: "Client") -> bool:
        """Read the tools of a connected server once more. False if it fails: then it is replaced."""
        try:
            async with asyncio.timeout(self._timeout):
                offer = await self._read(client)
        except Exception:  # noqa: BLE001  it failed in its own way; the new connection says more
            await self._drop()
            return False
        self._offer = asyncio.get_running_loop().create_future()
        self._offer.set_result(offer)
        return True

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        offer = await self.offer()
        found = offer.tools.get(name)
        if found is None:
            raise CallFailedError("The server has no such tool any more.")
        self._busy += 1
        try:
            async with asyncio.timeout(self._timeout):
                result = await offer.client.call_tool(found[0], dict(arguments))
        except TimeoutError:
            sentence = f"The call was given up: it took longer than {self._timeout:g} seconds."
            if not await self._answers(offer.client):
                sentence += " The server does not answer any more; the next call starts a new one."
            raise CallFailedError(sentence) from None
        except Exception as error:  # servers and transports fail in their own ways
            who = "tool" if await self._answers(offer.client) else "server"
            raise CallFailedError(f"The {who} failed: {_words(error)}") from error
        finally:
            self._busy -= 1
        text = await asyncio.to_thread(result_text, result, keep_in(self._folder, self._server.name))
        if result.is_error:
            raise CallFailedError(f"The tool answered with an error: {text}")
        return text

    async def _answers(self, client: "Client") -> bool:
        """Whether the server still works after a failure. One that does not is dropped, with its state."""
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED

        try:
            async with asyncio.timeout(min(_PROOF, self._timeout)):
                await client.list_tools(cache_mode="bypass")  # newer versions of the protocol have no ping
            works = True
        except MCPError as error:
            works = error.code != CONNECTION_CLOSED
        except Exception:  # noqa: BLE001  whatever it is, there was no answer
            works = False
        if not works:
            self._stop.set()
        return works

    async def _drop(self) -> None:
        self._stop.set()
        if self._holder is not None:
            await asyncio.wait({self._holder})

    async def close(self) -> None:
        await self._drop()

    async def _hold(self, offer: "asyncio.Future[_Offer]") -> None:
        try:
            async with self._connected() as client:
                async with asyncio.timeout(_CONNECT):
                    found = await self._read(client)
                offer.set_result(found)
                listening = asyncio.create_task(self._listen(client))
                try:
                    await self._stop.wait()
                finally:
                    listening.cancel()
                    await asyncio.wait({listening})
        except BaseException as error:  # noqa: BLE001  whoever waits is told
            failure = error if isinstance(error, CallFailedError) else CallFailedError(_words(error))
            if not offer.done():
                offer.set_exception(failure)
                offer.exception()  # it may be that nobody waits any more

    async def _read(self, client: "Client") -> _Offer:
        self._left_out.clear()
        self._stale = False
        tools = [tool async for tool in _listed(client)]
        return _Offer(client, _functions(tools, self._server), tuple(dict.fromkeys(self._left_out)))

    async def _listen(self, client: "Client") -> None:
        """Hear of changed tools also from a server that tells only those who ask for it."""
        with contextlib.suppress(Exception):  # an older server tells it unasked; others do not, and are asked
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self._stale = True
                    self._changed()

    async def _heard(self, message: object) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self._stale = True
            self._changed()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator["Client"]:
        try:
            mcp = await asyncio.to_thread(import_module, "mcp")
        except ImportError:
            raise CallFailedError(
                f"MCP servers need a package that is not installed: {install_command('mcp')}"
            ) from None
        async with contextlib.AsyncExitStack() as stack:
            said = LastWords()
            stack.callback(said.close)
            transport = await self._transport(said, stack)
            client: Client = mcp.Client(
                tolerant(transport, self._left_out.append), message_handler=self._heard
            )
            try:
                async with asyncio.timeout(_CONNECT):
                    await client.__aenter__()
            except TimeoutError:
                raise CallFailedError(f"It did not answer within {_CONNECT:g} seconds.") from None
            except Exception as error:
                raise CallFailedError(_words(error, await asyncio.to_thread(said.line))) from error
            said.close()
            try:
                yield client
            finally:
                await client.__aexit__(None, None, None)

    async def _transport(self, said: LastWords, stack: contextlib.AsyncExitStack) -> Any:
        """The way to the server. What a program says on standard error must not reach the screen."""
        if self._server.url is not None:
            from mcp.client.streamable_http import streamable_http_client

            variable = self._server.api_key_env
            key = os.environ.get(variable, "").strip() if variable else ""
            if variable and not key:
                raise CallFailedError(f"The environment variable {variable} with its key is not set.")
            if key and (why := _why_not_sent(variable, self._server)):
                raise CallFailedError(why)
            headers = {"Authorization": f"Bearer {key}"} if key else None
            try:
                # the `mcp` package follows redirects itself, within the server
                http = network.http_client(
                    self._server.url, timeout=_HTTP_TIMEOUT, headers=headers, follow_redirects=False
                )
            except network.NetworkSettingsError as error:
                raise CallFailedError(str(error)) from None
            await stack.enter_async_context(http)
            return streamable_http_client(self._server.url, http_client=http)
        from mcp import StdioServerParameters
        from mcp.client.stdio import stdio_client

        # it logs each line that a server prints besides its messages, with a traceback
        logging.getLogger(stdio_client.__module__).setLevel(logging.CRITICAL)
        parameters = StdioServerParameters(
            command=self._server.command or "",
            args=[*self._server.args],
            env=environment.named(self._server.env),
        )
        return stdio_client(parameters, errlog=said.file)  # type: ignore[arg-type]  # any file will do


def _why_not_sent(variable: str | None, server: McpServer) -> str:
    """Why the key of a server is not sent to it, and what to do; empty where it may be."""
    url = server.url or ""
    if variable == OPENAI_VARIABLE and (why := only_for_openai(url)):
        return f"{why} Name the variable of this server's own key in `api_key_env` of [mcp.{server.name}]."
    if not server.allow_plain_http and (why := not_in_the_clear(url)):
        return f"{why} Use https, or allow it with `allow_plain_http = true` in [mcp.{server.name}]."
    return ""


async def _listed(client: "Client") -> AsyncIterator["Tool"]:
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="refresh")
        for tool in page.tools:
            yield tool
        cursor = page.next_cursor
        if cursor is None:
            break


def _functions(tools: Iterable["Tool"], server: McpServer) -> dict[str, tuple[str, Function]]:
    """The tools by the names that models call. Of tools with one name the first counts, as for servers."""
    by_name = {tool.name: tool for tool in reversed([*tools])}
    prefix = f"{server.name}{SEPARATOR}"
    plain = {name: _UNUSABLE.sub("_", f"{prefix}{name}") for name in by_name}
    often = Counter(plain.values())
    functions: dict[str, tuple[str, Function]] = {}
    for name, tool in reversed(by_name.items()):
        called = plain[name]
        if len(called) > limits.MAX_FUNCTION_NAME or (often[called] > 1 and called != f"{prefix}{name}"):
            digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:_HASH]
            called = f"{called[: limits.MAX_FUNCTION_NAME - _HASH - 1]}_{digest}"
        functions[called] = (name, _function(called, tool, server))
    return functions


def _function(name: str, tool: "Tool", server: McpServer) -> Function:
    definition: FunctionDefinition = {
        "name": name,
        "description": (tool.description or tool.title or "")[:1024],
        "parameters": dict(tool.input_schema),
    }
    # what the user decides on: also the part of the description that is too long to be sent
    identity = [definition, tool.name, tool.description, server.command, server.args, server.url]
    fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return Function(definition, _place(server), fingerprint)


def _place(server: McpServer) -> str:
    return f"MCP server {server.name}"


def _words(error: BaseException, said: str = "") -> str:
    """What an exception says, of a group the first; `said` is what the program said last."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"The program {error.filename or ''} is not there.".replace("  ", " ")
    words = str(getattr(getattr(error, "error", None), "message", "") or error).strip()
    sentence = (words or type(error).__name__).rstrip(".") + "."
    return f"{sentence} It said: {said}" if said else sentence
