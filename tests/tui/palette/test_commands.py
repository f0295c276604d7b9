"""The command palette lists what the panes can do, and does it."""

from pathlib import Path

import assistants_tui
from assistants_tui.tui.palette.commands import commands_of
from assistants_tui.tui.palette.ranking import ranked
from assistants_tui.tui.palette.synonyms import SYNONYMS
from support.app import open_app


async def test_actions_of_panes_are_found_and_run_from_anywhere() -> None:
    async with open_app() as driver:
        await driver.press("ctrl+p", *"thrnew")
        await driver.until_shown("Begin a new thread")
        assert "^N" in driver.screen
        await driver.press("escape")
        await driver.press("ctrl+p", *"hideinspector")
        await driver.until_shown("Show or hide the inspector")
        await driver.press("enter")
        await driver.until(lambda: not driver.chat.query_one("#inspector").display)
        for not_ours in ("nextrow", "screenshot", "maximize"):
            await driver.press("ctrl+p", *not_ours)
            await driver.until_shown("No command has such a name")
            await driver.press("escape")


async def test_assistants_are_found_by_name_whatever_it_is() -> None:
    async with open_app() as driver:
        backend = await driver.chat.workspace.session.backend()
        await backend.assistants.create({"model": "m", "name": "[bold]Rainer[/bold]"})
        await driver.chat.workspace.assistants.refresh()
        await driver.press("ctrl+p", *"rainer")
        await driver.until_shown("Talk to [bold]Rainer[/bold]")
        await driver.press("escape")
        await driver.press("ctrl+p", *"weather")
        await driver.until_shown("Talk to Weather Bot")
        await driver.press("enter")
        chosen = driver.chat.workspace
        assistants = chosen.assistants
        await driver.until(lambda: assistants.names[assistants.chosen_id or ""] == "Weather Bot")


EVERYDAY = {
    "theme": "app.theme",
    "dark": "app.theme",
    "light": "app.theme",
    "colors": "app.theme",
    "rename": "threads.rename",
    "upload": "composer.attach",
    "attach": "composer.attach",
    "token": "composer.options",
    "temperature": "composer.options",
    "export": "threads.export",
    "download": "inspector.files",
    "quit": "app.quit",
    "exit": "app.quit",
    "new chat": "threads.new",
    "new": "threads.new",
    "delete": "threads.delete",
    "copy": "messages.copy",
    "find": "conversation.find",
    "search": "threads.search",
    "settings": "app.settings",
    "preferences": "app.settings",
    "help": "app.help",
    "shortcuts": "app.help",
    "model": "app.connect",
    "api key": "app.connect",
    "ollama": "app.connect",
    "archive": "threads.archive",
    "pin": "threads.pin",
    "undo": "threads.undo",
    "regenerate": "messages.regenerate",
    "retry": "messages.regenerate",
    "edit": "messages.edit",
    "fork": "messages.branch",
    "sidebar": "sidebar.toggle",
    "history": "sidebar.toggle",
    "run steps": "inspector.toggle",
    "json": "inspector.run",
    "tools": "app.functions",
    "mcp": "app.functions",
    "vector store": "app.stores",
    "knowledge": "app.stores",
    "files": "app.files",
    "editor": "composer.editor",
    "tutorial": "app.guide",
    "system prompt": "assistants.edit",
    "ctrl+n": "threads.new",
    "^q": "app.quit",
    "f12": "app.theme",
}


async def test_everyday_words_find_the_right_command_first() -> None:
    async with open_app() as driver:
        await driver.type("What is 2 + 2?")
        await driver.until_answered()
        commands = commands_of(driver.chat)
        entries = [command.entry for command in commands]
        assert len({entry.id for entry in entries}) == len(entries)
        wrong = {}
        for word, wanted in EVERYDAY.items():
            found = [match.entry.id for match in ranked(entries, word)]
            if found[:1] != [wanted]:
                wrong[word] = found[:3]
        assert wrong == {}
        known = {entry.id for entry in entries}
        assert not set(EVERYDAY.values()) - known


async def test_every_action_of_each_screen_has_a_title_and_a_key() -> None:
    async with open_app() as driver:
        for key in ("f5", "f7", "f8", "f9", "f1"):
            await driver.press(key)
            await driver.until(lambda: driver.app.screen is not driver.chat)
            listed = {command.entry.id for command in commands_of(driver.app.screen)}
            for binding in driver.app.screen.active_bindings.values():
                name = binding.binding.id or ""
                if (
                    binding.enabled
                    and name
                    and not name.startswith(("list.", "dialog.", "help.", "app.commands", "app.back"))
                ):
                    assert name in listed, name
            await driver.press("escape")
            await driver.until(lambda: driver.app.screen is driver.chat)


async def test_what_was_chosen_last_comes_first_also_at_the_next_start() -> None:
    async with open_app() as driver:
        await driver.press("ctrl+p", *"hide inspector", "enter")
        await driver.until(lambda: not driver.chat.query_one("#inspector").display)
        await driver.quit()
    async with open_app() as driver:
        await driver.press("ctrl+p")
        await driver.until_shown("Search for commands")
        await driver.press("enter")
        await driver.until(lambda: driver.chat.query_one("#inspector").display)


async def test_synonyms_belong_to_actions_that_there_are() -> None:
    """A binding that gets another ID would lose its synonyms without a word."""
    sources = "".join(
        file.read_text(encoding="utf-8") for file in Path(assistants_tui.__file__).parent.rglob("*.py")
    )
    assert [name for name in SYNONYMS if f'id="{name}"' not in sources] == []
