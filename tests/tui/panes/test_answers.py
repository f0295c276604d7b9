"""What an answer tells besides its text: its cost, what it missed, why it ended early, what it rests on."""

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from textual import events

from assistants_tui.installation import install_command
from assistants_tui.service.client.backend import open_backend
from assistants_tui.service.files.citations import cited_passages
from assistants_tui.settings.config import LOCAL
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.dialogs.passage import PassageScreen
from assistants_tui.tui.panes.transcript import citation_sources
from support.app import open_app, use_model
from support.model_endpoint import ModelEndpoint, calls, refuses, says


async def test_what_went_wrong_is_said_with_the_way_out() -> None:
    missing = "raise ModuleNotFoundError(\"No module named 'pandas'\", name='pandas')"
    async with ModelEndpoint(
        calls(("code_interpreter", json.dumps({"code": missing}))),
        says("I need pandas."),
        says("word " * 40),
        says("Half an", finish="length"),
        says("All of it."),
        refuses(400, {"message": "The model is asleep."}),
        says("Awake."),
    ) as endpoint:
        use_model(endpoint.url)
        with user_paths().config_file.open("a") as config:
            config.write("[profiles.local.runs]\nmax_response_chars = 60\n")
            config.write("[prices.served]\ninput = 10.0\noutput = 100.0\n")
        async with open_app((160, 50)) as driver:
            await driver.type("Read the table")
            await driver.until_answered()
            await driver.until_told(install_command("code"))
            tree = driver.chat.query_one("#run-tree")
            tree.focus()
            await driver.press("up", "up", "up")
            await driver.until_shown("Missing packages")
            driver.chat.query_one("#run-detail").focus()
            await driver.press("home", "y")
            assert driver.app.clipboard == install_command("code")
            assert "30 in, 12 out · cost 0.0015" in driver.screen
            tree.focus()
            await driver.press("home", "3")
            await driver.until_shown('"object": "thread.run"')
            await driver.press("y")
            assert driver.conversation.latest_run is not None
            assert json.loads(driver.app.clipboard) == driver.conversation.latest_run.run
            await driver.press("1")

            composer = driver.chat.query_one("#composer")
            composer.focus()
            await driver.type("Too long")
            await driver.until_answered(runs=2)
            await driver.until_shown("✗ Cut after 60 characters: the limit `max_response_chars`.")

            await driver.type("Half")
            await driver.until_answered(runs=3)
            await driver.until_shown("✗ Cut off: the run's token limit was reached. r answers again.")
            await driver.until_shown("another message goes on.")
            await driver.press("ctrl+r")
            await driver.until_answered(runs=4)
            await driver.until_shown("All of it.")

            await driver.type("Wake up")
            await driver.until_answered(runs=5)
            await driver.until_shown("cannot use this input: The model is")
            await driver.press("ctrl+r")
            await driver.until_answered(runs=6)
            await driver.until_shown("Awake.")
            assert "cannot use this input" not in driver.screen


async def test_a_footnote_quotes_its_passage_and_opens_it_with_the_words_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ledger.md").write_text("# Rooms\n\nThe library closes at six. The rent is due in May.\n")
    answer = "The rent is due in May【0:0†ledger.md】."
    async with ModelEndpoint(calls(("file_search", json.dumps({"query": "rent"}))), says(answer)) as endpoint:
        use_model(endpoint.url)
        async with open_app((100, 30), assistant="HR Helper") as driver:
            driver.app.post_message(events.Paste(f"{tmp_path}/ledger.md"))  # a file that is dropped
            await driver.until_shown("Attach this file?")
            await driver.press("enter")
            await driver.until_shown("⎘ ledger.md")
            await driver.type("When is the rent due?")
            await driver.until_answered()
            await driver.until_shown("[1] ledger.md, line 3")
            await driver.until_shown("“The rent is due in May.”")
            looked_for = Mock(wraps=cited_passages)
            monkeypatch.setattr(citation_sources, "cited_passages", looked_for)
            driver.chat.workspace.assistants.choose(driver.chat.workspace.assistants.all[0]["id"])
            await driver.pilot.pause()
            assert "“The rent is due in May.”" in driver.screen
            assert not looked_for.called, "everything was drawn again, and nothing found again"
            driver.chat.query_one("#messages").focus()
            await driver.press("end", "enter")
            await driver.until(lambda: isinstance(driver.app.screen, PassageScreen))
            await driver.until_shown("The library closes at six. The rent is due in May.")
            text = driver.app.screen.query_one("#passage-text")
            [span] = text.visual.spans  # type: ignore[attr-defined]
            assert text.visual.plain[span.start : span.end] == "The rent is due in May."  # type: ignore[attr-defined]
            assert "line 3 · score" in driver.screen
            await driver.press("y")
            assert "The rent is due in May." in driver.app.clipboard
            await driver.press("escape")
            await driver.until(lambda: driver.app.screen is driver.chat)


async def test_a_thread_of_somebody_else_is_opened_only_after_a_question() -> None:
    backend = await open_backend(LOCAL, paths=user_paths())
    theirs = (await backend.threads.create())["id"]
    await backend.threads.add_message(theirs, "Something of theirs")
    await backend.close()
    async with open_app((80, 24), thread_id=theirs) as driver:
        await driver.until_shown("Open a thread that is not yours yet?")
        await driver.press("enter")
        await driver.until(lambda: driver.conversation.thread_id is None)
        assert "Something of theirs" not in driver.screen
        assert not driver.chat.workspace.threads.shown
    async with open_app((80, 24), thread_id=theirs) as driver:
        await driver.until_shown("Open a thread that is not yours yet?")
        await driver.press("right", "enter")
        await driver.until_shown("Something of theirs")
        assert [reference.id for reference in driver.chat.workspace.threads.shown] == [theirs]
