"""The tree run → step → tool call, live."""

from collections.abc import Callable
from itertools import takewhile

from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.runs.state import RunState
from assistants_tui.tui.run_rows import RunRow, rows
from assistants_tui.tui.widgets.virtual_list import VirtualList

OLDER = "older"
"""The key of the line that reads older runs."""


class RunTree(VirtualList):
    """Its cursor follows the newest step until the user chooses another line."""

    def __init__(self, file_name: Callable[[str], str], *, id: str | None = None) -> None:
        super().__init__(
            id=id,
            empty="No run yet. Each answer shows its steps here: code, searches, function calls, messages.",
        )
        self._file_name = file_name
        self._rows = rows((), frozenset(), frozenset(), file_name)
        self._folded: frozenset[str] = frozenset()
        self._unfolded: frozenset[str] = frozenset()
        self._following = True

    def begin(self) -> None:
        """Follow the runs of another conversation."""
        self._folded = self._unfolded = frozenset()
        self._following = True

    def draw(self, conversation: Conversation) -> None:
        """Show the runs of a conversation."""
        has_older = conversation.run_pages.has_older
        older = [RunRow(OLDER, 0, "Read older runs", "Enter", "", "")] if has_older else ()
        lines = self._rows = rows(
            conversation.runs.values(), self._folded, self._unfolded, self._file_name, last=older
        )
        followed = self._newest_row() if self._following else None
        self.set_rows(
            len(lines),
            lambda index: lines[index].content(),
            key=lines.key,
            selected_key=lines.key(followed) if followed is not None else None,
        )

    @property
    def chosen(self) -> RunRow | None:
        """The line under the cursor."""
        return self._rows[self.cursor] if self.cursor is not None and self.cursor < len(self._rows) else None

    def note_choice(self, index: int | None) -> None:
        """The user has gone to a line: the newest step is followed while it is the newest that is chosen."""
        newest = self._newest_row()
        self._following = newest is not None and index == newest

    def set_open(self, row: RunRow, is_open: bool) -> None:
        """Have a line opened or folded when it is drawn the next time."""
        self._folded = self._folded - {row.key} if is_open else self._folded | {row.key}
        self._unfolded = self._unfolded | {row.key} if is_open else self._unfolded - {row.key}

    def _newest_row(self) -> int | None:
        """The last step of the newest run: the one that is being written."""
        newest = takewhile(lambda row: row.run_id == self._rows[0].run_id, self._rows)
        steps = [index for index, row in enumerate(newest) if row.depth == 1]
        return steps[-1] if steps else 0 if self._rows else None


def state_of(row: RunRow | None, conversation: Conversation) -> RunState | None:
    """The run that a line belongs to."""
    return conversation.runs.get(row.run_id) if row is not None else None
