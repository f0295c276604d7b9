"""SQLite's driver with one trip to its thread per statement.

SQLite blocks, so aiosqlite gives each connection a thread and sends every call there. A statement is four
calls (make a cursor, execute, fetch, close), and the trips cost far more than the statement. These cursors
make one trip of the four, as long as the result is short; the BEGIN of a transaction travels with its first
statement, and what would commit or undo nothing does not travel at all.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

_FIRST_ROWS = 32  # longer results are fetched when they are asked for, in further trips

Rows = list[Any]


class _Cursor:
    """What SQLAlchemy uses of `aiosqlite.Cursor`."""

    def __init__(self, connection: "BatchedConnection") -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._rows: Rows = []
        self._has_more = False
        self.arraysize = _FIRST_ROWS

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._cursor.description if self._cursor is not None else None

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount if self._cursor is not None else -1

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid if self._cursor is not None else None

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        if sql.startswith("BEGIN"):
            self._connection.begin = sql
            return self

        def run(connection: sqlite3.Connection) -> None:
            self._cursor = connection.execute(sql, parameters)
            self._rows = self._cursor.fetchmany(_FIRST_ROWS) if self._cursor.description else []
            self._has_more = len(self._rows) == _FIRST_ROWS

        await self._connection.trip(run)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        def run(connection: sqlite3.Connection) -> None:
            self._cursor = connection.executemany(sql, parameters)

        await self._connection.trip(run)
        return self

    async def fetchall(self) -> Rows:
        rows, self._rows = self._rows, []
        return rows + await self._fetch(-1)

    async def fetchmany(self, size: int | None = None) -> Rows:
        size = size or self.arraysize
        if not self._rows:
            return await self._fetch(size)
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def close(self) -> None:
        if self._has_more and self._cursor is not None:
            self._has_more = False
            cursor = self._cursor
            await self._connection.trip(lambda _: cursor.close())

    async def _fetch(self, size: int) -> Rows:
        """The rows after those of the first trip: all of them for -1."""
        if not self._has_more or self._cursor is None:
            return []
        cursor = self._cursor
        rows: Rows = await self._connection.trip(
            lambda _: cursor.fetchall() if size < 0 else cursor.fetchmany(size)
        )
        self._has_more = 0 <= size == len(rows)
        return rows


class BatchedConnection(aiosqlite.Connection):
    """A connection whose cursors make one trip."""

    begin: str | None = None
    """The statement that opens the next transaction, as long as nothing else has been asked."""

    def cursor(self) -> Any:
        return _Cursor(self)

    async def trip(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do work on the connection in its thread."""
        begin, self.begin = self.begin, None

        def run() -> Any:
            if begin is not None:
                self._conn.execute(begin)
            return work(self._conn)

        execute: Any = self._execute
        return await execute(run)

    async def commit(self) -> None:
        self.begin = None
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        self.begin = None
        if self.in_transaction:
            await super().rollback()


async def connect(path: Path, busy_seconds: float) -> BatchedConnection:
    """Open a database file. Transactions are left to whoever uses the connection."""
    connection = BatchedConnection(
        lambda: sqlite3.connect(path, isolation_level=None, timeout=busy_seconds), iter_chunk_size=_FIRST_ROWS
    )
    connection._thread.daemon = True  # it must not keep a process from ending
    await connection
    return connection
