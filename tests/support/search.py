"""Vector stores for tests of file search: rows as the endpoints write them, bytes on the disk."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assistants_tui.engine.search.chunking import Chunking
from assistants_tui.engine.search.errors import IngestError
from assistants_tui.engine.search.results import Hit, Ingested
from assistants_tui.engine.search.search import FileSearch
from assistants_tui.engine.store import files, vector_store_files, vector_stores
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.vector_store_files import NewFile
from assistants_tui.protocol.objects import ErrorInfo

OWNER = "me"
NOW = 1_763_600_000


class Library:
    """A vector store (more can be made) and a file search on its store."""

    def __init__(self, data_dir: Path, database: Database, **options: Any) -> None:
        self.data_dir = data_dir
        self.database = database
        self.options = options
        self.store = ""
        self.search = FileSearch(data_dir, database, **options)

    async def open(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)  # the endpoints write files there before any search
        self.search.start()
        self.store = self.store or await self.new_store()

    async def close(self) -> None:
        await self.search.close()

    async def reopen(self, **options: Any) -> None:
        """As after a restart of the engine."""
        await self.close()
        self.search = FileSearch(self.data_dir, self.database, **(self.options | options))
        await self.open()

    async def new_store(self) -> str:
        async with self.database.write() as connection:
            values = {"name": "shelf", "metadata": {}}
            store = await vector_stores.create(connection, OWNER, NOW, values)
        return str(store["id"])

    async def attach(
        self,
        filename: str,
        data: bytes | str,
        *,
        store: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> str:
        """Upload a file and put it into a store. Returns its ID."""
        data = data.encode() if isinstance(data, str) else data
        async with self.database.write() as connection:
            values = {"bytes": len(data), "filename": filename, "purpose": "assistants", "blob": "none"}
            file = await files.create(connection, OWNER, NOW, values)
            new = NewFile(file["id"], dict(attributes or {}), {"type": "auto"})
            await vector_store_files.attach(connection, OWNER, store or self.store, NOW, [new])
        self.path(file["id"]).write_bytes(data)
        return str(file["id"])

    def path(self, file_id: str) -> Path:
        """Where the bytes of a file are."""
        return self.data_dir / file_id

    async def ingest(
        self, file_id: str, *, store: str | None = None, chunking: Chunking | None = None
    ) -> Ingested:
        """What the engine does with a file that was attached: read it, and note how that ended."""
        store = store or self.store
        async with self.database.read() as connection:
            waiting = await vector_store_files.waiting(connection)
            file = await files.get(connection, OWNER, file_id, NOW)
        assert file is not None
        (row,) = [row for row in waiting if (row.file_id, row.vector_store_id) == (file_id, store)]
        try:
            done = await self.search.ingest(
                store, file_id, self.path(file_id), file["filename"], chunking or Chunking()
            )
        except IngestError as error:
            async with self.database.write() as connection:
                last_error = ErrorInfo(code=error.code, message=error.sentence)
                await vector_store_files.settle(connection, row, "failed", last_error=last_error)
            raise
        async with self.database.write() as connection:
            await vector_store_files.settle(connection, row, "completed", usage_bytes=done.usage_bytes)
        return done

    async def add(
        self,
        filename: str,
        data: bytes | str,
        *,
        store: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        chunking: Chunking | None = None,
    ) -> str:
        """Attach a file and read it."""
        file_id = await self.attach(filename, data, store=store, attributes=attributes)
        await self.ingest(file_id, store=store, chunking=chunking)
        return file_id

    async def detach(self, file_id: str) -> None:
        """What the endpoint does: it removes the row and tells nobody."""
        async with self.database.write() as connection:
            assert await vector_store_files.detach(connection, OWNER, self.store, file_id)

    async def find(self, query: str, *, stores: Sequence[str] | None = None, **options: Any) -> list[Hit]:
        return await self.search.search(stores or [self.store], [query], **options)

    async def found(self, query: str, **options: Any) -> list[str]:
        """The names of the files found, best first."""
        return list(dict.fromkeys(hit.filename for hit in await self.find(query, **options)))
