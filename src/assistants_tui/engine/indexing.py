"""The seam between vector stores, as objects of the API, and what makes their files searchable."""

from typing import Protocol

from assistants_tui.engine.store import vector_store_files
from assistants_tui.engine.store.database import Database


class FileIndex(Protocol):
    """Whoever takes care of the files in vector stores."""

    async def attached(self) -> None:
        """Files were attached, and that is committed: `vector_store_files.waiting` names them.

        Returns soon; the work itself goes on in the background and ends with `vector_store_files.settle`.
        """


class NoIndex:
    """Accepts every file whose type could be searched, and searches none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def attached(self) -> None:
        async with self._database.write() as connection:
            for file in await vector_store_files.waiting(connection):
                await vector_store_files.settle(connection, file, "completed", usage_bytes=file.bytes)
