"""The tools of MCP servers (https://modelcontextprotocol.io) as functions that assistants may call.

A server is started, or connected to, when something is first wanted of it, and held open until the app ends.
The `mcp` package does the talking; it is an optional extra.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from assistants_tui.service.functions.registry import CallFailedError, Catalogue, Function
from assistants_tui.service.wire import FunctionDefinition
from assistants_tui.settings.function_settings import McpServer

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

SEPARATOR = "__"
"""Between the name of the server and that of the tool, in the name that models call."""
_MAX_NAME = 64
_MAX_PAGES = 20
_CONNECT = 60.0
"""Seconds that a server may take to be ready; the first start of some downloads them."""
_MISSING = "MCP servers need a package that is not installed: pip install 'assistants-tui[mcp]'."


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a connected server has."""

    client: "Client"
    tools: Mapping[str, tuple[str, Function]]
    """The server's own name of a tool, and the function, by the name that models call."""


class McpServers:
    """All servers of config.toml."""

    def __init__(self, servers: Mapping[str, McpServer], timeout: float) -> None:
        """`timeout`: seconds for a call."""
        self._servers = {name: _Held(server, timeout) for name, server in servers.items()}

    async def catalogue(self) -> Catalogue:
        """The tools of all servers. One that cannot be reached is a problem."""
        functions: dict[str, Function] = {}
        problems: list[str] = []
        answers = await asyncio.gather(
            *(server.offer() for server in self._servers.values()), return_exceptions=True
        )
        for name, answer in zip(self._servers, answers, strict=True):
            if isinstance(answer, CallFailedError):
                problems.append(f"MCP server {name}: {answer}")
            elif isinstance(answer, BaseException):
                raise answer
            else:
                functions |= {key: function for key, (_, function) in answer.tools.items()}
        return Catalogue(functions, tuple(problems))

    async def find(self, name: str) -> Function | None:
        """The tool of this name. Only its own server is asked."""
        held = self._of(name)
        found = (await held.offer()).tools.get(name) if held is not None else None
        return found[1] if found is not None else None

    async def call(self, function: Function, arguments: Mapping[str, Any]) -> str:
        """The texts of a tool's result. Raises `CallFailedError`."""
        name = function.definition["name"]
        held = self._of(name)
        if held is None:
            raise CallFailedError("There is no such server any more.")
        return await held.call(name, arguments)

    async def close(self) -> None:
        """Disconnect, and end the programs that were started."""
        await asyncio.gather(*(server.close() for server in self._servers.values()))

    def _of(self, name: str) -> "_Held | None":
        return next(
            (held for key, held in self._servers.items() if name.startswith(f"{key}{SEPARATOR}")), None
        )


class _Held:
    """One server, connected once. After a failure the next asker tries again.

    The connection lives in a task of its own: what the package opens has to be closed by the same task.
    """

    def __init__(self, server: McpServer, timeout: float) -> None:
        self._server = server
        self._timeout = timeout
        self._offer: asyncio.Future[_Offer] | None = None
        self._holder: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._turn = asyncio.Lock()

    async def offer(self) -> _Offer:
        """What the server has. Raises `CallFailedError`."""
        async with self._turn:
            if self._holder is not None and self._stop.is_set():
                await asyncio.wait({self._holder})
            if self._offer is None or self._holder is None or self._holder.done():
                self._offer = asyncio.get_running_loop().create_future()
                self._stop.clear()
                self._holder = asyncio.create_task(self._hold(self._offer))
            offer = self._offer
        return await asyncio.shield(offer)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        offer = await self.offer()
        found = offer.tools.get(name)
        if found is None:
            raise CallFailedError("The server has no such tool any more.")
        try:
            async with asyncio.timeout(self._timeout):
                result = await offer.client.call_tool(found[0], dict(arguments))
        except TimeoutError:
            raise CallFailedError(
                f"The call was given up: it took longer than {self._timeout:g} seconds."
            ) from None
        except Exception as error:  # servers and transports fail in their own ways
            self._stop.set()  # what is left of the connection is of no use; the next call makes a new one
            raise CallFailedError(f"The server failed: {_words(error)}") from error
        text = _text(result)
        if result.is_error:
            raise CallFailedError(f"The tool answered with an error: {text}")
        return text

    async def close(self) -> None:
        self._stop.set()
        if self._holder is not None:
            await asyncio.wait({self._holder})

    async def _hold(self, offer: "asyncio.Future[_Offer]") -> None:
        try:
            async with self._connected() as client:
                async with asyncio.timeout(_CONNECT):
                    tools = await _tools(client, self._server)
                offer.set_result(_Offer(client, tools))
                await self._stop.wait()
        except BaseException as error:  # noqa: BLE001  whoever waits is told
            failure = error if isinstance(error, CallFailedError) else CallFailedError(_words(error))
            if not offer.done():
                offer.set_exception(failure)
                offer.exception()  # it may be that nobody waits any more

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator["Client"]:
        try:
            mcp = await asyncio.to_thread(import_module, "mcp")
        except ImportError:
            raise CallFailedError(_MISSING) from None
        async with contextlib.AsyncExitStack() as stack:
            said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
            stack.callback(said.close)
            transport = await self._transport(said, stack)
            client: Client = mcp.Client(transport)
            try:
                async with asyncio.timeout(_CONNECT):
                    await client.__aenter__()
            except TimeoutError:
                raise CallFailedError(f"It did not answer within {_CONNECT:g} seconds.") from None
            except Exception as error:
                raise CallFailedError(_words(error, await asyncio.to_thread(_last_line, said))) from error
            try:
                yield client
            finally:
                await client.__aexit__(None, None, None)

    async def _transport(self, said: IO[str], stack: contextlib.AsyncExitStack) -> Any:
        """The way to the server. What a program says on standard error must not reach the screen."""
        if self._server.url is not None:
            from mcp.client.streamable_http import streamable_http_client
            from mcp.shared._httpx_utils import create_mcp_http_client

            variable = self._server.api_key_env
            key = os.environ.get(variable, "").strip() if variable else ""
            if variable and not key:
                raise CallFailedError(f"The environment variable {variable} with its key is not set.")
            headers = {"Authorization": f"Bearer {key}"} if key else None
            http = await stack.enter_async_context(create_mcp_http_client(headers=headers))
            return streamable_http_client(self._server.url, http_client=http)
        from mcp import StdioServerParameters
        from mcp.client.stdio import stdio_client

        parameters = StdioServerParameters(
            command=self._server.command or "", args=[*self._server.args], env=_environment(self._server)
        )
        return stdio_client(parameters, errlog=said)  # type: ignore[arg-type]  # any file will do


def _environment(server: McpServer) -> dict[str, str]:
    """The variables that the user gives to a server, those with `$` taken from our own."""
    variables: dict[str, str] = {}
    for name, value in server.env.items():
        if not value.startswith("$"):
            variables[name] = value
        elif (found := os.environ.get(value[1:])) is not None:
            variables[name] = found
        else:
            raise CallFailedError(f"The environment variable {value[1:]} is not set.")
    return variables


async def _tools(client: "Client", server: McpServer) -> dict[str, tuple[str, Function]]:
    tools: dict[str, tuple[str, Function]] = {}
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            function = _function(tool, server)
            tools.setdefault(function.definition["name"], (tool.name, function))
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools


def _function(tool: "Tool", server: McpServer) -> Function:
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", f"{server.name}{SEPARATOR}{tool.name}")[:_MAX_NAME]
    definition: FunctionDefinition = {
        "name": name,
        "description": (tool.description or tool.title or "")[:1024],
        "parameters": dict(tool.input_schema),
    }
    identity = json.dumps([definition, server.command, server.args, server.url], sort_keys=True)
    fingerprint = hashlib.sha256(identity.encode()).hexdigest()
    return Function(definition, f"MCP server {server.name}", fingerprint)


def _text(result: "CallToolResult") -> str:
    parts: list[str] = []
    for block in result.content:
        if block.type == "text":
            parts.append(block.text)
        elif block.type == "resource" and isinstance(text := getattr(block.resource, "text", None), str):
            parts.append(text)
        else:
            parts.append(f"[{block.type.replace('_', ' ')}, which cannot be passed on]")
    if not parts and result.structured_content is not None:
        parts.append(json.dumps(result.structured_content, ensure_ascii=False))
    return "\n".join(parts)


def _words(error: BaseException, said: str = "") -> str:
    """What an exception says, of a group the first; `said` is what the program said last."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"The program {error.filename or ''} is not there.".replace("  ", " ")
    words = str(getattr(getattr(error, "error", None), "message", "") or error).strip()
    sentence = (words or type(error).__name__).rstrip(".") + "."
    return f"{sentence} It said: {said}" if said else sentence


def _last_line(file: IO[str]) -> str:
    file.seek(0)
    lines = file.read(100_000).splitlines()
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
