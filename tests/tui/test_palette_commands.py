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


async def test_assistants_are_found_by_name_whatever_it_is() -> None:
    async with open_app() as driver:
        backend = await driver.chat.workspace.session.backend()
        await backend.assistants.create({"model": "m", "name": "[bold]Rainer[/bold]"})
        await driver.chat.workspace.assistants.refresh()
        await driver.press("ctrl+p", *"rainer")
        await driver.until_shown("Talk to: [bold]Rainer[/bold]")
        await driver.press("escape")
        await driver.press("ctrl+p", *"weather")
        await driver.until_shown("Talk to: Weather Bot")
        await driver.press("enter")
        chosen = driver.chat.workspace
        assistants = chosen.assistants
        await driver.until(lambda: assistants.names[assistants.chosen_id or ""] == "Weather Bot")
