"""The vector stores of the server: what file search looks through."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import Json, Page, VectorStore, VectorStoreFile
from assistants_tui.service.assistants.resources import give_store_to_thread, store_of

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend
    from assistants_tui.service.client.vector_stores import SearchAnswer, StoreProgress


class ServerVectorStores:
    """Everything raises `ServiceError` when it fails, also where the server cannot be reached."""

    def __init__(self, backend: "Callable[[], Awaitable[Backend]]") -> None:
        self._backend = backend

    async def list(self, *, after: str | None = None) -> Page[VectorStore]:
        """A page of the stores, the newest first."""
        return await (await self._backend()).vector_stores.list(after=after)

    async def retrieve(self, store_id: str) -> VectorStore:
        return await (await self._backend()).vector_stores.retrieve(store_id)

    async def create(self, name: str) -> VectorStore:
        return await (await self._backend()).vector_stores.create(name)

    async def rename(self, store_id: str, name: str) -> VectorStore:
        return await (await self._backend()).vector_stores.update(store_id, {"name": name})

    async def delete(self, store_id: str) -> None:
        """Delete the store; its files stay."""
        await (await self._backend()).vector_stores.delete(store_id)

    async def files(self, store_id: str, *, after: str | None = None) -> Page[VectorStoreFile]:
        """A page of the store's files, the last added first."""
        return await (await self._backend()).vector_stores.files(store_id, after=after)

    async def add_file(self, store_id: str, file_id: str) -> None:
        """Put a file of the server into the store; reading it goes on at the server."""
        await (await self._backend()).vector_stores.add_file(store_id, file_id)

    async def remove_file(self, store_id: str, file_id: str) -> None:
        """Take a file out of the store; the file itself stays."""
        await (await self._backend()).vector_stores.remove_file(store_id, file_id)

    async def progress(self, store_id: str) -> "StoreProgress | None":
        """How far the pieces of a store are; None from servers that do not say it."""
        return await (await self._backend()).vector_stores.progress(store_id)

    async def pieces(self, store_id: str, file_id: str) -> Sequence[Json]:
        """What was read from a file, piece by piece."""
        return await (await self._backend()).vector_stores.content(store_id, file_id)

    async def search(self, store_id: str, query: str) -> "SearchAnswer":
        """What the store finds for `query`."""
        return await (await self._backend()).vector_stores.search(store_id, query)

    async def of_thread(self, thread_id: str) -> str | None:
        """The store of a thread, if it has one."""
        return store_of(dict(await (await self._backend()).threads.retrieve(thread_id)))

    async def give_to_thread(self, thread_id: str, store_id: str) -> None:
        """Let the assistants that answer in a thread search a store, instead of the one that it had."""
        await give_store_to_thread(await self._backend(), thread_id, store_id)
