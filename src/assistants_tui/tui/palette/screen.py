"""The command palette: type some of what a command does, see one row per command, run it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from assistants_tui.tui.palette.commands import Command, commands_of
from assistants_tui.tui.palette.ranking import Match, ranked
from assistants_tui.tui.widgets.filter_field import FilterField
from assistants_tui.tui.widgets.virtual_list import VirtualList

_GROUP_FROM = 50
"""Cells of a row from which on it names the group of its command."""


class PaletteScreen(ModalScreen[Command | None]):
    """The result is the chosen command, for the caller to run; None after Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back"),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    PaletteScreen {
        align: center middle;
        background: $background 60%;
        & .dialog { height: 26; }
        & VirtualList {
            height: 1fr;
            margin-top: 1;
            & > .virtual-list--cursor-blurred { background: $primary 30%; text-style: bold; }
        }
    }
    """

    def __init__(self, below: Screen[Any], recent: Sequence[str]) -> None:
        """`below` is the screen whose commands are listed, `recent` are the IDs of those used last."""
        super().__init__()
        self._commands = {command.entry.id: command for command in commands_of(below)}
        self._recent = recent
        self._found: Sequence[Match] = ()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield FilterField(placeholder="Search for commands")
            rows = VirtualList(empty="No command has such a name. F1 explains this screen.")
            rows.can_focus = False
            yield rows
            yield Static(Content("Enter runs the command, Esc goes back"), classes="dialog-hint")

    def on_mount(self) -> None:
        self._keys = max((Content(command.key).cell_length for command in self._commands.values()), default=0)
        self._groups = max((len(command.entry.group) for command in self._commands.values()), default=0)
        self._search("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._search(event.value)

    def _search(self, query: str) -> None:
        entries = [command.entry for command in self._commands.values()]
        self._found = found = ranked(entries, query, self._recent)
        first = found[0].entry.id if found else None
        self._rows.set_rows(
            len(found), self._row, key=lambda index: found[index].entry.id, selected_key=first
        )

    @property
    def _rows(self) -> VirtualList:
        return self.query_one(VirtualList)

    def _row(self, index: int) -> Content:
        match = self._found[index]
        entry, width = match.entry, self._rows.row_width
        with_group = width >= _GROUP_FROM
        right = self._keys + (self._groups + 2 if with_group else 0)
        title = Content(entry.title)
        for at in match.marked:
            title = title.stylize("bold $text-accent", at, at + 1)
        room = max(1, width - right - 2)
        line = title.truncate(room, ellipsis=True).pad_right(max(0, room - title.cell_length) + 2)
        if with_group:
            line += Content.styled(entry.group.ljust(self._groups + 2), "$muted")
        key = Content(self._commands[entry.id].key)
        return line + Content.styled(" " * (self._keys - key.cell_length) + key.plain, "$muted")

    def action_move(self, step: int) -> None:
        self._rows.action_move(step)

    def action_page(self, direction: int) -> None:
        self._rows.action_page(direction)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._take(self._rows.cursor)

    @on(VirtualList.Selected)
    def _clicked(self, event: VirtualList.Selected) -> None:
        event.stop()
        self._take(event.index)

    def _take(self, index: int | None) -> None:
        # Enter that is held down comes again while this closes, and would run its command again
        if self.is_current and index is not None and index < len(self._found):
            self.dismiss(self._commands[self._found[index].entry.id])
