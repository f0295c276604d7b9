"""The files of the thread: those that were attached, and those that its runs made."""

from assistants_tui.service.files.thread_files import ThreadFile, thread_files
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.file_rows import file_row
from assistants_tui.tui.widgets.virtual_list import VirtualList


class ThreadFileList(VirtualList):
    """One line for each file."""

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id, empty="No files yet. Attach one, or let code make one.")
        self._workspace = workspace
        self._files: list[ThreadFile] = []

    def draw(self) -> None:
        """Show the files of the shown conversation."""
        conversation, names = self._workspace.conversations.shown, self._workspace.file_names
        files = self._files = thread_files(conversation.messages.values(), conversation.runs.values())
        running = self._workspace.downloads.running
        self.set_rows(
            len(files),
            lambda index: file_row(files[index], names, running),
            key=lambda index: files[index].file_id,
        )

    @property
    def chosen(self) -> ThreadFile | None:
        """The file under the cursor."""
        return (
            self._files[self.cursor] if self.cursor is not None and self.cursor < len(self._files) else None
        )
