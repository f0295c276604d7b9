"""Vector stores: what file search looks through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Json, Page, SearchAnswerPage, VectorStore, VectorStoreFile
from assistants_tui.service.client.http_client import Client, segment
from assistants_tui.service.client.pages import read_page
from assistants_tui.service.errors import ServiceError

_WITHOUT_PROGRESS = frozenset({400, 404, 405, 501})


class SearchAnswer(NamedTuple):
    """What a store finds."""

    results: Sequence[Json]
    """Objects with `filename`, `score` and `content`, best first."""
    by_words_alone: bool
    """Whether the server says that it compared words, but no meanings."""


@dataclass(frozen=True, slots=True)
class StoreProgress:
    """How far our engine is with the pieces of a store."""

    pieces: int
    with_vectors: int
    refused: int
    """Pieces that the embedding endpoint does not take."""
    embedding_model: str | None
    fault: str | None
    """Why no vectors can be had now."""
    notes: Mapping[str, str]
    """By file ID, what the user should know of a file that was read."""

    @property
    def is_busy(self) -> bool:
        """Whether some pieces still wait for their vectors."""
        return self.embedding_model is not None and self.with_vectors + self.refused < self.pieces


class VectorStores:
    """The vector stores of a server. Everything raises `ServiceError` when it fails.

    Adding a file returns at once with status `in_progress`; ask again until it is `completed` or `failed`.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._has_progress = True

    async def list(self, *, limit: int = limits.MAX_PAGE, after: str | None = None) -> Page[VectorStore]:
        """A page of the stores, the newest first."""
        return await read_page(self._client, VectorStore, "vector_stores", limit=limit, after=after)

    async def create(self, name: str, file_ids: Sequence[str] = (), **fields: Any) -> VectorStore:
        """Make a store; `fields` are others of the API, such as `expires_after`."""
        body: Json = {"name": name, **fields}
        if file_ids:
            body["file_ids"] = [*file_ids]
        return await self._client.send(VectorStore, "vector_stores", body)

    async def retrieve(self, store_id: str) -> VectorStore:
        return await self._client.fetch(VectorStore, _path(store_id))

    async def update(self, store_id: str, fields: Mapping[str, Any]) -> VectorStore:
        """Change `name`, `expires_after` or `metadata`."""
        return await self._client.send(VectorStore, _path(store_id), fields, again=True)

    async def delete(self, store_id: str) -> None:
        """Delete the store; its files stay."""
        await self._client.delete(_path(store_id))

    async def files(
        self, store_id: str, *, limit: int = limits.MAX_PAGE, after: str | None = None
    ) -> Page[VectorStoreFile]:
        """A page of the store's files, the last added first. Their names stand in the file objects."""
        return await read_page(
            self._client, VectorStoreFile, f"{_path(store_id)}/files", limit=limit, after=after
        )

    async def add_file(self, store_id: str, file_id: str) -> VectorStoreFile:
        path = f"{_path(store_id)}/files"
        return await self._client.send(VectorStoreFile, path, {"file_id": file_id}, again=True)

    async def remove_file(self, store_id: str, file_id: str) -> None:
        """Take a file out of the store; the file itself stays."""
        await self._client.delete(_path(store_id, file_id))

    async def content(self, store_id: str, file_id: str) -> Sequence[Json]:
        """What was read from a file, piece by piece: objects with `text`.

        Our engine also says where a piece `start`s and `end`s in the text of the file, its `page`, `line` and
        `heading`. Pieces may overlap.
        """
        answer = await self._client.get(f"{_path(store_id, file_id)}/content")
        found = answer.get("data", answer.get("content"))
        return [piece for piece in found if isinstance(piece, dict)] if isinstance(found, list) else []

    async def progress(self, store_id: str) -> StoreProgress | None:
        """How far the pieces of a store are; None from servers that do not say it."""
        if not self._has_progress:
            return None
        try:
            answer = await self._client.get(f"{_path(store_id)}/progress")
        except ServiceError as error:
            if error.status not in _WITHOUT_PROGRESS:
                raise
            self._has_progress = False
            return None
        return _progress(answer)

    async def search(self, store_id: str, query: str, *, max_num_results: int = 10) -> SearchAnswer:
        """What the store finds for `query`."""
        body = {"query": query, "max_num_results": max_num_results}
        answer = await self._client.send(SearchAnswerPage, f"{_path(store_id)}/search", body, again=True)
        return SearchAnswer(
            answer["data"],
            by_words_alone="embedding_model" in answer and answer.get("embedding_model") is None,
        )


def _progress(answer: Mapping[str, Any]) -> StoreProgress | None:
    counts = [answer.get(name) for name in ("chunks", "with_vectors", "refused")]
    if answer.get("object") != "vector_store.progress" or not all(isinstance(count, int) for count in counts):
        return None
    pieces, with_vectors, refused = cast("list[int]", counts)
    model, fault, notes = (answer.get(name) for name in ("embedding_model", "fault", "notes"))
    return StoreProgress(
        pieces,
        with_vectors,
        refused,
        model if isinstance(model, str) else None,
        fault if isinstance(fault, str) else None,
        {
            note["file_id"]: note["text"]
            for note in (notes if isinstance(notes, list) else ())
            if isinstance(note, dict)
            and isinstance(note.get("file_id"), str)
            and isinstance(note.get("text"), str)
        },
    )


def _path(store_id: str, file_id: str | None = None) -> str:
    store = f"vector_stores/{segment(store_id)}"
    return store if file_id is None else f"{store}/files/{segment(file_id)}"
