"""Which API keys were used when. The store knows them by their digest only."""

from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store.schema import api_keys as table


@dataclass(frozen=True)
class KeyUse:
    """A key by its digest, whose it is, and when it was first and last used, in Unix seconds."""

    digest: str
    owner: str
    first_used_at: int
    last_used_at: int


async def record_use(connection: AsyncConnection, digest: str, owner: str, now: int) -> None:
    known = update(table).where(table.c.digest == digest).values(owner=owner, last_used_at=now)
    if (await connection.execute(known)).rowcount == 0:
        first = {"digest": digest, "owner": owner, "first_used_at": now, "last_used_at": now}
        await connection.execute(insert(table).values(first))


async def uses(connection: AsyncConnection) -> list[KeyUse]:
    """All keys that were ever used, the latest first."""
    rows = await connection.execute(select(table).order_by(table.c.last_used_at.desc(), table.c.digest))
    return [KeyUse(**row._mapping) for row in rows]
