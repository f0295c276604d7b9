"""Bringing a store of an older version of this program up to date.

A new store is made from `schema.py` in one go; one that exists takes the steps it has not taken yet. Both end
at the same tables. Steps are never changed once released, only added at the end.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, inspect, select, update

from assistants_tui.engine.store import schema
from assistants_tui.protocol.names import DEFAULT_MODEL, OFFLINE_TUTOR

Migration = Callable[[Connection], None]


def _show_what_the_service_shows(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN tool_resources JSON DEFAULT '{}' NOT NULL")
    connection.exec_driver_sql("ALTER TABLE run_steps ADD COLUMN expires_at BIGINT")


def _order_by_insertion(connection: Connection) -> None:
    for table, column in (
        ("assistants", "owner"),
        ("threads", "owner"),
        ("messages", "thread_id"),
        ("runs", "thread_id"),
        ("run_steps", "run_id"),
        ("files", "owner"),
        ("vector_stores", "owner"),
        ("vector_store_files", "vector_store_id"),
    ):
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS ix_{table}_{column}_created_at_seq")
        connection.exec_driver_sql(f"CREATE INDEX ix_{table}_{column}_seq ON {table} ({column}, seq)")


def _note_what_was_not_read(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE documents ADD COLUMN refused_chunks INTEGER DEFAULT '0' NOT NULL")
    connection.exec_driver_sql("ALTER TABLE documents ADD COLUMN refusal TEXT")
    connection.exec_driver_sql("ALTER TABLE documents ADD COLUMN note TEXT")


def _let_starters_follow_the_default_model(connection: Connection) -> None:
    # Until now they were made with the model of that day. Whoever has changed more than that has chosen.
    for name, sign in (
        ("Weather Bot", "You are a weather bot. Use the provided functions%"),
        ("HR Helper", "You are an HR helper. Answer questions from the documents%"),
        ("Data Visualizer", "You are great at creating clear data visualizations.%"),
        ("Math Tutor", "You are a personal math tutor. When asked a math question%"),
    ):
        assistants = schema.assistants
        starter = assistants.c.name == name, assistants.c.instructions.like(sign)
        connection.execute(
            update(assistants)
            .where(*starter, assistants.c.model == OFFLINE_TUTOR)
            .values(model=DEFAULT_MODEL)
        )


MIGRATIONS: tuple[Migration, ...] = (
    _show_what_the_service_shows,
    _order_by_insertion,
    _note_what_was_not_read,
    _let_starters_follow_the_default_model,
)
"""Step `n` (counted from 0) turns a store of version `n + 1` into one of version `n + 2`."""


class StoreTooNewError(Exception):
    """The store was written by a newer version of this program, which an older one must not touch."""


def migrate(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> bool:
    """Make or update the tables, inside the caller's transaction. True if the store is new."""
    newest = len(migrations) + 1
    if not inspect(connection).has_table(schema.schema_version.name):
        schema.metadata.create_all(connection)
        connection.execute(insert(schema.schema_version).values(version=newest))
        return True
    version = connection.execute(select(schema.schema_version.c.version)).scalar_one()
    if version > newest:
        raise StoreTooNewError(
            f"This store has version {version}, but this program knows versions up to {newest}. "
            "Update the program, or choose another data directory."
        )
    for step in migrations[version - 1 :]:
        step(connection)
    connection.execute(update(schema.schema_version).values(version=newest))
    return False
