"""The editor of assistants on the real engine: what is sent, what is refused, and where that is told."""

import json
from dataclasses import replace
from pathlib import Path

from textual.widgets import Input, Select

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.assistants.draft import Field
from assistants_tui.settings.config import Profile
from assistants_tui.settings.config_editor import append_profile
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.screens.assistant_editor import AssistantEditor
from assistants_tui.tui.widgets.assistant_form import AssistantForm
from support.app import Driver, open_app
from support.model_endpoint import ModelEndpoint

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather of a place",
        "parameters": {
            "type": "object",
            "properties": {"place": {"type": "string"}, "unit": {"type": "string", "enum": ["c", "f"]}},
            "required": ["place"],
        },
    },
}


async def opened(driver: Driver, *keys: str) -> AssistantForm:
    """The form after `keys` in the list of assistants."""
    driver.chat.query_one("#assistant-list").focus()
    await driver.press(*keys)
    await driver.until(lambda: isinstance(driver.app.screen, AssistantEditor))
    form = driver.app.screen.query_one(AssistantForm)
    await driver.until(lambda: "/ 256" in driver.screen)
    return form


async def fill(driver: Driver, form: AssistantForm, name: Field, text: str) -> None:
    """Type into an empty field, or instead of what stands in a number's."""
    form.go_to(name)
    await driver.pilot.pause()
    await driver.press(*text)


async def saved(driver: Driver) -> Assistant:
    await driver.press("ctrl+s")
    await driver.until(lambda: driver.app.screen is driver.chat)
    await driver.pilot.pause()
    rows = driver.chat.query_one("#assistants")
    highlighted: Assistant = rows._highlighted  # type: ignore[attr-defined]  # the row under the cursor
    return highlighted


async def test_a_new_assistant_answers_at_once() -> None:
    async with open_app((80, 24)) as driver:
        form = await opened(driver, "n")
        await driver.until(lambda: form.draft.model == "default")
        await fill(driver, form, "name", "Adder")
        await fill(driver, form, "instructions", "Add numbers.")
        form.go_to("code_interpreter")
        await driver.press("space")
        await fill(driver, form, "temperature", "0.2")
        await fill(driver, form, "metadata", "team = north")
        await driver.until_shown("1 / 16")
        made = await saved(driver)
        assert made["name"] == "Adder"
        assert made["instructions"] == "Add numbers."
        assert made["tools"] == [{"type": "code_interpreter"}]
        assert (made["temperature"], made["top_p"]) == (0.2, 1.0)
        assert made["metadata"] == {"team": "north"}
        assert driver.chat.workspace.assistants.chosen_id == made["id"]
        driver.chat.query_one("#composer").focus()
        await driver.type("2 + 3")
        await driver.until_answered()
        assert "5" in driver.texts[1]


async def test_only_what_was_changed_is_sent() -> None:
    async with open_app() as driver:
        before = driver.chat.workspace.assistants.all[0]
        form = await opened(driver, "e")
        backend = await driver.chat.workspace.session.backend()
        await backend.assistants.update(before, {"description": "Changed elsewhere", "temperature": 0.5})
        form.go_to("name")
        await driver.press("end", *"!")
        await driver.until_shown("not saved")
        after = await saved(driver)
        assert after == {
            **before,
            "name": f"{before['name']}!",
            "description": "Changed elsewhere",
            "temperature": 0.5,
        }


async def test_what_is_too_long_is_counted_and_not_sent() -> None:
    async with open_app() as driver:
        form = await opened(driver, "n")
        form.field("name").query_one(Input).value = "x" * 257
        await driver.until_shown("257 / 256")
        await driver.until_shown("257 characters; 256 are allowed.")
        await fill(driver, form, "temperature", "2.1")
        await fill(driver, form, "top_p", "0.5")
        await driver.until_shown("A number from 0 to 2")
        form.field("temperature").query_one(Input).value = "1.9"
        await driver.until_shown("not both: together")
        await driver.press("ctrl+s")
        await driver.pilot.pause()
        assert driver.app.focused is form.field("name").query_one(Input)
        assert len(driver.chat.workspace.assistants.all) == 4
        form.field("model").query_one(Input).value = ""
        form.field("name").query_one(Input).value = "x" * 256
        await driver.press("ctrl+s")
        await driver.until_shown("An assistant needs a model.")
        await driver.press("escape")
        await driver.until_shown("Save your changes?")
        await driver.press("enter")
        assert form.draft.temperature == "1.9"
        await driver.press("escape")
        await driver.until_shown("Drop them")
        await driver.press("right", "right", "enter")
        await driver.until(lambda: driver.app.screen is driver.chat)
        assert len(driver.chat.workspace.assistants.all) == 4


async def test_an_empty_form_makes_no_assistant() -> None:
    async with open_app() as driver:
        form = await opened(driver, "n")
        headings = form.query(".form-section")
        assert len({heading.content_region.x for heading in headings}) == 1, "they stand below each other"
        await driver.until(lambda: form.draft.model == "default")
        before = len(driver.chat.workspace.assistants.all)
        await driver.press("ctrl+s")
        await driver.until_shown("Nothing is filled in yet.")
        assert len(driver.chat.workspace.assistants.all) == before
        await driver.press(*"Tides", "ctrl+s")
        await driver.until(lambda: len(driver.chat.workspace.assistants.all) == before + 1)


async def test_what_the_server_refuses_is_told_beside_its_field() -> None:
    async with open_app() as driver:
        form = await opened(driver, "n")
        await driver.until(lambda: form.draft.model == "default")
        form.change(replace(form.draft, file_ids=("file-gone",), code_interpreter=True))
        await driver.press("ctrl+s")
        await driver.until(lambda: form.field("file_ids")._note.has_class("-error"))
        assert "file-gone" in str(form.field("file_ids")._note.content)
        assert driver.app.focused is form.items("file_ids")
        await driver.press("d")
        await driver.until(lambda: not form.field("file_ids")._note.has_class("-error"))
        select = form.field("response_format").query_one(Select)
        select.value = "json_object"
        await driver.until_shown("Servers take JSON formats only where all tools are functions.")
        await driver.press("ctrl+s")
        await driver.until(lambda: form.field("response_format")._note.has_class("-error"))
        form.go_to("code_interpreter")
        await driver.press("space")
        form.go_to("response_format")
        await driver.until_shown("The instructions do not mention JSON")
        await fill(driver, form, "instructions", "Answer as JSON")
        form.go_to("response_format")
        await driver.until_shown("The JSON formats work with function tools only")
        made = await saved(driver)
        assert made["response_format"] == {"type": "json_object"}


async def test_functions_are_defined_as_json_and_taken_from_python(tmp_path: Path) -> None:
    source = tmp_path / "tools.py"
    source.write_text("def add(a: int, b: int = 1) -> int:\n    'Add two numbers.'\n    raise SystemExit\n")
    async with open_app() as driver:
        form = await opened(driver, "n")
        await driver.until(lambda: form.draft.model == "default")
        form.go_to("functions")
        await driver.press("enter")
        await driver.until_shown("✓ function_name(place)")
        area = driver.app.screen.query_one("#source")
        area.text = '{"name": "a", "parameters": {"type": "object", "properties": 3}}'  # type: ignore[attr-defined]
        await driver.until_shown("The parameters are no JSON Schema. At properties")
        await driver.press("ctrl+s")
        await driver.pilot.pause()
        area.text = json.dumps({"tools": [WEATHER]})  # type: ignore[attr-defined]
        await driver.until_shown("✓ weather(place, unit)")
        await driver.press("ctrl+s")
        await driver.until_shown("weather(place, unit)  Weather of a place")
        form.go_to("functions")
        await driver.press("end", "enter")
        await driver.until_shown("Functions from Python")
        await driver.press("ctrl+o")
        await driver.until_shown("Read a file")
        await driver.type(str(source))
        await driver.until_shown("✓ add(a, b)")
        await driver.press("ctrl+s")
        await driver.until_shown("add(a, b)  Add two numbers.")
        made = await saved(driver)
        weather, add = (tool["function"] for tool in made["tools"])
        assert weather["parameters"] == WEATHER["function"]["parameters"]  # type: ignore[index]
        assert add["parameters"] == {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 1}},
            "required": ["a"],
            "additionalProperties": False,
        }
        form = await opened(driver, "e")
        form.go_to("functions")
        await driver.press("home", "enter")
        await driver.until_shown("✓ weather(place, unit)")
        await driver.press("escape")
        await driver.press("home", "d")
        await driver.until(lambda: [one["name"] for one in form.draft.functions] == ["add"])
        assert [tool["function"]["name"] for tool in (await saved(driver))["tools"]] == ["add"]


async def test_files_stores_and_a_schema_are_chosen_and_written(tmp_path: Path) -> None:
    document = tmp_path / "speech.txt"
    document.write_text("We choose to go to the moon.")
    async with open_app() as driver:
        form = await opened(driver, "n")
        await driver.until(lambda: form.draft.model == "default")
        form.go_to("file_ids")
        await driver.press("enter")
        await driver.until_shown("Upload files…")
        await driver.press("enter")
        await driver.until_shown("Enter takes or opens")
        await driver.type(str(document))
        await driver.until(lambda: len(form.draft.file_ids) == 1)
        assert form.draft.code_interpreter
        await driver.until_shown("speech.txt  file-")
        form.go_to("vector_store_ids")
        await driver.press("enter")
        await driver.until_shown("New vector store…")
        await driver.press("enter")
        await driver.until_shown("Name of the new vector store")
        await driver.type("speeches")
        await driver.until_shown("speeches  vs_")
        assert form.draft.file_search
        await fill(driver, form, "max_num_results", "7")
        await fill(driver, form, "score_threshold", "0.3")
        draft = form.draft
        made = await saved(driver)
        resources = made["tool_resources"]
        assert resources is not None
        assert resources["code_interpreter"]["file_ids"] == list(draft.file_ids)
        assert resources["file_search"]["vector_store_ids"] == list(draft.vector_store_ids)
        search = made["tools"][1]["file_search"]
        assert search["max_num_results"] == 7
        assert search["ranking_options"]["score_threshold"] == 0.3

        form = await opened(driver, "e")
        await driver.until_shown("speech.txt  file-")
        await driver.until_shown("speeches  vs_")
        form.go_to("file_ids")
        await driver.press("end", "enter")
        await driver.until_shown("Upload files…")
        await driver.until(lambda: "Reading" not in driver.screen)
        assert "speech.txt" not in driver.screen  # it is chosen already
        await driver.press("escape")
        form.go_to("code_interpreter")
        await driver.press("space")
        form.go_to("file_search")
        await driver.press("space")
        form.field("response_format").query_one(Select).value = "json_schema"
        await driver.until_shown("Write the schema for the answers.")
        form.items("schema").focus()
        await driver.press("enter")
        await driver.until_shown("✓ answer")
        await driver.press("ctrl+s")
        await driver.until(lambda: "Write the schema for the answers." not in driver.screen)
        changed = await saved(driver)
        assert changed["tools"] == []
        assert isinstance(changed["response_format"], dict)
        assert changed["response_format"]["json_schema"]["name"] == "answer"


async def test_models_are_those_of_the_server_and_any_other() -> None:
    async with ModelEndpoint(models=["small", "old-model"]) as endpoint:
        endpoint.shutdown_dates["old-model"] = "2024-06-13"
        append_profile(
            user_paths().config_file,
            Profile("mine", "embedded", model_url=endpoint.url, default_model="small"),
        )
        async with open_app(profile="mine") as driver:
            form = await opened(driver, "n")
            await driver.until(lambda: form.draft.model == "small")
            form.go_to("model")
            await driver.press("enter")
            await driver.until_shown("old-model  test  shut down on 2024-06-13")
            for name in ("small", "offline-tutor"):
                assert name in driver.screen
            await driver.press(*"old", "enter")
            await driver.until(lambda: form.draft.model == "old-model")
            await driver.until_shown("Shut down on 2024-06-13.")
            await driver.press("enter")
            await driver.until_shown("Which model answers?")
            await driver.press(*"ft:gpt-4o:me::1")
            await driver.until_shown("ft:gpt-4o:me::1  as typed")
            await driver.press("enter")
            await driver.until_shown("The server does not list this model.")
            assert (await saved(driver))["model"] == "ft:gpt-4o:me::1"
