"""The part of file search that needs an embedding model."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Collection, Sequence
from pathlib import Path

from assistants_tui.engine.models.embedding_client import Embedder, EmbeddingError
from assistants_tui.engine.search import vector_table
from assistants_tui.engine.search.analysis import normal
from assistants_tui.engine.search.vector_indexer import VectorIndexer
from assistants_tui.engine.search.vector_table import Comparison, VectorTable
from assistants_tui.engine.store.database import Database

_QUERY_SECONDS = 10.0  # a search does not wait longer for the vector of its query
_REMEMBERED = 256  # vectors of queries

_logger = logging.getLogger(__name__)


class SemanticSearch:
    """Compares queries with chunks by their vectors, and sees to it that chunks have some."""

    def __init__(self, database: Database, embedder: Embedder, lock: Path | None = None) -> None:
        self.model = embedder.model
        self.vectors = VectorTable(database, embedder.model)
        self._database = database
        self._embedder = embedder
        self._indexer = VectorIndexer(database, embedder, self.vectors, lock)
        self._queries: OrderedDict[str, list[float]] = OrderedDict()

    @property
    def fault(self) -> str | None:
        """Why chunks get no vectors now, for the user; None as long as they do."""
        return self._indexer.fault

    def start(self) -> None:
        """Begin to work in the background."""
        self._indexer.start()

    async def close(self) -> None:
        await self._indexer.close()

    async def wait_for(self, document: int) -> int:
        """Until a new document has its vectors, if it can have them now: how many bytes they are."""
        await self._indexer.wait_for(document)
        async with self._database.read() as connection:
            return await vector_table.usage_bytes(connection, document)

    async def compare(
        self, queries: Sequence[str], store_ids: Collection[str]
    ) -> Sequence[Comparison | None]:
        """Each query compared with all chunks; None where the model gives no vector now."""
        known = {query: self._queries[query] for query in queries if query in self._queries}
        unknown = [query for query in dict.fromkeys(queries) if query not in known]
        try:
            if unknown:
                async with asyncio.timeout(_QUERY_SECONDS):
                    found = await self._embedder.embed([normal(query) for query in unknown])
                known.update(zip(unknown, found, strict=True))
        except (EmbeddingError, TimeoutError) as error:
            _logger.warning("searching by words alone: %s", error or "the embedding endpoint is slow")
            return [None] * len(queries)
        self._remember(known)
        return [await self.vectors.compare(store_ids, known[query]) for query in queries]

    def _remember(self, known: dict[str, list[float]]) -> None:
        """Keep the vectors of the queries that were asked last."""
        self._queries.update(known)
        for query in known:
            self._queries.move_to_end(query)
        while len(self._queries) > _REMEMBERED:
            self._queries.popitem(last=False)
