"""What an assistant is put together from, each part asked for in a dialog on the real engine."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.service.functions.definitions import TEMPLATE
from assistants_tui.tui.dialogs import assistant_parts as parts
from support.app import Driver, open_app


async def answered(driver: Driver, asking: Coroutine[Any, Any, Any], question: str, *keys: str) -> Any:
    """What comes of a question that is answered with these keys once it is shown."""
    worker = driver.chat.run_worker(asking)
    await driver.until_shown(question)
    await driver.press(*keys)
    await driver.until(lambda: worker.is_finished)
    return worker.result


async def test_a_model_is_chosen_or_typed() -> None:
    async with open_app((80, 24)) as driver:
        models = await (await driver.chat.workspace.session.backend()).models()
        worker = driver.chat.run_worker(parts.ask_model(driver.chat, models))
        await driver.until_shown(models[0]["id"])
        await driver.press("enter")
        await driver.until(lambda: worker.is_finished)
        assert worker.result == models[0]["id"]
        question = "Which model answers?"
        typed = await answered(driver, parts.ask_model(driver.chat, []), question, *"mine-1", "enter")
        assert typed == "mine-1"
        assert await answered(driver, parts.ask_model(driver.chat, models), question, "escape") is None


async def test_files_are_uploaded_where_none_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.txt").write_text("Be kind.")
    names: dict[str, str] = {}
    async with open_app((80, 24)) as driver:
        files = driver.chat.workspace.files
        worker = driver.chat.run_worker(parts.ask_files(driver.chat, files, names, ()))
        await driver.until_shown("Upload files…")
        await driver.press("enter")
        await driver.until_shown("rules.txt")
        await driver.type(str(tmp_path / "rules.txt"))
        await driver.until(lambda: worker.is_finished)
        assert worker.result is not None
        [file_id] = worker.result
        assert names == {file_id: "rules.txt"}
        none_left = parts.ask_files(driver.chat, files, names, [file_id])
        assert await answered(driver, none_left, "Which file?", "escape") == []


async def test_a_store_is_made_where_none_fits() -> None:
    names: dict[str, str] = {}
    async with open_app((80, 24)) as driver:
        stores = driver.chat.workspace.vector_stores
        worker = driver.chat.run_worker(parts.ask_store(driver.chat, stores, names))
        await driver.until_shown("New vector store…")
        await driver.press("enter")
        await driver.until_shown("Name of the new vector store")
        await driver.type("Harbour")
        await driver.until(lambda: worker.is_finished)
        store_id = worker.result
        assert store_id is not None and names == {store_id: "Harbour"}
        assert [one["id"] for one in (await stores.list()).items] == [store_id]
        worker = driver.chat.run_worker(parts.ask_store(driver.chat, stores, names))
        await driver.until_shown("0 files")
        await driver.press("down", "enter")
        await driver.until(lambda: worker.is_finished)
        assert worker.result == store_id


async def test_a_function_begins_as_a_template_and_esc_leaves_it() -> None:
    async with open_app((80, 24)) as driver:
        made = await answered(driver, parts.ask_function(driver.chat), "New function", "ctrl+s")
        assert [function["name"] for function in made] == [TEMPLATE["name"]]
        assert await answered(driver, parts.ask_function(driver.chat), "New function", "escape") is None


async def test_functions_of_a_python_source_are_read_and_what_is_none_is_said() -> None:
    async with open_app((80, 24)) as driver:
        worker = driver.chat.run_worker(parts.ask_source(driver.chat))
        await driver.until_shown("There is no source yet.")
        await driver.press(*"x = 1")
        await driver.until_shown("It has no function at its top level")
        await driver.press("enter", *"def add(a: int, b: int) -> int: pass")
        await driver.until_shown("✓ add(a, b)")
        await driver.press("ctrl+s")
        await driver.until(lambda: worker.is_finished)
        assert worker.result is not None
        assert [function["name"] for function in worker.result] == ["add"]


async def test_a_schema_begins_with_one_that_holds() -> None:
    async with open_app((80, 24)) as driver:
        schema = await answered(
            driver, parts.ask_schema(driver.chat, None), "Schema of the answers", "ctrl+s"
        )
        assert schema["name"] == "answer"
        wrong = driver.chat.run_worker(parts.ask_schema(driver.chat, {"name": "no schema", "schema": 1}))
        await driver.until_shown("Schema of the answers")
        await driver.press("ctrl+s")
        await driver.pilot.pause()
        assert not wrong.is_finished, "it is told what is wrong, and can be mended"
        await driver.press("escape")
        await driver.until(lambda: wrong.is_finished)
        assert wrong.result is None
