"""Choosing files: which are offered, how they are marked, and names that are none of ours."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.widgets import Input

from assistants_tui.tui.dialogs.file_picker import FilePicker
from support.app import Driver, open_app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "rooms.txt").write_text("The library closes at six.")
    (tmp_path / "chart.png").write_bytes(b"no picture")
    (tmp_path / "notes.md").write_text("# Notes")
    (tmp_path / f"{'long ' * 20}end.txt").write_text("x")
    (tmp_path / "two\nlines \x1b[31m.txt").write_text("x")
    (tmp_path / ".hidden.txt").write_text("x")
    return tmp_path


def picked(driver: Driver) -> list[Path]:
    """What the picker that is opened now will return."""
    found: list[Path] = []

    def take(paths: Sequence[Path] | None) -> None:
        found.extend(paths or ())

    picker = FilePicker("Which?", Path.cwd(), why_not=lambda name: "no" if name.endswith(".png") else "")
    driver.app.push_screen(picker, take)
    return found


async def test_files_are_marked_completed_and_taken_unless_they_are_refused(folder: Path) -> None:
    async with open_app((80, 24)) as driver:
        found = picked(driver)
        await driver.until_shown("notes.md")
        lines = [line.partition("│")[2].partition("│")[0].strip() for line in driver.screen.splitlines()]
        assert "chart.png  10 B · no" in lines
        assert any(line.startswith("long long") and line.endswith("end.txt  1 B") for line in lines)
        assert any(line.startswith("two lines ") and line.endswith("[31m.txt  1 B") for line in lines)
        assert ".hidden" not in driver.screen
        await driver.press(*"cha", "ctrl+t")
        await driver.until_told("Not chosen No.")
        await driver.press("enter")
        assert isinstance(driver.app.screen, FilePicker), "a refused file is not taken"
        field = driver.app.screen.query_one(Input)
        field.value = "no"
        await driver.until(lambda: "chart.png" not in driver.screen)
        await driver.press("ctrl+t")
        await driver.until_shown("● notes.md")
        field.value = "de"
        await driver.until(lambda: "notes.md" not in driver.screen)
        await driver.press("tab")
        await driver.until_shown("rooms.txt")
        await driver.press("enter")
        await driver.until(lambda: found)
        assert found == [folder / "notes.md"], "marked ones are taken"

        again = picked(driver)
        await driver.until_shown("notes.md")
        driver.app.screen.query_one(Input).value = str(folder / "chart.png")
        await driver.press("enter")
        await driver.until(lambda: [one for one in driver.told if "No." in one][1:])
        for nowhere in ("~nobody/x", "\x00", "no/such/folder/", "x" * 5000):
            driver.app.screen.query_one(Input).value = nowhere
            await driver.press("enter", "tab", "ctrl+t", "down", "up")
        await driver.until_shown("Nothing here begins like that.")
        await driver.pilot.resize_terminal(40, 12)
        driver.app.screen.query_one(Input).value = ""
        await driver.until_shown("deep/")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        assert again == []
