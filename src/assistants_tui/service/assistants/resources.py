"""Giving an assistant or a thread what it may use: vector stores and functions.

The API takes tools and resources as a whole, so what is there already is sent along.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from assistants_tui.protocol.objects import Assistant, FunctionDefinition, Json, Thread, Tool

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


def store_of(holder: Mapping[str, Any]) -> str | None:
    """The vector store of an assistant or a thread; the API allows one."""
    search = (holder.get("tool_resources") or {}).get("file_search") or {}
    return next(iter(search.get("vector_store_ids") or ()), None)


async def give_store_to_assistant(backend: "Backend", assistant: Assistant, store_id: str) -> Assistant:
    """Let an assistant search a store, instead of the one that it had. Raises `ServiceError`."""
    tools = list(assistant.get("tools") or ())
    if not any(tool["type"] == "file_search" for tool in tools):
        tools.append({"type": "file_search"})
    fields = {"tools": tools, "tool_resources": _with_store(dict(assistant), store_id)}
    return await backend.assistants.update(assistant, fields)


async def give_store_to_thread(backend: "Backend", thread_id: str, store_id: str) -> Thread:
    """Let the assistants that answer in a thread search a store, instead of the one that it had.

    Raises `ServiceError`.
    """
    thread = await backend.threads.retrieve(thread_id)
    return await backend.threads.update(thread_id, {"tool_resources": _with_store(dict(thread), store_id)})


def function_names(assistant: Assistant) -> set[str]:
    """The functions that an assistant may call."""
    return {
        function["name"]
        for tool in assistant.get("tools") or ()
        if (function := tool.get("function")) is not None
    }


async def give_functions(
    backend: "Backend", assistant: Assistant, definitions: Iterable[FunctionDefinition]
) -> Assistant:
    """Let an assistant call functions; a definition of the same name is replaced. Raises `ServiceError`."""
    new = {definition["name"]: definition for definition in definitions}
    tools = [tool for tool in assistant.get("tools") or () if _name(tool) not in new]
    tools += [Tool(type="function", function=definition) for definition in new.values()]
    return await backend.assistants.update(assistant, {"tools": tools})


async def take_function(backend: "Backend", assistant: Assistant, name: str) -> Assistant:
    """Let an assistant not call a function any more. Raises `ServiceError`."""
    tools = [tool for tool in assistant.get("tools") or () if _name(tool) != name]
    return await backend.assistants.update(assistant, {"tools": tools})


def _with_store(holder: Json, store_id: str) -> Json:
    resources: Json = copy.deepcopy(holder.get("tool_resources") or {})
    resources["file_search"] = {"vector_store_ids": [store_id]}
    return resources


def _name(tool: Tool) -> str | None:
    function = tool.get("function")
    return function["name"] if function is not None else None
