"""The open database: connections, transactions and their settings."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from assistants_tui.engine.store import batched_sqlite, migrations

FILE_NAME = "engine.sqlite3"
_BUSY_SECONDS = 30  # how long to wait for another process that writes to the same file

Seed = Callable[[AsyncConnection], Awaitable[None]]


class Database:
    """A store that is open. Read through `read()`, change through `write()`, and `close()` it in the end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer at a time. Waiting for it here is fair and free; waiting inside SQLite polls.
        self._turn: Any = asyncio.Lock() if sqlite else nullcontext()
        self._writer = engine.execution_options(immediate=True)

    @classmethod
    async def open(cls, data_dir: Path, url: str | None = None, *, seed: Seed | None = None) -> "Database":
        """Open the store, make it if it is not there, bring it up to date if it is old.

        `url` is any SQLAlchemy URL of an asynchronous driver; without it the store is an SQLite file in
        `data_dir`. `seed` fills a new store, in the transaction that makes it. Raises
        `migrations.StoreTooNewError`, and SQLAlchemy's errors if the database cannot be opened.
        """
        engine = (
            _sqlite(data_dir)
            if url is None
            else create_async_engine(url, json_serializer=_dump, hide_parameters=True)
        )
        database = cls(engine)
        try:
            async with database.write() as connection:
                if await connection.run_sync(migrations.migrate) and seed is not None:
                    await seed(connection)
        except BaseException:
            await database.close()
            raise
        return database

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state and is not meant for changes."""
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction of its own, committed at the end, undone by an exception.

        What it reads cannot change under it: on SQLite it is the only writer from its start. So a rule may
        be checked and acted upon inside. Keep it short, and never nest two.
        """
        async with self._turn, self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        await self._engine.dispose()


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _sqlite(data_dir: Path) -> AsyncEngine:
    for directory in (*reversed(data_dir.parents), data_dir):  # those that are made are the user's alone
        if not directory.is_dir():
            directory.mkdir(mode=0o700, exist_ok=True)
    path = data_dir / FILE_NAME
    path.touch(mode=0o600)  # SQLite gives its side files the mode of this one
    path.chmod(0o600)
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        json_serializer=_dump,
        hide_parameters=True,  # errors are logged, and what users wrote is not for the log
        pool_size=8,
        # No transactions by the driver's own rules: SQLAlchemy's begin event opens them, below.
        async_creator=lambda: batched_sqlite.connect(path, _BUSY_SECONDS),
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # In WAL mode readers never wait for the writer, and what was committed survives a killed process.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later may find itself locked out: writers say so at once.
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
