"""The command palette, for keys that come while it has no rows yet or is closed already."""

from textual import on
from textual.command import CommandList, CommandPalette
from textual.message import Message
from textual.widgets import Input, OptionList


class Palette(CommandPalette):
    """Textual's palette. It runs one command, and takes keys for its list once that can be seen."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Textual looks for the line of a row, and a list without a size has no lines
        if action in {"command_list", "cursor_down"}:
            return bool(self.query_one(CommandList).scrollable_content_region)
        return super().check_action(action, parameters)

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _run_once(self, event: Message) -> None:
        """Enter that is held down comes again while the palette closes, and would run its command again."""
        if not self.is_current:
            event.prevent_default()
