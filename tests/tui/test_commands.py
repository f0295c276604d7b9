"""The command palette lists what the panes can do, and does it."""

from support.app import open_app


async def test_actions_of_panes_are_found_and_run_from_anywhere() -> None:
    async with open_app() as driver:
        await driver.press("ctrl+p", *"thrnew")
        await driver.until_shown("Threads: Begin a new thread")
        assert "^N" in driver.screen
        await driver.press("escape")
        await driver.press("ctrl+p", *"hideinspector")
        await driver.until_shown("Inspector: Show or hide the inspector")
        await driver.press("enter")
        await driver.until(lambda: not driver.chat.query_one("#inspector").display)
        for not_ours in ("nextrow", "screenshot", "maximize"):
            await driver.press("ctrl+p", *not_ours)
            await driver.until_shown("No matches found")
            await driver.press("escape")
