"""Assistants to JSON files and from them."""

import json
from pathlib import Path

from support.app import open_app
from support.assistants import in_list, named


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


async def test_a_file_that_is_there_is_replaced_when_the_user_says_so(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text("mine")
    async with open_app() as driver:
        await in_list(driver, "x")
        await driver.until_shown("Export 1 assistant")
        await driver.type(str(path))
        await driver.until_shown("is there already")
        await driver.press("right", "enter")
        await driver.until_told(f"Exported {path}")
        assert json.loads(path.read_text()) == named(driver, "Math Tutor")


async def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with open_app() as driver:
        await in_list(driver, "x")
        await driver.until_shown("Export 1 assistant")
        await driver.type(str(tmp_path / "file" / "one.json"))
        await driver.until_told("Not exported")
