"""The vector stores of the server and the files of those that are open, as far as they were read."""

from assistants_tui.protocol.objects import VectorStore, VectorStoreFile
from assistants_tui.service.client.vector_stores import StoreProgress
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.screens.list_screen import renewed


class ListedStores:
    """Reads stores page by page. Each request may raise `ServiceError`."""

    def __init__(self, workspace: Workspace) -> None:
        self._service = workspace.vector_stores
        self._names = workspace.file_names
        self.stores: dict[str, VectorStore] = {}
        self.progress: dict[str, StoreProgress] = {}
        """How far the engine is with the files of a store; other servers do not say."""
        self.open: set[str] = set()
        """The stores whose files are listed, by ID."""
        self.reading = True
        self.was_read = False
        """Whether at least one page was read."""
        self._files: dict[str, dict[str, VectorStoreFile]] = {}
        self._more_files: dict[str, str] = {}  # of a store -> where its next page of files begins
        self._after: str | None = None

    @property
    def has_more(self) -> bool:
        """Whether the server has stores after these."""
        return self._after is not None

    def files(self, store_id: str) -> list[VectorStoreFile]:
        """The files of a store that were read."""
        return list(self._files.get(store_id, {}).values())

    def has_more_files(self, store_id: str) -> bool:
        """Whether an open store has files that were not read yet."""
        return store_id in self._more_files and store_id in self.open

    def forget(self) -> None:
        """Begin anew with the first page."""
        self.stores, self._after = {}, None

    async def read_page(self) -> None:
        """Read the next page of stores."""
        page = await self._service.list(after=self._after)
        self.stores |= {store["id"]: store for store in page.items}
        self._after = page.next_cursor
        self.was_read = True

    async def notice(self) -> bool:
        """Take over what another window has changed. Returns whether that is anything."""
        page = await self._service.list()
        stores = renewed(self.stores, page)
        if self.reading or stores == self.stores:
            return False
        if next(reversed(stores), None) != next(reversed(self.stores), None):
            self._after = page.next_cursor
        changed = [key for key in self.open if key in stores and stores[key] != self.stores.get(key)]
        self.stores = stores
        for store_id in changed:
            await self._read_files(store_id)
        return True

    async def unfold(self, store_id: str) -> None:
        """List the files of a store, beginning with their first page."""
        self.open.add(store_id)
        await self._read_files(store_id)

    async def read_more_files(self, store_id: str) -> None:
        """Read the next page of the files of a store."""
        await self._read_files(store_id, self._more_files[store_id])

    async def _read_files(self, store_id: str, after: str | None = None) -> None:
        if after is None and (progress := await self._service.progress(store_id)) is not None:
            self.progress[store_id] = progress
        page = await self._service.files(store_id, after=after)
        read = {file["id"]: file for file in page.items}
        self._files[store_id] = read if after is None else self._files.get(store_id, {}) | read
        self._more_files.pop(store_id, None)
        if page.next_cursor is not None:
            self._more_files[store_id] = page.next_cursor
        for file_id in read:
            self._names.name(file_id)  # asked for, and told when it is known

    async def read_again(self, store_id: str) -> None:
        """Read one store again, and its files if they are listed."""
        self.stores[store_id] = await self._service.retrieve(store_id)
        if store_id in self.open:
            await self._read_files(store_id)

    @property
    def busy(self) -> list[str]:
        """The stores whose files are being read by the server, by ID."""
        return [store_id for store_id in self.stores if self._is_busy(store_id)]

    def _is_busy(self, store_id: str) -> bool:
        progress = self.progress.get(store_id) if store_id in self.open else None
        reading = self.stores[store_id]["file_counts"]["in_progress"] > 0
        return reading or (progress is not None and progress.is_busy)

    async def create(self, name: str) -> None:
        """Make a store, which is the first one then."""
        store = await self._service.create(name)
        self.stores = {store["id"]: store, **self.stores}

    async def rename(self, store_id: str, name: str) -> None:
        self.stores[store_id] = await self._service.rename(store_id, name)

    async def delete(self, store_id: str) -> None:
        """Delete a store, not its files."""
        await self._service.delete(store_id)
        self.stores.pop(store_id, None)

    async def take_out(self, store_id: str, file_id: str) -> None:
        """Take a file out of a store; the file itself stays."""
        await self._service.remove_file(store_id, file_id)
        self._files.get(store_id, {}).pop(file_id, None)
        await self.read_again(store_id)
