"""One file over the whole screen, by its kind, whatever is in it."""

from typing import Any

import pytest
from textual.widgets import DataTable

from assistants_tui.service.files.previews import Preview, preview
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.dialogs.file_viewer import ViewerScreen, view_file
from support.app import open_app
from support.dialogs import HOSTILE, OpenDialog, open_dialog

NOT_USED: Any = None
"""The workspace, which only saving and opening ask."""


def viewer(name: str, shown: Preview) -> ViewerScreen:
    return ViewerScreen(NOT_USED, "file-1", name, "9 B", shown)


def copied(dialog: OpenDialog) -> str:
    return dialog.app.clipboard


@pytest.mark.parametrize(
    ("name", "data", "shown"),
    [
        ("notes.txt", b"Remember the *tide*.", "Remember the *tide*."),
        ("notes.md", b"Remember the **tide**.", "Remember the tide."),
        ("tide.py", b"tide = 1\n", "tide = 1"),
        ("empty.txt", b"", "s saves the file."),
        ("blob.bin", b"\x00\x01\x02", "s saves the file."),
        ("broken.png", b"\x89PNG\r\n\x1a\n", "broken.png"),
    ],
)
async def test_each_kind_of_file_is_shown(name: str, data: bytes, shown: str) -> None:
    async with open_dialog(viewer(name, preview(name, data, len(data)))) as dialog:
        await dialog.until_shown(name)
        await dialog.until_shown(shown)
        await dialog.press("y", "escape")
        assert dialog.answers == [None]


async def test_a_table_is_walked_with_the_keys_of_vim_and_copied_whole() -> None:
    rows = [["port", "height"], *([f"Oulu {number}", str(number)] for number in range(40))]
    async with open_dialog(viewer("tides.csv", Preview("table", rows=rows))) as dialog:
        await dialog.until_shown("Oulu 0")
        table = dialog.app.screen.query_one(DataTable)
        await dialog.press("j", "j", "k")
        assert table.cursor_row == 1
        await dialog.press("G")
        await dialog.until_shown("Oulu 39")
        await dialog.press("g")
        await dialog.until_shown("Oulu 0")
        await dialog.press("y")
        assert copied(dialog).splitlines()[:2] == ["port\theight", "Oulu 0\t0"]


async def test_hostile_names_and_cells_are_text() -> None:
    shown = Preview("table", rows=[[HOSTILE, "b"], ["1", HOSTILE]], note="Only the beginning.")
    async with open_dialog(viewer(HOSTILE, shown)) as dialog:
        await dialog.until_shown("Only the beginning.")
        assert "[red]a" in dialog.text
        assert not {"\x1b", "\u202e"} & set(dialog.text)
        await dialog.press("y")
        assert not {"\x1b", "\u202e"} & set(copied(dialog))


async def test_a_file_that_the_server_has_not_any_more_is_told() -> None:
    async with open_app((80, 24)) as driver:
        await view_file(driver.chat, driver.chat.workspace, "file-gone")
        await driver.until_told("Not shown")
        assert driver.app.screen is driver.chat


async def test_a_file_of_the_server_is_shown_and_saved() -> None:
    async with open_app((80, 24)) as driver:
        path = user_paths().config_file.parent / "tide.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("High at nine.")
        backend = await driver.chat.workspace.session.backend()
        file = await backend.files.upload(path)
        await view_file(driver.chat, driver.chat.workspace, file["id"])
        await driver.until_shown("High at nine.")
        await driver.press("s")
        await driver.until_told("tide.txt")
        await driver.press("q")
        await driver.until(lambda: driver.app.screen is driver.chat)
