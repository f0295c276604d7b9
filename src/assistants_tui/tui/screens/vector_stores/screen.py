"""The vector stores of the server: what file search looks through, from adding files to trying a query."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content

from assistants_tui.protocol.objects import VectorStore, VectorStoreFile
from assistants_tui.service.assistants.resources import store_of
from assistants_tui.service.changes import Changed
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.upload_queue import (
    Transfer,
    UploadQueue,
    searchable_files,
    why_not_searched,
)
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_picker import FilePicker
from assistants_tui.tui.dialogs.questions import TextDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.screens.files import transfer_row
from assistants_tui.tui.screens.list_screen import ListScreen
from assistants_tui.tui.screens.vector_stores.listed_stores import ListedStores
from assistants_tui.tui.screens.vector_stores.questions import may_add, may_delete, may_replace, may_take_out
from assistants_tui.tui.screens.vector_stores.rows import (
    answer_parts,
    file_facts,
    file_row,
    piece_parts,
    store_counts,
    store_facts,
    store_name,
)
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList

_LOOK = 1.0
"""Seconds between two looks at a store whose files are being read."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A store, one of its files below it, or a file on its way into it."""

    store: VectorStore
    file: VectorStoreFile | None = None
    transfer: Transfer | None = None

    @property
    def key(self) -> str:
        if self.transfer is not None:
            return f"{self.store['id']}/transfer/{self.transfer.path}"
        return f"{self.store['id']}/{self.file['id']}" if self.file is not None else self.store["id"]


class VectorStoresScreen(ListScreen):
    """A tree of stores and their files."""

    TITLE_TEXT = "Vector stores"
    HELP: ClassVar[str] = (
        "n makes a store, a adds files or whole folders. Enter opens a store, or shows the pieces of a file. "
        "t tries a query as file search would. A gives the store to the assistant, T to the open thread."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "create", "New", id="stores.create", tooltip="Make a vector store"),
        Binding("a", "add", "Add files", id="stores.add", tooltip="Add files and folders to the store"),
        Binding("t", "query", "Try a query", id="stores.query", tooltip="Search the store"),
        Binding(
            "A", "to_assistant", "To assistant", id="stores.to_assistant", tooltip="Give it to the assistant"
        ),
        Binding("T", "to_thread", "To thread", id="stores.to_thread", tooltip="Give it to the open thread"),
        Binding("R", "rename", show=False, id="stores.rename", tooltip="Rename the store"),
        Binding(
            "d,delete", "delete", "Delete", id="stores.delete", tooltip="Delete the store, or take a file out"
        ),
        Binding("y", "copy_id", show=False, id="stores.copy_id", tooltip="Copy the ID"),
        Binding("r", "reload", show=False, id="stores.reload", tooltip="Read the list again"),
    ]

    SHOWS = Changed.FILES | Changed.ASSISTANTS

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._listed = ListedStores(workspace)
        self._uploads: dict[str, UploadQueue] = {}
        self._lines: list[_Line] = []
        self._results_of = ""

    def on_mount(self) -> None:
        self.draw()
        self.action_reload()
        self._watch()
        self.look_for_changes(self._notice)

    # reading

    @work(exclusive=True, group="list")
    async def action_reload(self) -> None:
        self._listed.forget()
        await self._read()

    async def _read(self) -> None:
        self._listed.reading = True
        with told_failures(self.rows, "Stores not listed"):
            await self._listed.read_page()
        self._listed.reading = False
        self.draw()

    async def _notice(self) -> None:
        if await self._listed.notice():
            self.draw_soon()

    @work(exclusive=True, group="watch")
    async def _watch(self) -> None:
        """Look at stores whose files are being read until they are."""
        while True:
            await asyncio.sleep(_LOOK)
            if not (busy := self._listed.busy):
                continue
            try:
                for store_id in busy:
                    await self._listed.read_again(store_id)
            except ServiceError:
                continue  # it is tried again; the user asked for nothing
            self.draw_soon()

    # drawing

    def draw(self) -> None:
        words = self.wanted.casefold().split()
        lines: list[_Line] = []
        for store in self._listed.stores.values():
            if not all(word in store_name(store).casefold() for word in words):
                continue
            lines.append(_Line(store))
            if (queue := self._uploads.get(store["id"])) is not None:
                lines += [_Line(store, transfer=one) for one in queue.transfers]
            if store["id"] in self._listed.open:
                lines += [_Line(store, file) for file in self._listed.files(store["id"])]
        self._lines = lines
        more = self._listed.has_more
        none = "No vector stores yet. n makes one."
        if words:
            none = "No store matches."
        elif not self._listed.was_read:
            none = "The stores could not be listed."
        self.rows.empty = "Reading…" if self._listed.reading else none
        self.rows.set_rows(
            len(lines) + more, self._row, key=lambda index: lines[index].key if index < len(lines) else "more"
        )
        count = len(self._listed.stores)
        self.tell(f"{count:,}{'+' if more else ''} store{'s' if count != 1 else ''}" if count else "")
        self.draw_detail()
        self.refresh_bindings()

    def _row(self, index: int) -> Content:
        if index >= len(self._lines):
            return Content.styled("Read more…", "$text-accent")
        line = self._lines[index]
        if line.transfer is not None:
            return Content.assemble("    ", transfer_row(line.transfer))
        if line.file is not None:
            name = self.workspace.file_names.known(line.file["id"])
            return file_row(name, line.file, noted=self._note(line.store["id"], line.file["id"]) is not None)
        store = line.store
        fold = "▾ " if store["id"] in self._listed.open else "▸ "
        mark = "●" if store_of(dict(self.workspace.assistants.chosen or {})) == store["id"] else " "
        return Content.assemble(
            (fold, "$muted"), store_name(store), (f" {mark}", "$text-accent"), "  ", store_counts(store)
        )

    def _note(self, store_id: str, file_id: str) -> str | None:
        """What there is to know of a file although it was read."""
        progress = self._listed.progress.get(store_id)
        return progress.notes.get(file_id) if progress is not None else None

    @property
    def _line(self) -> _Line | None:
        index = self.rows.cursor
        return self._lines[index] if index is not None and index < len(self._lines) else None

    def draw_detail(self) -> None:
        line = self._line
        if line is None:
            self.show_parts([])
        elif self._results_of != line.key:
            self._results_of = ""
            if line.transfer is not None:
                error = line.transfer.error
                self.show_detail(line.key, line.transfer.path.name, str(error) if error else "On its way.")
            elif line.file is not None:
                name = self.workspace.file_names.known(line.file["id"])
                note = self._note(line.store["id"], line.file["id"])
                self.show_detail(line.key, name, file_facts(line.file, note))
            else:
                progress = self._listed.progress.get(line.store["id"])
                self.show_detail(line.key, store_name(line.store), store_facts(line.store, progress))

    @on(VirtualList.Selected)
    @work(exclusive=True, group="open")
    async def _opened(self, event: VirtualList.Selected) -> None:
        event.stop()
        line = self._line
        with told_failures(self.rows, "Not read"):
            if line is None:
                await self._read()
            elif line.file is not None:
                await self._show_pieces(line)
            elif line.transfer is None:
                await self._fold(line.store["id"])

    async def _fold(self, store_id: str) -> None:
        listed = self._listed
        if store_id in listed.open:
            listed.open.discard(store_id)
        else:
            await listed.unfold(store_id)
            while listed.has_more_files(store_id):
                self.draw()
                await listed.read_more_files(store_id)
        self.draw()

    async def _show_pieces(self, line: _Line) -> None:
        """What was read from a file, piece by piece, as file search sees it."""
        assert line.file is not None
        pieces = await self.workspace.vector_stores.pieces(line.store["id"], line.file["id"])
        self._results_of = line.key
        self.show_parts(piece_parts(line.key, pieces))
        self.detail.focus()

    # keys

    def action_back(self) -> None:
        """Out of what a query found or a file has, else as in every list."""
        if self._results_of:
            self._results_of = ""
            self.draw_detail()
            self.rows.focus()
        else:
            super().action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in {"add", "query", "to_assistant", "to_thread", "rename", "delete", "copy_id"}:
            if action == "to_thread" and self.workspace.conversations.shown.thread_id is None:
                return False
            return self._line is not None
        return True

    @work
    async def action_create(self) -> None:
        name = await self.app.push_screen_wait(TextDialog("Name of the vector store", max_length=256))
        if name is None:
            return
        with told_failures(self.rows, "Not made"):
            await self._listed.create(name)
            self.draw()
            self.rows.cursor = 0

    @work
    async def action_rename(self) -> None:
        line = self._line
        if line is None:
            return
        name = await self.app.push_screen_wait(
            TextDialog("Name of the vector store", line.store.get("name") or "", max_length=256)
        )
        if name is not None:
            with told_failures(self.rows, "Not renamed"):
                await self._listed.rename(line.store["id"], name)
                self.draw()

    @work
    async def action_add(self) -> None:
        line = self._line
        if line is None:
            return
        picked = await self.app.push_screen_wait(
            FilePicker(
                f"Add which files to {store_name(line.store)}?",
                Path.cwd(),
                folders=True,
                why_not=why_not_searched,
            )
        )
        if not picked:
            return
        with told_failures(self.rows, "Not added"):
            paths = await asyncio.to_thread(searchable_files, picked)
            if not paths:
                self.notify("There is no file in it that file search reads.", severity="warning")
                return
            if len(paths) > max(20, len(picked)) and not await may_add(self, len(paths)):
                return
            self._send(line.store["id"], paths)

    @work(group="upload")
    async def _send(self, store_id: str, paths: Sequence[Path]) -> None:
        with told_failures(self.rows, "Not added"):
            if store_id not in self._uploads:
                stores = self.workspace.vector_stores
                self._uploads[store_id] = UploadQueue(self.workspace.files, stores, self.draw_soon)
            self._listed.open.add(store_id)
            await self._uploads[store_id].send(paths, purpose="assistants", store_id=store_id)
            await self._listed.read_again(store_id)
            self.draw()

    @work
    async def action_query(self) -> None:
        line = self._line
        if line is None:
            return
        query = await self.app.push_screen_wait(
            TextDialog(f"Search {store_name(line.store)} for", detail="As file search of an assistant would.")
        )
        if query is None:
            return
        with told_failures(self.rows, "Not searched"):
            answer = await self.workspace.vector_stores.search(line.store["id"], query)
            self._results_of = line.key
            self.show_parts(answer_parts(query, answer))
            self.detail.focus()

    @work
    async def action_to_assistant(self) -> None:
        line, assistant = self._line, self.workspace.assistants.chosen
        if line is None or assistant is None:
            return
        name = clean(assistant.get("name") or assistant["id"])
        if not await self._replace(store_of(dict(assistant)), line.store, name):
            return
        with told_failures(self.rows, "Not given"):
            await self.workspace.assistant_store.give_store(assistant, line.store["id"])
            await self.workspace.assistants.refresh()
            self.notify(f"{name} searches {store_name(line.store)} from now on.", markup=False)

    @work
    async def action_to_thread(self) -> None:
        line, thread_id = self._line, self.workspace.conversations.shown.thread_id
        if line is None or thread_id is None:
            return
        with told_failures(self.rows, "Not given"):
            present = await self.workspace.vector_stores.of_thread(thread_id)
            if await self._replace(present, line.store, "The open thread"):
                await self.workspace.vector_stores.give_to_thread(thread_id, line.store["id"])
                self.notify(f"The open thread has {store_name(line.store)} from now on.", markup=False)

    async def _replace(self, present: str | None, store: VectorStore, who: str) -> bool:
        """Ask whether a store that is there already may be replaced."""
        if present is None or present == store["id"]:
            return True
        other = self._listed.stores.get(present)
        return await may_replace(self, who, store_name(other) if other is not None else clean(present))

    def action_copy_id(self) -> None:
        if (line := self._line) is not None:
            self.copy(line.file["id"] if line.file is not None else line.store["id"])

    @work
    async def action_delete(self) -> None:
        line = self._line
        if line is None or line.transfer is not None:
            return
        store_id = line.store["id"]
        if line.file is not None:
            name = self.workspace.file_names.name(line.file["id"])
            if await may_take_out(self, name, store_name(line.store)):
                with told_failures(self.rows, "Not taken out"):
                    await self._listed.take_out(store_id, line.file["id"])
                    self.draw()
                    self.notify("Taken out of the store. The file itself stays.", timeout=4)
        elif await may_delete(self, store_name(line.store)):
            with told_failures(self.rows, "Not deleted"):
                await self._listed.delete(store_id)
                self.draw()
