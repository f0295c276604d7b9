"""The files of the server, from the keyboard."""

import io
from pathlib import Path

import pytest
from textual import events
from textual.widgets import DataTable

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.dialogs.file_viewer import ViewerScreen
from assistants_tui.tui.screens.files import FilesScreen
from support.app import Driver, open_app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tides.csv").write_text("port,height\nOulu,0.4\nBath,9\n")
    (tmp_path / "notes.txt").write_text("Remember the *tide*.")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (tmp_path / "empty.txt").touch()
    return tmp_path


async def opened(driver: Driver) -> FilesScreen:
    await driver.press("f7")
    await driver.until_shown("No files yet")
    screen = driver.app.screen
    assert isinstance(screen, FilesScreen)
    return screen


async def test_files_are_sent_looked_at_saved_and_deleted(folder: Path) -> None:
    async with open_app((100, 30)) as driver:
        await opened(driver)
        await driver.press("u")
        await driver.until_shown("Upload which files?")
        await driver.press(*"empty", "ctrl+t", *["backspace"] * 5)
        await driver.until_shown("tides.csv")
        await driver.until_shown("Enter takes the marked file")
        await driver.press(*"tides")
        await driver.until_shown("Enter takes the marked file")
        await driver.press("ctrl+t")
        await driver.until_shown("Enter takes the 2 marked files")
        await driver.press("enter")
        await driver.until_shown("1 of all files")
        await driver.until_shown("✗ empty.txt  not sent")
        assert "is empty" in driver.screen
        await driver.press("down")
        await driver.until_shown("purpose: assistants")
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, ViewerScreen))
        await driver.until_shown("Oulu")
        table = driver.app.screen.query_one(DataTable)
        await driver.press("j")
        assert table.cursor_row == 1
        await driver.press("k")
        assert table.cursor_row == 0
        await driver.press("s")
        saved = user_paths().downloads_dir / "tides.csv"
        await driver.until(saved.exists)
        assert saved.read_bytes() == (folder / "tides.csv").read_bytes()
        await driver.press("escape", "d")
        await driver.until_shown("Delete tides.csv?")
        await driver.press("right", "enter")
        await driver.until_shown("✗ empty.txt")
        await driver.until(lambda: "tides.csv" not in driver.screen.replace("tides.csv?", ""))
        backend = await driver.chat.workspace.session.backend()
        assert (await backend.files.list()).items == []


async def test_dropped_files_filters_and_purposes(folder: Path) -> None:
    async with open_app((100, 30)) as driver:
        screen = await opened(driver)
        screen.post_message(events.Paste(f"{folder / 'notes.txt'} {folder / 'tides.csv'}"))
        await driver.until_shown("2 of all files")
        screen.post_message(events.Paste(str(folder / "photo.png")))
        await driver.until_shown("What are these pictures for?")
        await driver.press("enter")
        await driver.until_shown("3 of all files")
        await driver.press("p", "p", "p")
        await driver.until_shown("1 of pictures for messages")
        await driver.press("enter")
        await driver.until_shown("The picture cannot be read")
        await driver.press("escape", "p", "p")
        await driver.until_shown("3 of all files")
        await driver.press("slash", *"note", "enter")
        await driver.until_shown("1 of all files")
        await driver.press("y")
        assert driver.app.clipboard.startswith("file-")
        await driver.press("enter")
        await driver.until_shown("Remember the *tide*.")
        await driver.press("escape", "escape")
        await driver.until_shown("3 of all files")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)


async def test_long_lists_come_page_by_page() -> None:
    async with open_app((100, 30)) as driver:
        backend = await driver.chat.workspace.session.backend()
        for number in range(101):
            await backend.client.upload("files", {"purpose": "assistants"}, f"{number}.txt", io.BytesIO(b"x"))
        await driver.press("f7")
        await driver.until_shown("100+ of all files")
        await driver.press("end")
        await driver.until_shown("Read more…")
        await driver.press("enter")
        await driver.until_shown("101 of all files")
