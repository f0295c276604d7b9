"""The first steps: each does what it says."""

from collections.abc import Callable

from assistants_tui.tui.dialogs.file_picker import FilePicker
from assistants_tui.tui.dialogs.guide import GuideScreen
from assistants_tui.tui.dialogs.themes import ThemesScreen
from assistants_tui.tui.screens.assistant_editor import AssistantEditor
from assistants_tui.tui.screens.profiles import ProfilesScreen
from assistants_tui.tui.screens.settings import SettingsScreen
from support.app import Driver, open_app


async def take(driver: Driver, step: int, taken: Callable[[], object]) -> None:
    await driver.press("ctrl+g")
    await driver.until(lambda: isinstance(driver.app.screen, GuideScreen))
    await driver.press(*["j"] * step, "enter")
    await driver.until(taken)


async def back(driver: Driver) -> None:
    await driver.press("escape")
    await driver.until(lambda: driver.app.screen is driver.chat)


async def test_every_step_of_the_guide_succeeds() -> None:
    async with open_app((80, 24)) as driver:
        assert "Ctrl+G guides you" in driver.screen
        composer = driver.chat.query_one("#composer")
        await take(driver, 0, lambda: "3x + 11" in driver.screen)
        await driver.until(lambda: driver.app.focused is composer)
        await driver.press("enter")
        await driver.until_answered()
        assert "x = 1" in driver.texts[1]
        await take(driver, 1, lambda: driver.app.focused is driver.chat.query_one("#run-tree"))
        await driver.until_shown("code interpreter ✓")
        await driver.press("escape")
        await take(driver, 2, lambda: isinstance(driver.app.screen, FilePicker))
        await back(driver)
        await take(driver, 3, lambda: isinstance(driver.app.screen, AssistantEditor))
        await back(driver)
        await take(driver, 4, lambda: isinstance(driver.app.screen, ProfilesScreen))
        await driver.until_shown("A new profile")
        await back(driver)
        await take(driver, 5, lambda: "Search for commands" in driver.screen)
        await back(driver)
        # the pages are commands as well
        composer.focus()
        for command, screen in (
            ("/profile", ProfilesScreen),
            ("/settings", SettingsScreen),
            ("/theme", ThemesScreen),
            ("/guide", GuideScreen),
        ):
            await driver.type(command)
            await driver.until(lambda screen=screen: isinstance(driver.app.screen, screen))  # type: ignore[misc]
            await back(driver)
