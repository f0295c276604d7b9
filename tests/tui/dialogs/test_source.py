"""A text of several lines: what it means is said while it is typed, and only a good one is accepted."""

from pathlib import Path

import pytest
from textual.widgets import TextArea

from assistants_tui.tui.dialogs.source import SourceDialog
from support.app import open_app
from support.dialogs import HOSTILE, OpenDialog, open_dialog


def check(text: str) -> str:
    if "good" not in text:
        raise ValueError(f"Not good: {text or 'empty'}")
    return f"✓ {len(text)} characters"


def asking(text: str = "") -> SourceDialog:
    return SourceDialog("A text?", text, check, detail="It has to be good.", name="text.txt")


def source(dialog: OpenDialog) -> TextArea:
    return dialog.app.screen.query_one(TextArea)


async def test_what_a_text_means_is_said_while_it_is_typed() -> None:
    async with open_dialog(asking()) as dialog:
        await dialog.until_shown("Not good: empty")
        await dialog.press(*"good")
        await dialog.until_shown("✓ 4 characters")
        await dialog.press("backspace")
        await dialog.until_shown("Not good: goo")


async def test_a_text_that_cannot_be_used_is_not_accepted_and_stays() -> None:
    async with open_dialog(asking("bad")) as dialog:
        await dialog.press("ctrl+s")
        assert dialog.answers == []
        await dialog.until_shown("Not good: bad")
        assert source(dialog).text == "bad"
        source(dialog).text = "good"
        await dialog.press("ctrl+s")
        assert dialog.answers == ["good"]


async def test_esc_drops_what_was_written_only_after_a_question() -> None:
    async with open_dialog(asking("good")) as dialog:
        await dialog.press("escape")
        assert dialog.answers == [None], "nothing was written"
        await dialog.show(asking("good"))
        await dialog.press("end", "!", "escape")
        await dialog.until_shown("Drop what you have written?")
        await dialog.press("enter")
        await dialog.until_shown("good!")
        assert dialog.answers == [None]
        await dialog.press("escape")
        await dialog.until_shown("Drop what you have written?")
        await dialog.press("right", "enter")
        assert dialog.answers == [None, None]


async def test_a_verdict_with_odd_characters_is_shown_as_text() -> None:
    async with open_dialog(asking(HOSTILE)) as dialog:
        await dialog.until_shown("Not good: [red]a")
        assert "\x1b" not in dialog.text and "\u202e" not in dialog.text


async def test_a_file_takes_the_place_of_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.txt").write_text("a good one")
    (tmp_path / "odd.bin").write_bytes(b"\xff\xfe\x00\x01" * 9)
    async with open_app((100, 30)) as driver:
        dialog = asking()
        driver.app.push_screen(dialog)
        await driver.until_shown("A text?")
        await driver.press("ctrl+o")
        await driver.until_shown("Read a file")
        await driver.type(str(tmp_path / "odd.bin"))
        await driver.until_told("Not read")
        assert dialog.query_one(TextArea).text == ""
        await driver.press("ctrl+o")
        await driver.until_shown("Read a file")
        await driver.type(str(tmp_path / "one.txt"))
        await driver.until_shown("✓ 10 characters")
