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
from assistants_tui.service.client.vector_stores import StoreProgress
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.citations import results_of
from assistants_tui.service.files.upload_queue import (
    Transfer,
    UploadQueue,
    searchable_files,
    why_not_searched,
)
from assistants_tui.service.local_paths import size_words
from assistants_tui.service.times import when
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_picker import FilePicker
from assistants_tui.tui.dialogs.questions import ChoiceDialog, TextDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.screens.files import transfer_row
from assistants_tui.tui.screens.list_screen import ListScreen, renewed
from assistants_tui.tui.text.plain_text import as_markdown
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList

_LOOK = 1.0
"""Seconds between two looks at a store whose files are being read."""
_BY_WORDS = "With an embedding model in the profile, file search finds by meaning, too."
_BAR = 10
"""Cells of the bar that shows how many files have been read."""
_STATES = {"completed": ("✓", "$text-success"), "failed": ("✗", "$text-error"), "cancelled": ("■", "$muted")}


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
        self._stores: dict[str, VectorStore] = {}
        self._files: dict[str, dict[str, VectorStoreFile]] = {}
        self._more_files: dict[str, str] = {}
        self._progress: dict[str, StoreProgress] = {}
        self._after: str | None = None
        self._open: set[str] = set()
        self._uploads: dict[str, UploadQueue] = {}
        self._lines: list[_Line] = []
        self._reading = True
        self._listed = False
        self._results_of = ""

    def on_mount(self) -> None:
        self.draw()
        self.action_reload()
        self._watch()
        self.look_for_changes(self._notice)

    # reading

    @work(exclusive=True, group="list")
    async def action_reload(self) -> None:
        self._stores, self._after = {}, None
        await self._read()

    async def _read(self) -> None:
        self._reading = True
        with told_failures(self.rows, "Stores not listed"):
            page = await self.workspace.vector_stores.list(after=self._after)
            self._stores |= {store["id"]: store for store in page.items}
            self._after = page.next_cursor
            self._listed = True
        self._reading = False
        self.draw()

    async def _notice(self) -> None:
        page = await self.workspace.vector_stores.list()
        stores = renewed(self._stores, page)
        if not self._reading and stores != self._stores:
            if next(reversed(stores), None) != next(reversed(self._stores), None):
                self._after = page.next_cursor
            changed = [key for key in self._open if key in stores and stores[key] != self._stores.get(key)]
            self._stores = stores
            for store_id in changed:
                await self._read_files(store_id)
            self.draw_soon()

    async def _read_files(self, store_id: str, after: str | None = None) -> None:
        service = self.workspace.vector_stores
        if after is None and (progress := await service.progress(store_id)) is not None:
            self._progress[store_id] = progress
        page = await service.files(store_id, after=after)
        read = {file["id"]: file for file in page.items}
        self._files[store_id] = read if after is None else self._files.get(store_id, {}) | read
        self._more_files.pop(store_id, None)
        if page.next_cursor is not None:
            self._more_files[store_id] = page.next_cursor
        for file_id in read:
            self.workspace.file_names.name(file_id)  # asked for, and told when it is known

    @work(exclusive=True, group="watch")
    async def _watch(self) -> None:
        """Look at stores whose files are being read until they are."""
        while True:
            await asyncio.sleep(_LOOK)
            busy = [key for key in self._stores if self._is_busy(key)]
            if not busy:
                continue
            try:
                for store_id in busy:
                    self._stores[store_id] = await self.workspace.vector_stores.retrieve(store_id)
                    if store_id in self._open:
                        await self._read_files(store_id)
            except ServiceError:
                continue  # it is tried again; the user asked for nothing
            self.draw_soon()

    def _is_busy(self, store_id: str) -> bool:
        progress = self._progress.get(store_id) if store_id in self._open else None
        reading = self._stores[store_id]["file_counts"]["in_progress"] > 0
        return reading or (progress is not None and progress.is_busy)

    async def _look_at(self, store_id: str) -> None:
        self._stores[store_id] = await self.workspace.vector_stores.retrieve(store_id)
        if store_id in self._open:
            await self._read_files(store_id)
        self.draw()

    # drawing

    def draw(self) -> None:
        words = self.wanted.casefold().split()
        lines: list[_Line] = []
        for store in self._stores.values():
            if not all(word in _name(store).casefold() for word in words):
                continue
            lines.append(_Line(store))
            if (queue := self._uploads.get(store["id"])) is not None:
                lines += [_Line(store, transfer=one) for one in queue.transfers]
            if store["id"] in self._open:
                lines += [_Line(store, file) for file in self._files.get(store["id"], {}).values()]
        self._lines = lines
        more = self._after is not None
        none = "No vector stores yet. n makes one." if self._listed else "The stores could not be listed."
        none = "No store matches." if words else none
        self.rows.empty = "Reading…" if self._reading else none
        self.rows.set_rows(
            len(lines) + more, self._row, key=lambda index: lines[index].key if index < len(lines) else "more"
        )
        count = len(self._stores)
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
            progress = self._progress.get(line.store["id"])
            return self._file_row(line.file, noted=progress is not None and line.file["id"] in progress.notes)
        store = line.store
        fold = "▾ " if store["id"] in self._open else "▸ "
        mark = "●" if store_of(dict(self.workspace.assistants.chosen or {})) == store["id"] else " "
        return Content.assemble(
            (fold, "$muted"), _name(store), (f" {mark}", "$text-accent"), "  ", _counts(store)
        )

    def _file_row(self, file: VectorStoreFile, *, noted: bool) -> Content:
        """A file; `noted` if there is something to know of it although it was read."""
        mark, style = _STATES.get(file["status"], ("●", "$text-accent"))
        if noted and file["status"] == "completed":
            mark, style = "!", "$text-warning"
        name = clean(self.workspace.file_names.known(file["id"])).replace("\n", " ")
        return Content.assemble(("    ", ""), (f"{mark} ", style), name)

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
                file, progress = line.file, self._progress.get(line.store["id"])
                note = progress.notes.get(file["id"]) if progress is not None else None
                self.show_detail(
                    line.key, self.workspace.file_names.known(file["id"]), _file_facts(file, note)
                )
            else:
                progress = self._progress.get(line.store["id"])
                self.show_detail(line.key, _name(line.store), _store_facts(line.store, progress))

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
        if store_id in self._open:
            self._open.discard(store_id)
        else:
            self._open.add(store_id)
            await self._read_files(store_id)
            while store_id in self._more_files and store_id in self._open:
                self.draw()
                await self._read_files(store_id, self._more_files[store_id])
        self.draw()

    async def _show_pieces(self, line: _Line) -> None:
        """What was read from a file, piece by piece, as file search sees it."""
        assert line.file is not None
        pieces = await self.workspace.vector_stores.pieces(line.store["id"], line.file["id"])
        self._results_of = line.key
        self.show_parts(
            [
                (
                    f"{line.key}/{number}",
                    f"Piece {number} of {len(pieces)}{_place(piece)}",
                    as_markdown(piece["text"]),
                )
                for number, piece in enumerate(pieces, 1)
                if isinstance(piece.get("text"), str)
            ]
        )
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
            store = await self.workspace.vector_stores.create(name)
            self._stores = {store["id"]: store, **self._stores}
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
                store_id = line.store["id"]
                self._stores[store_id] = await self.workspace.vector_stores.rename(store_id, name)
                self.draw()

    @work
    async def action_add(self) -> None:
        line = self._line
        if line is None:
            return
        picked = await self.app.push_screen_wait(
            FilePicker(
                f"Add which files to {_name(line.store)}?",
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
            if len(paths) > max(20, len(picked)) and not await self._sure(len(paths)):
                return
            self._send(line.store["id"], paths)

    async def _sure(self, count: int) -> bool:
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"Add {count:,} files?",
                "They are sent one after the other; the store can be searched meanwhile.",
                choices=[("no", "Not now"), ("add", "Add them")],
            )
        )
        return choice == "add"

    @work(group="upload")
    async def _send(self, store_id: str, paths: Sequence[Path]) -> None:
        with told_failures(self.rows, "Not added"):
            if store_id not in self._uploads:
                stores = self.workspace.vector_stores
                self._uploads[store_id] = UploadQueue(self.workspace.files, stores, self.draw_soon)
            self._open.add(store_id)
            await self._uploads[store_id].send(paths, purpose="assistants", store_id=store_id)
            await self._look_at(store_id)

    @work
    async def action_query(self) -> None:
        line = self._line
        if line is None:
            return
        query = await self.app.push_screen_wait(
            TextDialog(f"Search {_name(line.store)} for", detail="As file search of an assistant would.")
        )
        if query is None:
            return
        with told_failures(self.rows, "Not searched"):
            answer = await self.workspace.vector_stores.search(line.store["id"], query)
            passages = list(results_of({"file_search": {"results": answer.results}}))
            self._results_of = line.key
            parts = [
                (
                    f"hit-{number}",
                    " · ".join(
                        part
                        for part in (
                            f"{passage.score:.2f}" if passage.score is not None else "",
                            passage.file_name,
                            passage.place,
                        )
                        if part
                    ),
                    as_markdown(passage.text),
                )
                for number, passage in enumerate(passages)
            ]
            parts = parts or [("none", "Nothing found", f"No piece of this store fits `{clean(query)}`.")]
            if answer.by_words_alone:
                parts.append(("words", "Found by words alone", _BY_WORDS))
            self.show_parts(parts)
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
            self.notify(f"{name} searches {_name(line.store)} from now on.", markup=False)

    @work
    async def action_to_thread(self) -> None:
        line, thread_id = self._line, self.workspace.conversations.shown.thread_id
        if line is None or thread_id is None:
            return
        with told_failures(self.rows, "Not given"):
            present = await self.workspace.vector_stores.of_thread(thread_id)
            if await self._replace(present, line.store, "The open thread"):
                await self.workspace.vector_stores.give_to_thread(thread_id, line.store["id"])
                self.notify(f"The open thread has {_name(line.store)} from now on.", markup=False)

    async def _replace(self, present: str | None, store: VectorStore, who: str) -> bool:
        """Ask whether a store that is there already may be replaced."""
        if present is None or present == store["id"]:
            return True
        other = self._stores.get(present)
        now = _name(other) if other is not None else clean(present)
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"{who} has another store. Replace it?",
                f"Only one can be searched. Now it is {now}, which stays.",
                choices=[("keep", "Keep it"), ("replace", "Replace it")],
            )
        )
        return choice == "replace"

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
            dialog = ChoiceDialog(
                f"Take this file out of {_name(line.store)}?",
                f"Searches find nothing in {name} any more. The file itself stays.",
                choices=[("keep", "Leave it in"), ("remove", "Take it out")],
                danger="remove",
            )
            if await self.app.push_screen_wait(dialog) != "remove":
                return
            with told_failures(self.rows, "Not taken out"):
                await self.workspace.vector_stores.remove_file(store_id, line.file["id"])
                self._files.get(store_id, {}).pop(line.file["id"], None)
                await self._look_at(store_id)
                self.notify("Taken out of the store. The file itself stays.", timeout=4)
            return
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"Delete {_name(line.store)}?",
                "Assistants and threads that search it find nothing any more. Its files stay.",
                choices=[("keep", "Keep it"), ("delete", "Delete it")],
                danger="delete",
            )
        )
        if choice == "delete":
            with told_failures(self.rows, "Not deleted"):
                await self.workspace.vector_stores.delete(store_id)
                self._stores.pop(store_id, None)
                self.draw()


def _name(store: VectorStore) -> str:
    name = store.get("name") or store["id"]
    if not store.get("name") and store.get("expires_after"):
        name = f"Attachments …{store['id'][-6:]}"  # made by the server for the files of a thread
    return clean(name).replace("\n", " ")


def _counts(store: VectorStore) -> Content:
    """How many files, and a bar while some of them are being read."""
    counts = store["file_counts"]
    total, reading, failed = counts["total"], counts["in_progress"], counts["failed"]
    parts: list[Content] = []
    if reading and total:
        done = (total - reading) * _BAR // total
        parts.append(Content.styled(f"{'━' * done}{'·' * (_BAR - done)} ", "$text-accent"))
        parts.append(Content.styled(f"{total - reading:,} of {total:,} files", "$muted"))
    else:
        parts.append(Content.styled(f"{total:,} file{'s' if total != 1 else ''}", "$muted"))
    if failed:
        parts.append(Content.styled(f"  {failed:,} failed", "$text-error"))
    if store.get("status") == "expired":
        parts.append(Content.styled("  expired", "$text-warning"))
    return Content.assemble(*parts)


def _store_facts(store: VectorStore, progress: StoreProgress | None) -> str:
    counts = store["file_counts"]
    read, waiting, failed = counts["completed"], counts["in_progress"], counts["failed"]
    facts = [
        f"- files: `{read:,} read, {waiting:,} waiting, {failed:,} failed`",
        f"- size of what was read: `{size_words(store.get('usage_bytes') or 0)}`",
        f"- status: `{store.get('status')}`",
        f"- created: `{when(store.get('created_at'))}`",
    ]
    if progress is not None and progress.embedding_model is not None:
        refused = f", {progress.refused:,} refused" if progress.refused else ""
        vectors = f"{progress.with_vectors:,} of {progress.pieces:,} pieces{refused}"
        facts.insert(2, f"- found by meaning: `{vectors}`")
    if progress is not None and progress.fault is not None:
        facts.insert(0, f"{as_markdown(progress.fault)}\n\nFiles are found by their words until it works.\n")
    if expires := store.get("expires_at"):
        facts.append(f"- expires: `{when(expires)}`, if nobody searches it until then")
    return "\n".join([*facts, f"- store: `{store['id']}`"])


def _file_facts(file: VectorStoreFile, note: str | None) -> str:
    facts = [
        f"- status: `{file['status'].replace('_', ' ')}`",
        f"- size of what was read: `{size_words(file.get('usage_bytes') or 0)}`",
        f"- file: `{file['id']}`",
    ]
    if (error := file.get("last_error")) is not None:
        facts.insert(0, f"{as_markdown(error['message'])}\n")
    elif note is not None:
        facts.insert(0, f"{as_markdown(note)}\n")
    if file["status"] == "completed":
        facts.append("\nEnter shows the pieces that file search sees.")
    return "\n".join(facts)


def _place(piece: object) -> str:
    """Where in its file a piece stands, as far as the server says it."""
    if not isinstance(piece, dict):
        return ""
    parts = [f"{name} {piece[name]}" for name in ("page", "line") if isinstance(piece.get(name), int)]
    return f" · {', '.join(parts)}" if parts else ""
