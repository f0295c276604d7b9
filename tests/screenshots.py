"""Draws the pictures of `screenshots/` anew: the real app on its embedded engine, with real runs.

    python tests/screenshots.py

The clock stands still and the home directory is empty, so that the pictures change only when the app does.
"""

import asyncio
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

from textual.widgets import Input, TextArea

from assistants_tui.tui.screens.profile_wizard import ProfileChoiceDialog
from support.app import EQUATION, Driver, open_app

FOLDER = Path(__file__).parent.parent / "screenshots"
NOON = 1763640000.0  # 2025-11-20 12:00 UTC
GUIDE = """\
# Harbour guide

## Ferries

The *Aino* leaves the northern quay at nine, from May to September. Bicycles travel free of charge.

## Opening hours

The library closes at six, on Saturdays at three. The harbour office opens at seven every day.
"""


async def pictures(work: Path) -> AsyncIterator[tuple[str, str]]:
    """The names and SVGs of all pictures, from one launch of the app in the folder `work`."""
    (work / "harbour-guide.md").write_text(GUIDE)
    with patch.object(time, "time", lambda: NOON):
        async with open_app((160, 50)) as driver:
            driver.app.animation_level = "none"
            await driver.until_shown("Math Tutor is ready")
            await _math_tutor(driver)
            yield "conversation", await _picture(driver, "Ink", (160, 50))
            await driver.press("f4")
            driver.chat.query_one("#composer").focus()
            yield "conversation-paper", await _picture(driver, "Paper", (100, 30))
            await _themes(driver, "Tokyo Night")
            yield "themes", await _picture(driver, "Tokyo Night", (100, 30))
            await driver.press("escape")
            await _vector_store(driver)
            yield "vector-stores", await _picture(driver, "Gruvbox", (100, 24))
            await _close(driver)
            await _editor(driver)
            yield "assistant-editor", await _picture(driver, "Catppuccin Mocha", (120, 36))
            await _close(driver)
            await _wizard(driver)
            yield "profile-wizard", await _picture(driver, "Solarized Light", (100, 30))
            await _close(driver)
            await _functions(driver)
            yield "functions", await _picture(driver, "Ink", (120, 36))


async def _math_tutor(driver: Driver) -> None:
    await driver.type(EQUATION)
    await driver.until_answered()
    await driver.until_shown("completed")
    driver.chat.query_one("#run-tree").focus()
    await driver.press("up", "up", "up")
    await driver.until_shown("Code")


async def _themes(driver: Driver, last: str) -> None:
    await driver.press("f12")
    while driver.app.theme != last:
        await driver.press("j")


async def _vector_store(driver: Driver) -> None:
    await driver.press("f8")
    await driver.until_shown("No vector stores yet")
    await driver.press("n")
    await driver.until_shown("Name of the vector store")
    await driver.type("Harbour")
    await driver.until_shown("Harbour")
    await driver.press("a")
    await driver.until_shown("Add which files to Harbour?")
    await driver.press(*"harbour", "enter")
    await driver.until_shown("✓ harbour-guide.md")
    await driver.press("t")
    await driver.until_shown("Search Harbour for")
    await driver.type("when does the library close")
    await driver.until_shown("The library closes at six")


async def _editor(driver: Driver) -> None:
    driver.chat.query_one("#assistant-list").focus()
    await driver.press("n")
    await driver.until_shown("/ 256")


async def _wizard(driver: Driver) -> None:
    await driver.press("f3")
    await driver.until_shown("A new profile")
    await driver.press("n")
    await driver.until(lambda: "looking…" not in driver.screen and "Connect to" in driver.screen)
    dialog = driver.app.screen
    assert isinstance(dialog, ProfileChoiceDialog)
    above = [choice.label for choice in dialog._choices].index("OpenAI")
    await driver.press(*["down"] * above, "enter")
    await driver.until_shown("no key store")


async def _functions(driver: Driver) -> None:
    driver.chat.query_one("#assistant-list").focus()
    await driver.press("end", "enter")
    await driver.type("What is the weather in Oulu?")
    await driver.until_shown("The run waits for")


async def _close(driver: Driver) -> None:
    """Back to the conversation."""
    while driver.app.screen is not driver.chat:
        await driver.press("escape")
        await driver.pilot.pause()


async def _picture(driver: Driver, theme: str, size: tuple[int, int]) -> str:
    driver.app.theme = theme
    await driver.pilot.resize_terminal(*size)
    driver.app.clear_notifications()
    for field in driver.app.screen.query("Input, TextArea").results():
        assert isinstance(field, Input | TextArea)
        field.cursor_blink = False
    before = ""
    while (drawn := driver.screen) != before:
        before = drawn
        await asyncio.sleep(0.1)
        await driver.pilot.pause()
    # rich puts a sum over the picture into its names, for pages with many, and counts invisible IDs in
    return re.sub(r"terminal-\d+-", "terminal-", driver.app.export_screenshot(title="assistants-tui"))


async def _write() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(
            HOME=home, TZ="UTC", LANG="C.UTF-8", TERM="xterm-256color", COLORTERM="truecolor",
            PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
        )  # fmt: skip
        for name in [
            name for name in os.environ if name.startswith(("XDG_", "OPENAI_", "AZURE_", "NO_COLOR"))
        ]:
            del os.environ[name]
        time.tzset()
        work = Path(home) / "work"
        work.mkdir()
        os.chdir(work)
        async for name, svg in pictures(work):
            (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
            print(FOLDER / f"{name}.svg")


if __name__ == "__main__":
    asyncio.run(_write())
