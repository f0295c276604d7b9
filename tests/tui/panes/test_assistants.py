"""The list of assistants: filtered, made, duplicated, deleted and brought back, exported and imported."""

import json
from pathlib import Path

from assistants_tui.protocol.objects import Assistant
from support.app import Driver, open_app


async def in_list(driver: Driver, *keys: str) -> None:
    driver.chat.query_one("#assistant-list").focus()
    await driver.press(*keys)


def named(driver: Driver, name: str) -> Assistant:
    return next(one for one in driver.chat.workspace.assistants.all if one["name"] == name)


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


async def test_exporting_and_importing(tmp_path: Path) -> None:
    one, every = tmp_path / "one.json", tmp_path / "all.json"
    async with open_app() as driver:
        await in_list(driver, "x")
        await driver.until_shown("Export 1 assistant")
        await driver.type(str(one))
        await driver.until(one.exists)
        assert json.loads(one.read_text()) == named(driver, "Math Tutor")
        one.write_text("mine")
        await in_list(driver, "X")
        await driver.until_shown("Export 4 assistants")
        await driver.type(str(one))
        await driver.until_shown("is there already")
        await driver.press("enter")
        await driver.until_shown("Export 4 assistants")
        await driver.press("end", "shift+home")
        await driver.type(str(every))
        await driver.until(every.exists)
        assert one.read_text() == "mine"
        assert json.loads(every.read_text())["data"] == driver.chat.workspace.assistants.all
        await in_list(driver, "i")
        await driver.until_shown("Import assistants from JSON files")
        await driver.type(str(every))
        await driver.until_shown("Import 4 assistants from all.json?")
        await driver.press("right", "enter")
        await driver.until_told("4 assistants imported")
        await driver.until(lambda: len(driver.chat.workspace.assistants.all) == 8)


async def test_an_old_file_is_migrated_and_says_what_changes(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    async with open_app() as driver:
        document = tmp_path / "terms.txt"
        document.write_text("The notice period is four weeks.")
        backend = await driver.chat.workspace.session.backend()
        file = await backend.files.upload(document)
        old.write_text(
            json.dumps(
                [
                    {
                        "id": "asst_old",
                        "object": "assistant",
                        "name": "Contracts",
                        "model": "gpt-4-1106-preview",
                        "tools": [{"type": "retrieval"}, {"type": "code-interpreter"}],
                        "file_ids": [file["id"]],
                    },
                    {"name": "x" * 300, "model": "m"},
                ]
            )
        )
        await in_list(driver, "i")
        await driver.until_shown("Import assistants from JSON files")
        await driver.type(str(old))
        await driver.until_shown("Import 1 assistant from old.json?")
        for told in (
            "“retrieval” is called “file_search”",
            "“code_interpreter”",
            "a vector store",
            "Left out:",
        ):
            assert told in driver.screen
        await driver.press("right", "enter")
        await driver.until_told("1 assistant imported")
        made = named(driver, "Contracts")
        assert [tool["type"] for tool in made["tools"]] == ["file_search", "code_interpreter"]
        resources = made["tool_resources"]
        assert resources is not None
        assert resources["code_interpreter"] == {"file_ids": [file["id"]]}
        (store,) = resources["file_search"]["vector_store_ids"]
        attached = await backend.vector_stores.files(store)
        assert [one["id"] for one in attached.items] == [file["id"]]


async def test_a_file_of_another_server_can_be_imported_without_its_files(tmp_path: Path) -> None:
    foreign, broken = tmp_path / "foreign.json", tmp_path / "broken.json"
    foreign.write_text(
        json.dumps(
            {
                "name": "Foreign",
                "model": "m",
                "tools": [{"type": "code_interpreter"}],
                "tool_resources": {"code_interpreter": {"file_ids": ["file-elsewhere"]}},
            }
        )
    )
    broken.write_text("{")
    async with open_app() as driver:
        await in_list(driver, "i")
        await driver.until_shown("Import assistants from JSON files")
        await driver.type(str(broken))
        await driver.until_told("broken.json cannot be imported. Not JSON at line 1")
        await in_list(driver, "i")
        await driver.until_shown("Import assistants from JSON files")
        await driver.type(str(foreign))
        await driver.until_shown("Import 1 assistant from foreign.json?")
        await driver.press("right", "enter")
        await driver.until_told("file-elsewhere")
        await in_list(driver, "i")
        await driver.until_shown("Import assistants from JSON files")
        await driver.type(str(foreign))
        await driver.until_shown("Without files")
        await driver.press("right", "right", "enter")
        await driver.until_told("1 assistant imported")
        assert named(driver, "Foreign")["tool_resources"] == {"code_interpreter": {"file_ids": []}}


async def test_without_assistants_the_list_says_how_to_make_one() -> None:
    async with open_app() as driver:
        backend = await driver.chat.workspace.session.backend()
        for assistant in driver.chat.workspace.assistants.all:
            await backend.assistants.delete(assistant["id"])
        await driver.chat.workspace.assistants.refresh()
        await driver.until_shown("No assistant yet.")
        await in_list(driver, "d", "e", "x")
        assert driver.app.screen is driver.chat
