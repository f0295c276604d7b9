"""The list of assistants: filtered, made, duplicated, deleted and brought back again."""

from support.app import open_app
from support.assistants import in_list, named


async def test_the_list_is_filtered_as_one_types() -> None:
    async with open_app() as driver:
        backend = await driver.chat.workspace.session.backend()
        long = "A name that is far too long for the narrow column on the left of the screen " * 2
        await backend.assistants.create(
            {
                "model": "m",
                "name": long,
                "metadata": {"team": "north"},
                "tools": [{"type": "code_interpreter"}],
            }
        )
        await driver.chat.workspace.assistants.refresh()
        await driver.until_shown("A name that is")
        row = next(line for line in driver.screen.splitlines() if "A name that is" in line)
        assert "…  py" in row
        await in_list(driver, "slash", *"hr he")
        await driver.until(lambda: "Math Tutor  py" not in driver.screen)
        assert "HR Helper" in driver.screen
        await driver.press("backspace", "backspace", "backspace", "backspace", "backspace", *"team=north")
        await driver.until_shown("…  py")
        await driver.press(*"x")
        await driver.until_shown("No assistant matches.")
        await driver.press("escape")
        await driver.until_shown("Weather Bot")
        assert driver.app.focused is driver.chat.query_one("#assistant-list")


async def test_duplicating_deleting_and_undoing() -> None:
    async with open_app() as driver:
        original = named(driver, "Weather Bot")
        await in_list(driver, "end", "c")
        await driver.until_shown("Weather Bot (copy)")
        copy = named(driver, "Weather Bot (copy)")
        assert {**copy, "id": "", "name": "", "created_at": 0} == {
            **original,
            "id": "",
            "name": "",
            "created_at": 0,
        }
        await driver.press("y")
        await driver.until_told(copy["id"])
        assert driver.app.clipboard == copy["id"]
        await driver.press("d")
        await driver.until_shown("Delete “Weather Bot (copy)”?")
        await driver.press("escape", "d")
        await driver.until_shown("Delete “Weather Bot (copy)”?")
        await driver.press("right", "enter")
        await driver.until(lambda: "Weather Bot (copy)" not in driver.screen)
        await driver.until_shown("u Undo")
        await driver.press("u")
        await driver.until_shown("Weather Bot (copy)")
        again = named(driver, "Weather Bot (copy)")
        assert again["id"] != copy["id"]
        assert {**again, "id": "", "created_at": 0} == {**copy, "id": "", "created_at": 0}
        await driver.until(lambda: "u Undo" not in driver.screen)


async def test_without_assistants_the_list_says_how_to_make_one() -> None:
    async with open_app() as driver:
        backend = await driver.chat.workspace.session.backend()
        for assistant in driver.chat.workspace.assistants.all:
            await backend.assistants.delete(assistant["id"])
        await driver.chat.workspace.assistants.refresh()
        await driver.until_shown("No assistant yet.")
        await in_list(driver, "d", "e", "x")
        assert driver.app.screen is driver.chat
