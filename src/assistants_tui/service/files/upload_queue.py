"""Files of this machine on their way to the server, and from there perhaps into a vector store.

Several go at once, one that fails does not hold up the others, and what is under way can be stopped.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from assistants_tui.protocol import file_kinds
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.server_files import ServerFiles
from assistants_tui.service.vector_stores import ServerVectorStores

MAX_FILES = 10_000
"""Files that a folder may give at once; a vector store takes no more."""
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Transfer:
    """One file on its way."""

    path: Path
    state: Literal["waiting", "sending", "done", "failed"] = "waiting"
    percent: int = 0
    file_id: str = ""
    error: ServiceError | None = None


class UploadQueue:
    """Sends a few files at once, in order."""

    def __init__(self, files: ServerFiles, stores: ServerVectorStores, changed: Callable[[], None]) -> None:
        """`changed` is called after each change of `transfers`."""
        self._files = files
        self._stores = stores
        self._changed = changed
        self._transfers: list[Transfer] = []

    @property
    def transfers(self) -> Sequence[Transfer]:
        """The files that are not through yet, or failed."""
        return [one for one in self._transfers if one.state != "done"]

    async def send(self, paths: Sequence[Path], *, purpose: str, store_id: str | None = None) -> None:
        """Send files, and put each into a vector store when it has arrived. Failures stay in `transfers`."""
        first = len(self._transfers)
        self._transfers += [Transfer(path) for path in paths]
        self._changed()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(place: int) -> None:
            async with gate:
                await self._send(place, purpose, store_id)

        await asyncio.gather(*(one(first + index) for index in range(len(paths))))

    async def _send(self, place: int, purpose: str, store_id: str | None) -> None:
        self._put(place, state="sending")

        def progress(done: int, total: int | None) -> None:
            percent = min(100, 100 * done // total) if total else 0
            if self._transfers[place].percent != percent:
                self._put(place, percent=percent)

        try:
            file = await self._files.upload(self._transfers[place].path, purpose=purpose, progress=progress)
            self._put(place, file_id=file["id"])
            if store_id is not None:
                await self._stores.add_file(store_id, file["id"])
        except ServiceError as error:
            self._put(place, state="failed", error=error)
        else:
            self._put(place, state="done", percent=100)

    def _put(self, place: int, **changes: object) -> None:
        self._transfers[place] = replace(self._transfers[place], **changes)  # type: ignore[arg-type]  # fields
        self._changed()


def why_not_searched(filename: str) -> str:
    """Why file search refuses a file of that name; empty if it does not."""
    if file_kinds.kind_of(filename).searchable:
        return ""
    return f"file search does not read {file_kinds.extension(filename) or 'files of this kind'}"


def searchable_files(paths: Sequence[Path]) -> list[Path]:
    """The files among `paths`, and those below its folders that file search can read, in order.

    Hidden files and links are left out of folders. Blocks on the disk; a folder that cannot be read is empty.
    Raises `ServiceError` for more than 10,000 files.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder, name)
                if not why_not_searched(name) and not name.startswith(".") and not file.is_symlink():
                    found[file] = None
            if len(found) > MAX_FILES:
                raise ServiceError(
                    f"There are more than {MAX_FILES:,} files below {path}.",
                    "A vector store takes no more; choose a smaller folder.",
                    kind="refused",
                    no_effect=True,
                )
    return [*found]
