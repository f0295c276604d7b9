"""The choice of colours: tried on, kept or not; and which themes are offered."""

from dataclasses import replace

from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.state import load_state, update_state
from assistants_tui.tui.dialogs.themes import ThemesScreen, offered_themes
from assistants_tui.tui.themes import bundled_folder
from support.app import open_app
from support.patience import until


def test_our_themes_come_first_and_no_name_twice() -> None:
    assert offered_themes(["nord", "gruvbox", "Nord", "Ink"], "Ink") == ["Nord", "Ink", "gruvbox"]
    assert offered_themes(["nord", "Nord"], "nord") == ["Nord", "nord"], "the one that is worn is offered"


async def test_themes_are_tried_on_and_kept_or_not() -> None:
    folder = user_paths().themes_dir
    folder.mkdir(parents=True)
    update_state(user_paths().state_file, lambda state: replace(state, focus="run-tree"))
    async with open_app((80, 24)) as driver:
        mine = (bundled_folder() / "ink.toml").read_text().replace('name = "Ink"', 'name = "Mine"')
        (folder / "mine.toml").write_text(mine)  # while the app runs
        assert driver.app.focused is driver.chat.query_one("#composer"), "nobody sees the inspector here"
        await driver.press("f12")
        await driver.until(lambda: isinstance(driver.app.screen, ThemesScreen))
        before = driver.app.theme
        await driver.press("j")
        await driver.until(lambda: driver.app.theme == "Nord")
        await driver.press("escape")
        await driver.until(lambda: driver.app.theme == before)
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.press("f12")

        async def worn() -> bool:
            await driver.press("j")
            await driver.pilot.pause()
            return driver.app.theme == "Mine"

        await until("it follows the shipped ones", worn)
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.quit()
    assert load_state(user_paths().state_file).theme == "Mine"
