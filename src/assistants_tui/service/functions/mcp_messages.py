"""Messages of MCP servers that keep to the protocol less than the `mcp` package demands.

The package refuses a whole list for one tool without a schema, and a whole result for one part that it does
not know. Here the part is left out, and the rest is used.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any

_MAX_ENTRIES = 1_000  # of one list of tools, and of one result
Report = Callable[[str], None]
"""Told of a tool that was left out, as a sentence."""


@asynccontextmanager
async def tolerant(transport: AbstractAsyncContextManager[Any], report: Report) -> AsyncIterator[Any]:
    """The streams of a transport of the `mcp` package, with what arrives mended."""
    async with transport as (arriving, *others):
        yield (_Mended(arriving, report), *others)


class _Mended:
    """A stream of messages; all but the messages is that of the other stream."""

    def __init__(self, stream: Any, report: Report) -> None:
        self._stream = stream
        self._report = report

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def __aenter__(self) -> "_Mended":
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._stream.__aexit__(*error)

    def __aiter__(self) -> "_Mended":
        return self

    async def __anext__(self) -> Any:
        return self._mend(await self._stream.__anext__())

    async def receive(self) -> Any:
        return self._mend(await self._stream.receive())

    def _mend(self, arrived: Any) -> Any:
        if isinstance(arrived, Exception):
            return _read_again(arrived)
        result = getattr(arrived.message, "result", None)
        if isinstance(result, dict):
            if isinstance(tools := result.get("tools"), list):
                result["tools"] = [tool for tool in tools[:_MAX_ENTRIES] if self._is_tool(tool)]
                if (more := len(tools) - _MAX_ENTRIES) > 0:
                    self._report(f"{more:,} of its tools cannot be used: it has too many")
            if isinstance(content := result.get("content"), list):
                result["content"] = [_readable(part) for part in content[:_MAX_ENTRIES]]
                if (more := len(content) - _MAX_ENTRIES) > 0:
                    result["content"].append({"type": "text", "text": f"[{more:,} more parts were left out]"})
        return arrived

    def _is_tool(self, tool: object) -> bool:
        from mcp.types import Tool

        if not (wrong := _mistake(Tool, tool)):
            return True
        name = tool.get("name") if isinstance(tool, dict) else None
        self._report(
            f"its tool {name if isinstance(name, str) else '(without a name)'} cannot be used: {wrong}"
        )
        return False


@cache
def _parts() -> Any:
    """What checks the parts of results. Making it takes milliseconds, and a result may have many parts."""
    from mcp.types import ContentBlock
    from pydantic import TypeAdapter

    return TypeAdapter(ContentBlock)


def _readable(part: object) -> object:
    if not (wrong := _mistake(_parts(), part)):
        return part
    return {"type": "text", "text": f"[A part of the result cannot be read: {wrong}]"}


def _mistake(shape: Any, value: object) -> str:
    """What is wrong with a value; empty if nothing is."""
    from pydantic import ValidationError

    try:
        (getattr(shape, "model_validate", None) or shape.validate_python)(value, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {first['msg']}." if place else f"{first['msg']}."
    return ""


def _read_again(error: Exception) -> Any:
    """The message in a line with halves of characters, which the package does not take; else the error."""
    from mcp.shared.message import SessionMessage
    from mcp.types import jsonrpc_message_adapter
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return error
    try:
        found = json.loads(error.errors(include_url=False)[0]["input"])
        whole = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
        return SessionMessage(jsonrpc_message_adapter.validate_python(whole, by_name=False))
    except (ValueError, TypeError, RecursionError):  # no message at all: servers print all sorts of things
        return error
