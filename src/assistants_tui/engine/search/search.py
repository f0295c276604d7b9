"""File search, as the rest of the engine sees it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from assistants_tui.engine.search import candidates, chunk_repository, filters, tokens
from assistants_tui.engine.search.chunk_repository import StoredChunk
from assistants_tui.engine.search.chunking import Chunk, Chunking
from assistants_tui.engine.search.errors import IngestError
from assistants_tui.engine.search.ranking import Meaning, Query, Span, without_repetition
from assistants_tui.engine.search.results import (
    FileNote,
    Hit,
    Ingested,
    Progress,
    Ranking,
    StoreProgress,
)
from assistants_tui.engine.search.word_index import Found, WordIndex
from assistants_tui.engine.search.word_indexer import IndexingError, WordIndexer
from assistants_tui.engine.search.workers.readers import ReaderLimits, Readers
from assistants_tui.engine.store.database import Database

if TYPE_CHECKING:
    from assistants_tui.engine.models.embedding_client import Embedder
    from assistants_tui.engine.search.semantic_search import SemanticSearch
    from assistants_tui.engine.search.vector_table import Comparison, Near

_DEPTH = 300  # chunks that the word index names
_CANDIDATES = 50  # of them that are looked at closely, at least
_CANDIDATES_EACH = 2  # and for each hit that is wanted
_FRESH_SECONDS = 5.0  # how long a search waits for files that were just read
_OTHER_ENGINE_SECONDS = 300.0

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Scope:
    """Where a search looks and how."""

    store_ids: Collection[str]
    condition: Mapping[str, Any] | None
    """A filter on the attributes of files."""
    wanted: int
    rerank: bool
    documents: set[int] | None = None
    """All that meet the filter, once they have to be known."""


class FileSearch:
    """Takes in the files of vector stores and finds what is in them.

    The files must be in the store's `vector_store_files`: a document belongs to such a row and goes with it.
    Files are found while that row's status is `completed`. Attributes are read from there, too.
    """

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        embedder: Embedder | None = None,
        *,
        reader_limits: ReaderLimits | None = None,
    ) -> None:
        self._database = database
        self._meanings = (
            None if embedder is None else _meanings(database, embedder, data_dir / "vectors.lock")
        )
        self._readers = Readers(reader_limits)
        self._index = WordIndex(data_dir / "word-index")
        self._indexer = WordIndexer(database, self._index)
        self._reading = 0

    @property
    def embedding_model(self) -> str | None:
        """The model by which meaning is compared; None if searches go by words alone."""
        return None if self._meanings is None else self._meanings.model

    def start(self) -> None:
        """Begin the work in the background, with what a stopped engine left undone."""
        self._indexer.start()
        if self._meanings is not None:
            self._meanings.start()

    async def close(self) -> None:
        """End all work. What is not done is done after the next start. The embedder stays open."""
        if self._meanings is not None:
            await self._meanings.close()
        await self._indexer.close()
        await self._readers.close()

    async def ingest(
        self,
        store_id: str,
        file_id: str,
        path: Path,
        filename: str,
        chunking: Chunking,
        *,
        attachment: int | None = None,
    ) -> Ingested:
        """Read a file of a vector store, so that it can be searched. `path` is where its bytes are.

        May be repeated at any time, after a kill as well: what is done is done once. `attachment` is the
        number of its row, for those who do not mean it if it was attached anew. Raises `IngestError`.
        """
        async with self._database.read() as connection:
            document = await chunk_repository.find(connection, store_id, file_id)
        if document is None or attachment not in (None, document.seq):
            raise _detached()
        if document.complete:
            return await self._with_vectors(document.seq, document.usage_bytes, document.chunk_count)
        self._reading += 1
        try:
            done = await self._read(document.seq, path, filename, chunking)
        except IntegrityError:
            return await self._read_elsewhere(store_id, file_id, document.seq)
        finally:
            self._reading -= 1
        self._indexer.wake()
        return await self._with_vectors(document.seq, done.usage_bytes, done.chunk_count)

    async def search(
        self,
        store_ids: Collection[str],
        queries: Sequence[str],
        *,
        max_results: int = 10,
        ranking: Ranking | None = None,
        filters: Mapping[str, Any] | None = None,
        token_budget: int | None = None,
    ) -> list[Hit]:
        """The chunks of the stores that answer any of the queries best, best first.

        `filters` is a filter of the API on the attributes of files. With a token budget (counted roughly),
        hits that do not fit any more are left out. Raises `ValueError` if the filter is none.
        """
        ranking = ranking or Ranking()
        await self._freshen(store_ids)
        scope = _Scope(store_ids, filters, max(_CANDIDATES, _CANDIDATES_EACH * max_results), ranking.rerank)
        best: dict[int, tuple[float, StoredChunk]] = {}
        texts_asked = list(dict.fromkeys(queries))
        comparisons = await self._compare(texts_asked, store_ids)
        for text, comparison in zip(texts_asked, comparisons, strict=True):
            for score, chunk in await self._ask(Query(text), comparison, scope):
                if chunk.seq not in best or score > best[chunk.seq][0]:
                    best[chunk.seq] = score, chunk
        ranked = [
            (score, Span(chunk.document, chunk.start, chunk.end), chunk) for score, chunk in best.values()
        ]
        ordered = without_repetition(ranked) if ranking.rerank else _by_score(ranked)
        kept = [(score, chunk) for score, chunk in ordered if score >= ranking.score_threshold]
        return _within(token_budget, [_hit(score, chunk) for score, chunk in kept[:max_results]])

    def chunks(self, store_id: str, file_id: str) -> AsyncIterator[StoredChunk]:
        """The chunks of a file, in order; none if it was not read."""
        return self._chunks(store_id, file_id)

    async def progress(self) -> Progress:
        """How far the work in the background is."""
        async with self._database.read() as connection:
            chunks = await chunk_repository.chunk_count(connection)
            with_words = await chunk_repository.chunk_count(connection, self._index.name)
            meanings = self._meanings
            with_vectors = 0 if meanings is None else await meanings.vectors.chunk_count(connection)
        return Progress(self._reading, chunks, with_words, with_vectors, self.embedding_model)

    async def store_progress(self, store_id: str) -> StoreProgress:
        """How far the files of one store are, and what is to be said of them."""
        async with self._database.read() as connection:
            state = await chunk_repository.state_of_store(connection, store_id, self.embedding_model)
            notes = await chunk_repository.notes(connection, store_id)
        return StoreProgress(
            chunks=state.chunks,
            with_vectors=state.vectors - state.refused,
            refused=state.refused,
            embedding_model=self.embedding_model,
            fault=None if self._meanings is None else self._meanings.fault,
            notes=tuple(FileNote(file_id, note) for file_id, note in notes),
        )

    async def _with_vectors(self, document: int, usage_bytes: int, chunk_count: int) -> Ingested:
        """What was read, when it has its vectors."""
        if self._meanings is not None:
            usage_bytes += await self._meanings.wait_for(document)
        return Ingested(usage_bytes, chunk_count)

    async def _compare(
        self, queries: Sequence[str], store_ids: Collection[str]
    ) -> Sequence[Comparison | None]:
        if self._meanings is None:
            return [None] * len(queries)
        return await self._meanings.compare(queries, store_ids)

    async def _read(self, document: int, path: Path, filename: str, chunking: Chunking) -> Ingested:
        """Read a file into the store, batch by batch: most have one only, and need one transaction."""
        count = usage = 0
        note: str | None = None
        try:
            async with aclosing(self._readers.read(path, filename, chunking)) as batches:
                waiting: list[Chunk] | None = None
                async for batch in batches:
                    note = batch.note
                    if waiting is not None:
                        async with self._database.write() as connection:
                            if count == 0:
                                await chunk_repository.begin(connection, document)
                            await chunk_repository.add(connection, document, count, waiting)
                        count += len(waiting)
                    usage += sum(len(chunk.text.encode()) for chunk in batch.chunks)
                    waiting = batch.chunks
            async with self._database.write() as connection:
                if count == 0:
                    await chunk_repository.begin(connection, document)
                await chunk_repository.add(connection, document, count, waiting or [])
                count += len(waiting or [])
                await chunk_repository.complete(connection, document, count, usage, note)
        except IngestError:
            if count:
                async with self._database.write() as connection:
                    await chunk_repository.remove(connection, document)
            raise
        return Ingested(usage, count)

    async def _read_elsewhere(self, store_id: str, file_id: str, attachment: int) -> Ingested:
        """The file has left the store, or another engine on the same data reads it: wait for that one."""
        deadline = asyncio.get_running_loop().time() + _OTHER_ENGINE_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            async with self._database.read() as connection:
                document = await chunk_repository.find(connection, store_id, file_id)
            if document is None or document.seq != attachment:
                raise _detached()
            if document.complete:
                return await self._with_vectors(document.seq, document.usage_bytes, document.chunk_count)
            await asyncio.sleep(0.5)
        raise IngestError("server_error", "Another engine began to read the file and did not finish.")

    async def _freshen(self, store_ids: Collection[str]) -> None:
        """Have the index take in what was read a moment ago. What takes longer is found by later searches."""
        try:
            async with asyncio.timeout(_FRESH_SECONDS):
                while await self._is_behind(store_ids):
                    await self._indexer.catch_up()
        except (TimeoutError, IndexingError) as error:
            _logger.warning("searching without the newest files: %s", error or "there are many of them")

    async def _is_behind(self, store_ids: Collection[str]) -> bool:
        async with self._database.read() as connection:
            return await chunk_repository.any_without_words(connection, self._index.name, store_ids)

    async def _ask(
        self, query: Query, comparison: Comparison | None, scope: _Scope
    ) -> list[tuple[float, StoredChunk]]:
        """The candidates for one query, with their scores."""

        def find() -> tuple[list[Found], list[Near]]:
            self._index.refresh()
            weights = self._index.frequencies(query.terms)
            query.weigh(weights)
            found = self._index.search(weights, scope.store_ids, scope.documents, depth)
            return found, [] if comparison is None else comparison.nearest(scope.documents, _DEPTH)

        depth, wanted = _DEPTH, scope.wanted
        if comparison is not None:  # the scale of meaning is that of all that meet the filter
            await self._apply_filter(scope)
        while True:
            found, near = await asyncio.to_thread(find)
            if scope.condition is not None and scope.documents is None:
                # Mostly enough of the best ones meet it, and the attributes of all files need not be read.
                fitting = await self._meeting(scope, {candidate.document for candidate in found})
                kept = candidates.meeting(found, fitting)
                if len(found) >= depth and not candidates.are_enough(kept, wanted):
                    await self._apply_filter(scope)
                    continue
                found = kept
            found, nearest = candidates.chosen(found, wanted), candidates.chosen(near, wanted)
            bm25 = {candidate.chunk: candidate.score for candidate in found}
            async with self._database.read() as connection:
                numbers = bm25.keys() | {candidate.chunk for candidate in nearest}
                chunks = await chunk_repository.by_number(connection, numbers)
                missing = {candidate.document for candidate in found if candidate.chunk not in chunks}
                gone = missing - await chunk_repository.existing(connection, missing) if missing else set()
            if not missing:
                break
            # Deleted documents must not take the places of others.
            self._indexer.remove(gone)
            if len(found) < wanted:
                break
            depth *= 2
            wanted *= 2
        meaning = Meaning([candidate.cosine for candidate in near])

        def score() -> list[tuple[float, StoredChunk]]:
            scored = []
            for number, chunk in chunks.items():
                by_words = bm25[number] if number in bm25 else query.estimated_bm25(chunk.text)
                relevance = _relevance(query, chunk, by_words, rerank=scope.rerank)
                cosine = None if comparison is None else comparison.of(number)
                scored.append((meaning.join(relevance, cosine), chunk))
            return scored

        return await asyncio.to_thread(score)

    async def _apply_filter(self, scope: _Scope) -> None:
        if scope.condition is not None and scope.documents is None:
            scope.documents = await self._meeting(scope)

    async def _meeting(self, scope: _Scope, among: Collection[int] | None = None) -> set[int]:
        """The documents whose attributes meet the filter; if some are named, those of them."""
        assert scope.condition is not None
        matches = filters.matcher(scope.condition)
        async with self._database.read() as connection:
            rows = await chunk_repository.attributes(connection, scope.store_ids, scope.condition, among)

        def evaluate() -> set[int]:
            return {document for document, attributes in rows if matches(_parsed(attributes))}

        return await asyncio.to_thread(evaluate)

    async def _chunks(self, store_id: str, file_id: str) -> AsyncIterator[StoredChunk]:
        async with self._database.read() as connection:
            document = await chunk_repository.find(connection, store_id, file_id)
        if document is not None and document.complete:
            async for page in chunk_repository.pages(self._database, document.seq):
                for chunk in page:
                    yield chunk


def _meanings(database: Database, embedder: Embedder, lock: Path) -> SemanticSearch:
    from assistants_tui.engine.search.semantic_search import SemanticSearch  # and NumPy with it

    return SemanticSearch(database, embedder, lock)


@lru_cache(maxsize=20_000)
def _parsed(attributes: str) -> dict[str, Any]:
    """Attributes from their JSON: every search with a filter looks at those of all files."""
    found: dict[str, Any] = json.loads(attributes)
    return found


def _relevance(query: Query, chunk: StoredChunk, bm25: float, *, rerank: bool) -> float:
    if not rerank:
        return query.bm25(bm25)
    return query.relevance(chunk.text, f"{chunk.filename} {chunk.heading}", bm25)


def _by_score(ranked: Sequence[tuple[float, Span, StoredChunk]]) -> list[tuple[float, StoredChunk]]:
    return [(score, chunk) for score, _, chunk in sorted(ranked, key=lambda entry: -entry[0])]


def _hit(score: float, chunk: StoredChunk) -> Hit:
    return Hit(
        store_id=chunk.store_id,
        file_id=chunk.file_id,
        filename=chunk.filename,
        attributes=chunk.attributes,
        score=round(score, 4),
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        page=chunk.page,
        line=chunk.line,
        heading=chunk.heading,
    )


def _within(token_budget: int | None, hits: list[Hit]) -> list[Hit]:
    """Those that fit into a budget, the better ones first; the best one always."""
    if token_budget is None:
        return hits
    kept: list[Hit] = []
    for hit in hits:
        token_budget -= tokens.count(hit.text)
        if token_budget < 0 and kept:
            break
        kept.append(hit)
    return kept


def _detached() -> IngestError:
    return IngestError("server_error", "The file was taken out of the vector store before it was read.")
