"""The composer: commands, files, options, and what waits to be sent."""

import asyncio
from pathlib import Path

import pytest
from textual import events

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.panes.composer.pane import ComposerPane
from assistants_tui.tui.widgets.attached_files import AttachedFiles
from assistants_tui.tui.widgets.composer import LONG_LINE
from support.app import Driver, open_app_with
from support.model_endpoint import DONE, Reply, chunk, says


def pane_of(driver: Driver) -> ComposerPane:
    return driver.chat.query_one(ComposerPane)


def answerer(driver: Driver) -> str | None:
    assistant = driver.chat.workspace.assistants.chosen
    return assistant["name"] if assistant is not None else None


def paste(driver: Driver, text: str) -> None:
    driver.app.post_message(events.Paste(text))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a table and a note."""
    (tmp_path / "speech.csv").write_text("year,count\n2020,3\n2021,5\n")
    (tmp_path / "notes.md").write_text("# Notes\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_files_are_chosen_used_in_another_way_removed_and_sent(folder: Path) -> None:
    async with open_app_with(says("Two."), says("Two."), assistant="Math Tutor") as driver:
        await driver.press("ctrl+o")
        await driver.until_shown("Attach files")
        await driver.until_shown("speech.csv  25 B")
        await driver.press(*"note", "tab")
        await driver.until_shown("notes.md")
        await driver.press("enter")
        await driver.until_shown("⎘ notes.md  for code")
        paste(driver, "/attach spe")
        await driver.until_shown("speech.csv")
        await driver.press("enter")
        await driver.until(lambda: len(pane_of(driver).draft.files) == 2)
        await driver.press("shift+tab")
        await driver.until(lambda: isinstance(driver.app.focused, AttachedFiles))
        await driver.press("home", "space")
        await driver.until_shown("⎘ notes.md  for file search: no tool here reads it")
        await driver.press("delete", "tab")
        await driver.until(lambda: "notes.md" not in driver.screen)
        await driver.type("How many rows are there?")
        await driver.until_answered()
        assert pane_of(driver).draft.files == ()
        await driver.until_shown("⎘ speech.csv")
        # typed at once, before the app has done what Enter asks for
        for event in (events.Paste("And columns?"), events.Key("enter", None), events.Paste("What else")):
            driver.app.post_message(event)
        await driver.until_answered(2)
        assert (driver.texts[-2], pane_of(driver).composer.text) == ("And columns?", "What else")
        pane_of(driver).composer.clear()
        await driver.press(*"/re")
        await driver.until_shown("Replace the last answer by a new one")
        for key in [*"name", "space", *"Tides", "enter"]:
            driver.app.post_message(
                events.Key(key, " " if key == "space" else key if len(key) == 1 else None)
            )
        await driver.until(lambda: driver.chat.workspace.threads.shown[0].title == "Tides", seconds=20)
        (attached,) = next(iter(driver.conversation.messages.values()))["attachments"] or []
        assert attached["tools"] == [{"type": "code_interpreter"}]


async def test_dropped_files_are_offered_and_long_pastes_become_files(folder: Path) -> None:
    async with open_app_with(says("Long."), says("Much."), assistant="Math Tutor") as driver:
        paste(driver, f"'{folder}/speech.csv'")
        await driver.until_shown("Attach this file?")
        await driver.press("enter")
        await driver.until_shown("⎘ speech.csv  for code")
        await driver.press("backspace")
        await driver.until(lambda: pane_of(driver).draft.files == ())
        paste(driver, f"{folder}/notes.md")
        await driver.until_shown("Attach this file?")
        await driver.press("right", "enter")
        await driver.until(lambda: pane_of(driver).composer.text == f"{folder}/notes.md")
        pane_of(driver).composer.clear()
        paste(driver, "word " * LONG_LINE)
        await driver.until_shown("⎘ Pasted text  as text")
        assert pane_of(driver).composer.text == ""
        (file,) = pane_of(driver).draft.files
        assert file.path is not None
        await driver.press("enter")
        await driver.until_answered()
        assert next(iter(driver.conversation.messages.values()))["content"][0]["text"]["value"] == (
            "word " * LONG_LINE
        )
        assert not file.path.exists()
        paste(driver, "all that a message cannot hold\n" * 33_000)
        await driver.until_shown("⎘ Pasted text  for code")
        await driver.type("What stands there?")
        await driver.until_answered(2)
        (attached,) = list(driver.conversation.messages.values())[2]["attachments"] or []
        assert attached["tools"] == [{"type": "code_interpreter"}]


async def test_a_long_text_that_cannot_be_a_file_stays_text() -> None:
    text = "long " * LONG_LINE
    pasted = user_paths().cache_dir / "pasted"
    pasted.parent.mkdir(parents=True, exist_ok=True)
    pasted.write_text("no folder")
    async with open_app_with() as driver:
        composer = pane_of(driver).composer
        for give in (composer.paste, composer.put):
            give(text)
            await driver.until_told("The pasted text cannot be kept")
            await driver.until(lambda: composer.text == text)
            driver.told.clear()
            composer.load_text("")


async def test_a_long_text_stays_with_the_thread_it_was_for(monkeypatch: pytest.MonkeyPatch) -> None:
    text, asked, goes_on = "long " * LONG_LINE, asyncio.Event(), asyncio.Event()
    async with open_app_with(says("Hello.")) as driver:
        await driver.type("hi")
        await driver.until_answered()
        thread_id = driver.conversation.thread_id
        assert thread_id is not None
        keep = driver.chat.workspace.drafts.keep_paste

        async def slow(text: str) -> Path:
            asked.set()
            await goes_on.wait()
            return await keep(text)

        monkeypatch.setattr(driver.chat.workspace.drafts, "keep_paste", slow)  # a slow disk
        paste(driver, text)
        await asyncio.wait_for(asked.wait(), 30)
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.conversation.thread_id is None)
        goes_on.set()
        await driver.until(lambda: driver.chat.workspace.drafts.get(thread_id).files)
        assert not pane_of(driver).draft.files


async def test_commands_are_completed_and_carried_out() -> None:
    async with open_app_with(says("Five."), size=(160, 40)) as driver:
        await driver.press("/", "a", "s")
        await driver.until_shown("Let another assistant answer from now on")
        await driver.press("tab")
        await driver.until_shown("Weather Bot")
        await driver.press(*"Wea")
        await driver.until(lambda: pane_of(driver).composer.text == "/assistant Wea")
        await driver.press("enter")
        await driver.until(lambda: answerer(driver) == "Weather Bot")
        assert pane_of(driver).composer.text == ""
        await driver.type("/nwe")
        await driver.until_told("There is no command /nwe")
        assert pane_of(driver).composer.text == "/nwe"
        pane_of(driver).composer.clear()
        await driver.type("/rename Sums")
        await driver.until_told("There is no thread yet.")
        await driver.type("/assistant Math Tutor")
        await driver.until(lambda: answerer(driver) == "Math Tutor")
        await driver.type("//new is what I type for 2 + 3")
        await driver.until_answered()
        assert driver.texts[0] == "/new is what I type for 2 + 3"
        await driver.type("/rename My sums")
        await driver.until(lambda: [one.title for one in driver.chat.workspace.threads.shown] == ["My sums"])
        await driver.type("/pin")
        await driver.until_shown("Pinned")
        await driver.type("/help")
        await driver.until_shown("How it works")
        await driver.press("escape")
        await driver.type("/new")
        await driver.until(lambda: driver.conversation.thread_id is None)
        await driver.press("/", "escape")
        assert pane_of(driver).composer.text == "/"
        assert "Begin a new thread" not in driver.screen


async def test_options_are_set_shown_and_sent() -> None:
    async with open_app_with(says("{}"), says("8."), assistant="Weather Bot", size=(160, 50)) as driver:
        await driver.press("f6")
        await driver.until_shown("Options of the next runs")
        driver.app.screen.query_one("#option-temperature").focus()
        await driver.type("3")
        await driver.until_shown("A number from 0 to 2 is needed here.")
        await driver.press("backspace", *"0.5", "ctrl+t")
        await driver.until_shown("⚙ This thread: temperature 0.5")
        await driver.press("f6")
        await driver.until_shown("Options of the next runs")
        driver.app.screen.query_one("#option-response_format").focus()
        await driver.type("json_object")
        await driver.until_shown("Next message: json_object")
        await driver.press(*"2 + 3")
        await driver.until_shown("mention JSON")
        await driver.press(*" as JSON")
        await driver.until(lambda: "mention JSON" not in driver.screen)
        await driver.press("enter")
        await driver.until_answered()
        await driver.until(lambda: "Next message" not in driver.screen)
        await driver.type("/tool getCurrentWeather")
        await driver.until_shown("tool getCurrentWeather")
        await driver.type("4 + 4")
        await driver.until_answered(runs=2)
        first, second = (state.run for state in driver.conversation.runs.values())
        assert first is not None
        assert second is not None
        assert (first["temperature"], first["response_format"]) == (0.5, {"type": "json_object"})
        assert (second["temperature"], second["response_format"]) == (0.5, "auto")
        assert second["tool_choice"] == {"type": "function", "function": {"name": "getCurrentWeather"}}


async def test_what_waits_is_taken_back_and_every_thread_keeps_its_draft() -> None:
    go_on = asyncio.Event()
    held = Reply([chunk({"content": "Well"}), go_on, chunk({"content": "."}, "stop"), DONE])
    async with open_app_with(held) as driver:
        await driver.type("Tell me what you can do")
        await driver.until(lambda: driver.texts[1:] == ["Well"])
        await driver.type("2 + 2")
        await driver.until_shown("Waiting: goes out when the run ends")
        await driver.press("up")
        await driver.until(lambda: pane_of(driver).composer.text == "2 + 2")
        assert not driver.conversation.outbox
        go_on.set()
        await driver.until_answered()
        first = driver.conversation.thread_id or ""
        await driver.press("ctrl+n")
        await driver.until(lambda: pane_of(driver).composer.text == "")
        await driver.press(*"other")
        await driver.chat.workspace.conversations.open(first)
        await driver.until(lambda: pane_of(driver).composer.text == "2 + 2")
        await driver.press("ctrl+n")
        await driver.until(lambda: pane_of(driver).composer.text == "other")


async def test_a_draft_keeps_its_files_over_a_restart_as_long_as_they_are_there(folder: Path) -> None:
    async with open_app_with(says("Fine."), assistant="Math Tutor") as driver:
        await driver.press(*"Look")
        pane_of(driver).attach([folder / "speech.csv", folder / "notes.md"])
        await driver.quit()
    (folder / "notes.md").unlink()
    async with open_app_with(says("Fine."), assistant="Math Tutor") as driver:
        await driver.until_told("No longer there, so not attached notes.md")
        assert pane_of(driver).composer.text == "Look"
        assert [file.path for file in pane_of(driver).draft.files] == [folder / "speech.csv"]
        await driver.press("enter")
        await driver.until_answered()
        await driver.quit()
    assert not list(user_paths().drafts_dir.glob("*.json"))
