"""What all object tables have in common: reading rows as wire objects, and lists in pages."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import ColumnElement, Row, Table, Text, cast, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from assistants_tui.protocol.objects import Json

MOST_CHARACTERS = 4_000_000
"""Of the long texts of one page. The longest message alone may have more."""

Item = TypeVar("Item")
ToWire = Callable[[Row[Any]], Item]


@dataclass(frozen=True)
class PageRequest:
    """Which part of a list is wanted, as in the list endpoints of the API.

    Objects are ordered by creation, that is by `seq`: a clock that is set back changes no order. `after` is
    an ID: only what follows it in that order, itself excluded. `before`: what precedes it; the page ends just
    before it.
    """

    limit: int = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list, in the order asked for. `has_more`: there is more in the direction walked.

    `characters`: how many the columns have that may be long.
    """

    data: list[Item]
    has_more: bool
    characters: int = 0


class UnknownCursorError(Exception):
    """`after` or `before` names no object of the list."""

    def __init__(self, parameter: Literal["after", "before"], cursor: str) -> None:
        super().__init__(f"{parameter}={cursor}")
        self.parameter = parameter
        self.cursor = cursor


def columns_of(row: Row[Any], kind: str, *names: str) -> Json:
    """The wire object of a row: its kind and the named columns, after those that every object begins with."""
    values = row._mapping
    return {"id": values["id"], "object": kind, "created_at": values["created_at"]} | {
        name: values[name] for name in names
    }


async def add(connection: AsyncConnection, table: Table, values: Json) -> Row[Any]:
    """Insert one row and return it."""
    row: Row[Any] = (await connection.execute(_inserting(table), values)).one()
    return row


@cache
def _inserting(table: Table) -> ReturningInsert[Any]:
    """Built once: making a statement costs more than running it. The values travel beside it."""
    return insert(table).returning(table)


async def one(
    connection: AsyncConnection, table: Table, *where: ColumnElement[bool], lock: bool = False
) -> Row[Any] | None:
    """The row that fulfils the conditions, which have to identify it.

    With `lock`, other transactions that want to change it wait for the end of this one. It makes a difference
    only on databases with several writers at a time, which SQLite is not.
    """
    statement = select(table).where(*where)
    return (await connection.execute(statement.with_for_update() if lock else statement)).one_or_none()


async def change(
    connection: AsyncConnection,
    table: Table,
    to_wire: ToWire[Item],
    values: Json,
    *where: ColumnElement[bool],
) -> Item | None:
    """Set the values on the row that fulfils the conditions and return its object, None if there is none."""
    if not values:
        row = await one(connection, table, *where)
    else:
        statement = update(table).where(*where).returning(table)
        row = (await connection.execute(statement, values)).one_or_none()
    return None if row is None else to_wire(row)


async def remove(connection: AsyncConnection, table: Table, *where: ColumnElement[bool]) -> bool:
    """Delete the rows that fulfil the conditions. True if there were any."""
    return (await connection.execute(delete(table).where(*where))).rowcount > 0


async def page(
    connection: AsyncConnection,
    table: Table,
    to_wire: ToWire[Item],
    request: PageRequest,
    *where: ColumnElement[bool],
    long: Sequence[ColumnElement[Any]] = (),
) -> Page[Item]:
    """One page of the rows that fulfil the conditions. Raises `UnknownCursorError`.

    With `long`, columns that may hold long texts, it ends before these have more than `MOST_CHARACTERS`, but
    never before its first row.
    """
    # "before" alone walks towards the start of the list: from the cursor backwards, then turned round.
    backwards = request.before is not None and request.after is None
    ascending = (request.order == "asc") != backwards
    bounds = []
    if request.after is not None:
        seq = await _position(connection, table, "after", request.after, where)
        bounds.append(table.c.seq > seq if request.order == "asc" else table.c.seq < seq)
    if request.before is not None:
        seq = await _position(connection, table, "before", request.before, where)
        bounds.append(table.c.seq < seq if request.order == "asc" else table.c.seq > seq)
    statement = (
        select(table)
        .where(*where, *bounds)
        .order_by(table.c.seq.asc() if ascending else table.c.seq.desc())
        .limit(request.limit + 1)
    )
    count, total, characters = request.limit, None, 0
    if long:
        sizes = (await connection.execute(statement.with_only_columns(_length(long)))).scalars().all()
        total = len(sizes)
        count, characters = _that_fit(sizes[: request.limit])
    rows = (await connection.execute(statement.limit(count + 1 if total is None else count))).all()
    data = [to_wire(row) for row in rows[:count]]
    has_more = (len(rows) if total is None else total) > count
    return Page(data[::-1] if backwards else data, has_more, characters)


def _length(columns: Sequence[ColumnElement[Any]]) -> ColumnElement[int]:
    """The characters of a row's columns."""
    lengths = [func.coalesce(func.length(cast(column, Text)), 0) for column in columns]
    return reduce(operator.add, lengths)


def _that_fit(sizes: Sequence[int]) -> tuple[int, int]:
    """How many rows of such sizes make a page, and the size of that."""
    characters = 0
    for count, size in enumerate(sizes):
        if count and characters + size > MOST_CHARACTERS:
            return count, characters
        characters += size
    return len(sizes), characters


async def _position(
    connection: AsyncConnection,
    table: Table,
    parameter: Literal["after", "before"],
    cursor: str,
    where: tuple[ColumnElement[bool], ...],
) -> int:
    seq = (await connection.execute(select(table.c.seq).where(table.c.id == cursor, *where))).scalar()
    if seq is None:
        raise UnknownCursorError(parameter, cursor)
    return int(seq)
