"""The files of the server: what is there, what is on its way, and what can be done with a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.content import Content

from assistants_tui.protocol import file_kinds
from assistants_tui.protocol.objects import FileObject
from assistants_tui.service.changes import Changed
from assistants_tui.service.files.upload_queue import Transfer, UploadQueue
from assistants_tui.service.local_paths import pasted_paths, size_words
from assistants_tui.service.times import clock, when
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_actions import open_with_system, save_file, save_file_as
from assistants_tui.tui.dialogs.file_picker import FilePicker
from assistants_tui.tui.dialogs.file_viewer import view_file
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.screens.list_screen import ListScreen, renewed
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList

_PURPOSES: tuple[tuple[str, str], ...] = (
    ("", "all files"),
    ("assistants", "files for assistants"),
    ("assistants_output", "files made by assistants"),
    ("vision", "pictures for messages"),
    ("user_data", "user data"),
)


class FilesScreen(ListScreen):
    """All files that the key of the profile can see, newest first, page by page."""

    TITLE_TEXT = "Files"
    HELP: ClassVar[str] = (
        "u uploads, p shows one purpose, Enter looks into a file. Files can be dropped here too."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "upload", "Upload", id="files.upload", tooltip="Send files of this machine"),
        Binding("s", "save", "Save", id="files.save", tooltip="Save the file in the downloads folder"),
        Binding("S", "save_as", show=False, id="files.save_as", tooltip="Choose where to save the file"),
        Binding("x", "open", show=False, id="files.open", tooltip="Open the file with the system's program"),
        Binding("p", "purpose", "Purpose", id="files.purpose", tooltip="Show files of one purpose"),
        Binding("d,delete", "delete", "Delete", id="files.delete", tooltip="Delete the file"),
        Binding("y", "copy_id", "Copy ID", id="files.copy_id", tooltip="Copy the ID of the file"),
        Binding("r", "reload", show=False, id="files.reload", tooltip="Read the list again"),
    ]

    SHOWS = Changed.FILES

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._files: dict[str, FileObject] = {}
        self._shown: list[FileObject | Transfer] = []
        self._after: str | None = None
        self._purpose = ""
        self._uploads = UploadQueue(workspace.files, workspace.vector_stores, self.draw_soon)
        self._reading = True

    def on_mount(self) -> None:
        self.draw()
        self.action_reload()
        self.look_for_changes(self._notice)

    # the list

    @work(exclusive=True, group="list")
    async def action_reload(self) -> None:
        self._files, self._after = {}, None
        await self._read()

    async def _read(self) -> None:
        self._reading = True
        self.draw()
        with told_failures(self.rows, "Files not listed"):
            page = await self.workspace.files.list(purpose=self._purpose or None, after=self._after)
            self._files |= {file["id"]: file for file in page.items}
            self._after = page.next_cursor
        self._reading = False
        self.draw()

    async def _notice(self) -> None:
        purpose = self._purpose
        page = await self.workspace.files.list(purpose=purpose or None)
        files = renewed(self._files, page)
        if purpose == self._purpose and not self._reading and files != self._files:
            if next(reversed(files), None) != next(reversed(self._files), None):
                self._after = page.next_cursor
            self._files = files
            self.draw_soon()

    def draw(self) -> None:
        words = self.wanted.casefold().split()
        files = [
            file for file in self._files.values() if all(word in _name(file).casefold() for word in words)
        ]
        shown = self._shown = [*self._uploads.transfers, *files]
        more = self._after is not None
        self.rows.empty = (
            "Reading…" if self._reading else "No file matches." if words else "No files yet. u uploads."
        )
        self.rows.set_rows(
            len(shown) + more,
            self._row,
            key=lambda index: _key(shown[index]) if index < len(shown) else "more",
        )
        label = dict(_PURPOSES)[self._purpose]
        size = sum(file.get("bytes") or 0 for file in files)
        self.tell(f"{len(files):,}{'+' if more else ''} of {label}, {size_words(size)}" if files else label)
        self.draw_detail()
        self.refresh_bindings()

    def _row(self, index: int) -> Content:
        if index >= len(self._shown):
            return Content.styled("Read more…", "$text-accent")
        one = self._shown[index]
        if isinstance(one, Transfer):
            return transfer_row(one)
        percent = self.workspace.downloads.running.get(one["id"])
        tail = (
            f"  ↓ {percent} %"
            if percent is not None
            else f"  {size_words(one.get('bytes') or 0)} · {clock(one.get('created_at'))}"
        )
        return Content.assemble(_name(one), (tail, "$muted"))

    @property
    def _file(self) -> FileObject | None:
        index = self.rows.cursor
        one = self._shown[index] if index is not None and index < len(self._shown) else None
        return None if one is None or isinstance(one, Transfer) else one

    def draw_detail(self) -> None:
        index = self.rows.cursor
        one = self._shown[index] if index is not None and index < len(self._shown) else None
        if one is None:
            self.show_detail("", "", "")
        elif isinstance(one, Transfer):
            self.show_detail(_key(one), one.path.name, str(one.error) if one.error else "On its way.")
        else:
            facts = [
                f"- size: `{one.get('bytes') or 0:,} bytes`",
                f"- purpose: `{one.get('purpose')}`",
                f"- created: `{when(one.get('created_at'))}`",
                f"- file: `{one['id']}`",
            ]
            self.show_detail(one["id"], _name(one), "\n".join(facts))

    @on(VirtualList.Selected)
    @work(exclusive=True, group="open")
    async def _opened(self, event: VirtualList.Selected) -> None:
        event.stop()
        if event.key == "more":
            await self._read()
        elif self._file is not None:
            await view_file(self.rows, self.workspace, self._file["id"])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in {"save", "save_as", "open", "delete", "copy_id"}:
            return self._file is not None
        return True

    def action_purpose(self) -> None:
        names = [name for name, _ in _PURPOSES]
        self._purpose = names[(names.index(self._purpose) + 1) % len(names)]
        self.action_reload()

    # sending

    @work(exclusive=True, group="pick")
    async def action_upload(self) -> None:
        paths = await self.app.push_screen_wait(FilePicker("Upload which files?", Path.cwd()))
        if paths:
            await self._upload(paths)

    @work(exclusive=True, group="pick")
    async def on_paste(self, event: events.Paste) -> None:
        """Files that were dropped on the terminal."""
        event.stop()
        if paths := pasted_paths(event.text):
            await self._upload(paths)

    async def _upload(self, paths: Sequence[Path]) -> None:
        purpose = "assistants"
        if all(file_kinds.kind_of(path.name).image for path in paths):
            choice = await self.app.push_screen_wait(
                ChoiceDialog(
                    "What are these pictures for?",
                    "Models look at pictures of messages; tools read files for assistants.",
                    choices=[("vision", "For messages"), ("assistants", "For tools")],
                )
            )
            if choice is None:
                return
            purpose = choice
        self._send(paths, purpose)

    @work(group="upload")
    async def _send(self, paths: Sequence[Path], purpose: str) -> None:
        with told_failures(self.rows, "Not uploaded"):
            await self._uploads.send(paths, purpose=purpose)
            self.action_reload()

    # one file

    @work
    async def action_save(self) -> None:
        if (file := self._file) is not None:
            await save_file(self.rows, self.workspace, file["id"])

    @work
    async def action_save_as(self) -> None:
        if (file := self._file) is not None:
            self.workspace.file_names.file(file["id"])
            await save_file_as(self.rows, self.workspace, file["id"])

    @work
    async def action_open(self) -> None:
        if (file := self._file) is not None:
            await open_with_system(self.rows, self.workspace, file["id"])

    def action_copy_id(self) -> None:
        if (file := self._file) is not None:
            self.copy(file["id"])

    @work
    async def action_delete(self) -> None:
        file = self._file
        if file is None:
            return
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"Delete {clean(_name(file))}?",
                "The server deletes it for good. Messages, assistants and vector stores that use it lose it.",
                choices=[("keep", "Keep it"), ("delete", "Delete it")],
                danger="delete",
            )
        )
        if choice == "delete":
            with told_failures(self.rows, "Not deleted"):
                await self.workspace.files.delete(file["id"])
                self._files.pop(file["id"], None)
                self.draw()


def transfer_row(one: Transfer) -> Content:
    """A file on its way to the server."""
    name = clean(one.path.name).replace("\n", " ")
    match one.state:
        case "failed":
            return Content.assemble(("✗ ", "$text-error"), name, ("  not sent", "$text-error"))
        case "sending":
            return Content.assemble(("↑ ", "$text-accent"), name, (f"  {one.percent} %", "$text-accent"))
    return Content.assemble(("↑ ", "$muted"), name, ("  waits", "$muted"))


def _name(file: FileObject) -> str:
    return clean(file.get("filename") or file["id"]).replace("\n", " ")


def _key(one: FileObject | Transfer) -> str:
    return f"transfer:{one.path}" if isinstance(one, Transfer) else one["id"]
