"""Help: what it explains, and the keys of where it was opened."""

import re

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.dialogs.help import HelpScreen
from support.app import open_app
from support.dialogs import TINY


async def test_help_explains_and_lists_the_keys_of_the_pane() -> None:
    async with open_app((100, 40)) as driver:
        await driver.press("f1")
        await driver.until_shown("A run step is one thing")
        await driver.press("pagedown")
        await driver.until_shown("Send the message")
        await driver.press("escape")
        await driver.until_shown("Math Tutor is ready")
        driver.chat.query_one("#messages").focus()
        await driver.press("f1")
        await driver.until_shown("Enter or o opens its footnotes")
        await driver.press("pagedown")
        await driver.until_shown("Open the message in your pager")
        assert "d  Del " in driver.screen, "the keys of an action stand together"
        await driver.press("escape")
        await driver.until_shown("Math Tutor is ready")


async def test_help_has_the_keys_that_work_now_and_those_of_the_user() -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('[keys]\n"threads.new" = "ctrl+y"\n')
    async with open_app((100, 40)) as driver:
        await driver.press("f1")
        await driver.press("end")
        await driver.until(lambda: re.search(r"\^Y +Begin a new thread", driver.screen))
        assert "Stop the run" not in driver.screen, "there is none"


async def test_help_is_closed_by_the_keys_that_open_it_and_scrolls_in_a_small_terminal() -> None:
    async with open_app(TINY) as driver:
        for key in ("f1", "q", "question_mark", "escape"):
            driver.chat.action_help()
            await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
            await driver.press("end")
            await driver.until_shown("Esc closes this page")
            await driver.press(key)
            await driver.until(lambda: driver.app.screen is driver.chat)
