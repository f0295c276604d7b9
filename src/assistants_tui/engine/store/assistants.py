"""Assistants: a model with instructions, tools and files."""

from typing import Any, cast

from sqlalchemy import ColumnElement, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import crud, ids
from assistants_tui.engine.store.crud import Page, PageRequest
from assistants_tui.engine.store.schema import assistants as table
from assistants_tui.protocol.objects import Assistant, Json

_FIELDS = (
    "name",
    "description",
    "model",
    "instructions",
    "tools",
    "tool_resources",
    "metadata",
    "temperature",
    "top_p",
    "response_format",
    "reasoning_effort",
)

_LONG = (table.c.instructions, table.c.tools, table.c.response_format)


class StoredAssistant(Assistant):
    """An assistant with what the hosted service sends beyond its reference."""

    reasoning_effort: str | None


def to_wire(row: Row[Any]) -> StoredAssistant:
    """The object. The service shows the files of the code interpreter as soon as that tool is on."""
    assistant = crud.columns_of(row, "assistant", *_FIELDS)
    if {"type": "code_interpreter"} in assistant["tools"]:
        assistant["tool_resources"] = {"code_interpreter": {"file_ids": []}} | assistant["tool_resources"]
    return cast(StoredAssistant, assistant)


def _is(owner: str, assistant_id: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.id == assistant_id, table.c.owner == owner


async def create(connection: AsyncConnection, owner: str, created_at: int, values: Json) -> StoredAssistant:
    """Store an assistant whose fields have been checked and completed with their defaults."""
    row = {"id": ids.new("assistant"), "owner": owner, "created_at": created_at} | values
    return to_wire(await crud.add(connection, table, row))


async def get(connection: AsyncConnection, owner: str, assistant_id: str) -> StoredAssistant | None:
    row = await crud.one(connection, table, *_is(owner, assistant_id))
    return None if row is None else to_wire(row)


async def page(connection: AsyncConnection, owner: str, request: PageRequest) -> Page[StoredAssistant]:
    return await crud.page(connection, table, to_wire, request, table.c.owner == owner, long=_LONG)


async def change(
    connection: AsyncConnection, owner: str, assistant_id: str, values: Json
) -> StoredAssistant | None:
    """Replace the given fields and return the assistant, or None if there is none."""
    return await crud.change(connection, table, to_wire, values, *_is(owner, assistant_id))


async def remove(connection: AsyncConnection, owner: str, assistant_id: str) -> bool:
    """Delete it. Runs and messages that name it stay."""
    return await crud.remove(connection, table, *_is(owner, assistant_id))
