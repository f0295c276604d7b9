"""The command palette: it opens, finds, and runs what was found on the screen below."""

from assistants_tui.tui.palette.screen import PaletteScreen
from support.app import Driver, open_app


async def opened(driver: Driver) -> None:
    await driver.press("ctrl+p")
    await driver.until_shown("Search for commands")


async def test_the_command_palette_opens() -> None:
    async with open_app() as driver:
        await driver.press("ctrl+p")
        await driver.until_shown("Search for commands")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)


async def test_keys_for_its_list_do_nothing_before_there_are_rows() -> None:
    async with open_app() as driver:
        driver.app.action_command_palette()
        driver.app.action_command_palette()  # it is not opened twice
        await driver.press("down", "down", "pagedown", "end")
        await driver.until_shown("Search for commands")
        assert [isinstance(screen, PaletteScreen) for screen in driver.app.screen_stack].count(True) == 1
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)


async def test_a_command_is_found_by_some_letters_and_run_once() -> None:
    async with open_app() as driver:
        await opened(driver)
        await driver.press(*"hide left col")
        await driver.until_shown("Show or hide the left column")
        await driver.press("enter", "enter")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.until(lambda: not driver.chat.query_one("#sidebar").display)
