"""Mentions of files and vector stores in what assistants and threads give to their tools."""

from sqlalchemy import Table, Text, cast, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store.schema import assistants, threads
from assistants_tui.protocol.objects import Json


async def remove_references(connection: AsyncConnection, owner: str, object_id: str) -> None:
    """Take a file or vector store that is deleted off the lists of all assistants and threads."""
    for holders in (assistants, threads):
        await _remove(connection, holders, owner, object_id)


async def _remove(connection: AsyncConnection, holders: Table, owner: str, object_id: str) -> None:
    mentions = cast(holders.c.tool_resources, Text).contains(object_id, autoescape=True)
    found = select(holders.c.seq, holders.c.tool_resources).where(holders.c.owner == owner, mentions)
    for row in (await connection.execute(found)).all():
        kept: Json = {
            tool: {name: [other for other in listed if other != object_id] for name, listed in lists.items()}
            for tool, lists in row.tool_resources.items()
        }
        await connection.execute(update(holders).where(holders.c.seq == row.seq).values(tool_resources=kept))
