"""Vector stores: what file search looks through."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from assistants_tui.service.api.client import Client, segment
from assistants_tui.service.api.pages import MAX_LIMIT, read_page
from assistants_tui.service.wire import Json, Page, VectorStore, VectorStoreFile


class SearchAnswer(NamedTuple):
    """What a store finds."""

    results: Sequence[Json]
    """Objects with `filename`, `score` and `content`, best first."""
    by_words_alone: bool
    """Whether the server says that it compared words, but no meanings."""


class VectorStores:
    """The vector stores of a server. Everything raises `ServiceError` when it fails.

    Adding a file returns at once with status `in_progress`; ask again until it is `completed` or `failed`.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(self, *, limit: int = MAX_LIMIT, after: str | None = None) -> Page[VectorStore]:
        """A page of the stores, the newest first."""
        return await read_page(self._client, "vector_stores", limit=limit, after=after)

    async def create(self, name: str, file_ids: Sequence[str] = (), **fields: Any) -> VectorStore:
        """Make a store; `fields` are others of the API, such as `expires_after`."""
        body: Json = {"name": name, **fields}
        if file_ids:
            body["file_ids"] = [*file_ids]
        return cast(VectorStore, await self._client.post("vector_stores", body))

    async def retrieve(self, store_id: str) -> VectorStore:
        return cast(VectorStore, await self._client.get(_path(store_id)))

    async def update(self, store_id: str, fields: Mapping[str, Any]) -> VectorStore:
        """Change `name`, `expires_after` or `metadata`."""
        return cast(VectorStore, await self._client.post(_path(store_id), fields, again=True))

    async def delete(self, store_id: str) -> None:
        """Delete the store; its files stay."""
        await self._client.delete(_path(store_id))

    async def files(
        self, store_id: str, *, limit: int = MAX_LIMIT, after: str | None = None
    ) -> Page[VectorStoreFile]:
        """A page of the store's files, the last added first. Their names stand in the file objects."""
        return await read_page(self._client, f"{_path(store_id)}/files", limit=limit, after=after)

    async def add_file(self, store_id: str, file_id: str) -> VectorStoreFile:
        answer = await self._client.post(f"{_path(store_id)}/files", {"file_id": file_id}, again=True)
        return cast(VectorStoreFile, answer)

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

    async def search(self, store_id: str, query: str, *, max_num_results: int = 10) -> SearchAnswer:
        """What the store finds for `query`."""
        body = {"query": query, "max_num_results": max_num_results}
        answer = await self._client.post(f"{_path(store_id)}/search", body, again=True)
        found = answer.get("data")
        return SearchAnswer(
            found if isinstance(found, list) else [],
            by_words_alone="embedding_model" in answer and answer["embedding_model"] is None,
        )


def _path(store_id: str, file_id: str | None = None) -> str:
    store = f"vector_stores/{segment(store_id)}"
    return store if file_id is None else f"{store}/files/{segment(file_id)}"
