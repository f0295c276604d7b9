"""The format and the path of an export."""

from pathlib import Path

from textual.widgets import Input

from assistants_tui.tui.dialogs.export import ExportDialog
from support.dialogs import HOSTILE, TINY, open_dialog


async def test_the_format_changes_the_suffix_and_the_path_is_the_users(tmp_path: Path) -> None:
    async with open_dialog(ExportDialog("Trip", tmp_path)) as dialog:
        await dialog.press("down", "down", "up", "enter")
        assert dialog.answers == [("html", tmp_path / "Trip.html")]

        await dialog.show(ExportDialog("Trip", tmp_path, "json"))
        dialog.app.screen.query_one(Input).value = "notes.txt"
        await dialog.press("up", "enter")
        assert dialog.answers[1:] == [("html", tmp_path / "notes.txt")], "a suffix of the user's stays"

        await dialog.show(ExportDialog("Trip", tmp_path))
        dialog.app.screen.query_one(Input).value = "  "
        await dialog.press("enter", "escape")
        assert dialog.answers[2:] == [None]


async def test_any_title_leaves_room_for_the_choice(tmp_path: Path) -> None:
    async with open_dialog(ExportDialog(HOSTILE, tmp_path), TINY) as dialog:
        assert "Markdown, to read" in dialog.text
        assert ".md" in dialog.text
        assert "\x1b" not in dialog.text
