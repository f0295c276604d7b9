"""From a fresh start to an answer of a model server that runs on this computer."""

import pytest

from assistants_tui.service.client.local_model_servers import KnownEndpoint
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.paths import user_paths
from support.app import open_app
from support.model_endpoint import ModelEndpoint, says


def runs_here(monkeypatch: pytest.MonkeyPatch, *known: KnownEndpoint) -> None:
    monkeypatch.setattr("assistants_tui.service.client.local_model_servers.KNOWN_ENDPOINTS", known)


async def test_three_keys_to_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    models = ["nomic-embed-text:latest", "llama3.2", "qwen3"]  # as servers list them, newest first
    async with ModelEndpoint(says("Hello from the model."), models=models) as endpoint:
        runs_here(monkeypatch, KnownEndpoint("Ollama", endpoint.url))
        async with open_app((80, 24)) as driver:
            before = [one["id"] for one in driver.chat.workspace.assistants.all]
            assert "offline-tutor" in driver.screen.splitlines()[0]
            await driver.until_shown("Ollama runs on this computer with 2 models.")
            await driver.until_shown("Enter connects llama3.2.")
            await driver.press("enter")
            await driver.until(lambda: not driver.chat.workspace.session.lacks_model)
            await driver.until(lambda: driver.chat.workspace.session.connected)
            assert driver.chat.workspace.session.profile.name == "local"  # all else stays where it was
            assert [one["id"] for one in driver.chat.workspace.assistants.all] == before
            await driver.until(lambda: "ollama/llama3.2" in driver.screen.splitlines()[0])
            await driver.type("Hi")
            await driver.until_answered()
            assert driver.texts == ["Hi", "Hello from the model."]
            run = driver.conversation.latest_run
            assert run is not None and run.run is not None
            assert run.run["model"] == "ollama/llama3.2"
        loaded = load_config(user_paths().config_file)
        assert loaded.problems == ()
        assert loaded.config.models["ollama"].url == endpoint.url
        assert loaded.config.profiles["local"].default_model == "ollama/llama3.2"


async def test_enter_connects_only_what_is_offered_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ModelEndpoint(models=["llama3.2"]) as endpoint:
        runs_here(monkeypatch, KnownEndpoint("Ollama", endpoint.url))
        async with open_app((80, 24)) as driver:
            session = driver.chat.workspace.session
            await driver.until_shown("Enter connects llama3.2.")
            await driver.type("2 + 3")
            await driver.until_answered()
            await driver.press("enter")
            assert session.offer is not None, "nobody can have meant it: the thread is shown in its place"
            await driver.press("ctrl+n")
            await driver.until_shown("Enter connects llama3.2.")
            await driver.press("enter")
            await driver.until(lambda: not driver.chat.workspace.session.lacks_model)


async def test_nothing_is_offered_where_the_tutor_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True)
    config.write_text('[profiles.local]\nkind = "embedded"\ndefault_model = "offline-tutor"\n')
    async with ModelEndpoint(models=["llama3.2"]) as endpoint:
        runs_here(monkeypatch, KnownEndpoint("Ollama", endpoint.url))
        async with open_app((80, 24)) as driver:
            await driver.type("2 + 3")
            await driver.until_answered()
            assert "5" in driver.texts[1]
        assert endpoint.requests == []
