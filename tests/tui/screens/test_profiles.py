"""Profiles on real servers: connecting a model, going on with another profile, and what can go wrong."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.service.client import local_model_servers
from assistants_tui.service.client.local_model_servers import KnownEndpoint
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.state import update_state
from assistants_tui.tui.screens.profile_wizard import ProfileChoiceDialog, ProfileForm
from assistants_tui.tui.screens.profiles import ProfilesScreen
from support.app import Driver, open_app, use_model
from support.key_store import KeyStore
from support.model_endpoint import DONE, ModelEndpoint, Reply, chunk, refuses, says
from support.served import served


async def choose(driver: Driver, label: str) -> None:
    """Choose one thing to connect to."""
    await driver.until(lambda: isinstance(driver.app.screen, ProfileChoiceDialog))
    await driver.until(lambda: "looking…" not in driver.screen)
    dialog = driver.app.screen
    assert isinstance(dialog, ProfileChoiceDialog)
    for _ in range([choice.label for choice in dialog._choices].index(label)):
        await driver.press("down")
    await driver.press("enter")


async def choosing(driver: Driver, label: str) -> ProfileForm:
    """The form for one thing to connect to."""
    await driver.press("f3")
    await driver.until(lambda: isinstance(driver.app.screen, ProfilesScreen))
    await driver.press("n")
    await choose(driver, label)
    await driver.until(lambda: isinstance(driver.app.screen, ProfileForm))
    assert isinstance(driver.app.screen, ProfileForm)
    return driver.app.screen


def use_provider(name: str) -> None:
    """A provider that nobody reaches."""
    config = user_paths().config_file
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'[models.{name}]\nurl = "http://127.0.0.1:1/v1"\n')


def field(form: ProfileForm, name: str) -> Input:
    return form.query_one(f"#profile-{name}").query_one(Input)


async def test_a_model_server_that_runs_here_is_found_and_answers_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ModelEndpoint(says("Hello from the model."), models=["small", "large"]) as endpoint:
        monkeypatch.setattr(
            "assistants_tui.service.client.local_model_servers.KNOWN_ENDPOINTS",
            (KnownEndpoint("Ollama", endpoint.url),),
        )
        monkeypatch.setattr(
            "assistants_tui.tui.screens.profile_choices.KNOWN_ENDPOINTS", local_model_servers.KNOWN_ENDPOINTS
        )
        async with open_app((80, 24)) as driver:
            assert "F3 Connect" in driver.screen.splitlines()[-1]
            before = [one["id"] for one in driver.chat.workspace.assistants.all]
            await driver.type("2 + 3")
            await driver.until_answered()
            thread_id = driver.conversation.thread_id
            form = await choosing(driver, "Ollama")
            assert field(form, "url").value == endpoint.url
            await driver.until_shown("Enter lists 2 models; empty: small")
            field(form, "default_model").focus()
            await driver.press("enter")
            await driver.until_shown("Which model?")
            await driver.press("down", "enter")
            await driver.until(lambda: field(form, "default_model").value == "large")
            await driver.press("ctrl+s")
            await driver.until(lambda: not driver.chat.workspace.session.lacks_model)
            await driver.until(lambda: driver.chat.workspace.session.connected)
            # all else stays where it was
            assert driver.chat.workspace.session.profile.name == "local"
            assert [one["id"] for one in driver.chat.workspace.assistants.all] == before
            await driver.until(lambda: len(driver.texts) == 2)
            assert driver.conversation.thread_id == thread_id
            assert "F3 Connect" not in driver.screen
            await driver.type("Hi")
            await driver.until_answered(2)
            assert driver.texts[2:] == ["Hi", "Hello from the model."]
            assert endpoint.chats[0]["model"] == "large"
            await driver.press("f3")
            await driver.until_shown("● local  ollama/large")
            await driver.until_shown("Providers of models")
            await driver.press("t")
            await driver.until_shown("ollama: ✓ It answers, and lists 2 models.")
            await driver.press("escape")
            await driver.quit()
        loaded = load_config(user_paths().config_file)
        assert loaded.problems == ()
        assert loaded.config.models["ollama"].url == endpoint.url
        assert loaded.config.profiles["local"].default_model == "ollama/large"


async def test_a_model_that_nobody_chose_is_the_first_that_answers_and_not_the_tutor() -> None:
    async with (
        ModelEndpoint(says("Hello."), models=["all-minilm", "small"]) as endpoint,
        open_app() as driver,
    ):
        form = await choosing(driver, "Another model endpoint")
        field(form, "url").value = endpoint.url
        await driver.press("ctrl+s")
        await driver.until(lambda: not driver.chat.workspace.session.lacks_model)
        await driver.until(lambda: driver.chat.workspace.session.connected)
        await driver.type("Hi")
        await driver.until_answered()
        assert driver.texts == ["Hi", "Hello."]
        assert endpoint.chats[0]["model"] == "small"


async def test_the_tutor_is_chosen_beside_the_providers_that_there_are() -> None:
    use_provider("away")
    async with open_app((80, 24)) as driver:
        await driver.press("f3")
        await driver.until(lambda: isinstance(driver.app.screen, ProfilesScreen))
        await driver.press("n")
        await choose(driver, "Offline tutor")
        await driver.until(lambda: driver.chat.workspace.session.profile.default_model == "offline-tutor")
        await driver.until(lambda: driver.chat.workspace.session.connected)
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.type("2 + 3")
        await driver.until_answered()
        assert "5" in driver.texts[1]
        config = load_config(user_paths().config_file).config
        assert [*config.models] == ["away"]


async def test_a_model_that_is_connected_beside_a_server_goes_to_an_embedded_profile(tmp_path: Path) -> None:
    app = create_app(EngineSettings(data_dir=tmp_path, starter_assistants=True))
    async with served(app) as address, ModelEndpoint(says("Hello.")) as endpoint:
        config = user_paths().config_file
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(f'[profiles.local]\nkind = "openai"\nbase_url = "{address}/v1"\n')
        async with open_app((80, 24)) as driver:
            form = await choosing(driver, "Another model endpoint")
            field(form, "url").value = endpoint.url
            await driver.press("ctrl+s")
            await driver.until(lambda: driver.chat.workspace.session.profile.name == "local-2")
            await driver.until(lambda: driver.chat.workspace.session.connected)
            await driver.type("Hi")
            await driver.until_answered()
            assert driver.texts == ["Hi", "Hello."]


async def test_a_server_that_is_not_reached_is_kept_with_the_name_of_a_model() -> None:
    async with open_app((80, 24)) as driver:
        form = await choosing(driver, "Another model endpoint")
        field(form, "url").value = "http://127.0.0.1:1/v1"
        await driver.press("ctrl+s")
        await driver.until_shown("^S keeps it all the same")
        await driver.press("ctrl+s")
        await driver.until_shown("Name a model: the server has listed none.")
        assert driver.app.focused is field(form, "default_model")
        await driver.press(*"later")
        await driver.press("ctrl+s")
        await driver.until_shown("^S keeps it all the same")
        await driver.press("ctrl+s")
        await driver.until(lambda: driver.chat.workspace.session.profile.default_model == "models/later")


async def test_what_is_wrong_stands_beside_the_field_and_a_key_goes_into_the_store(
    key_store: KeyStore,
) -> None:
    key_store.kept["assistants-tui", "models.mine"] = "sk-earlier"
    use_provider("taken")
    async with ModelEndpoint() as endpoint, open_app((80, 24)) as driver:
        form = await choosing(driver, "Another model endpoint")
        await driver.press("ctrl+s")
        await driver.until_shown("This has to be filled in.")
        await driver.press(*"x:1")
        await driver.press("enter")
        await driver.until_shown("It must be a URL")
        field(form, "url").value = "http://127.0.0.1:1"
        await driver.press("enter")
        await driver.until_shown("Nothing listens at 127.0.0.1:1")
        assert driver.app.focused is field(form, "url")
        field(form, "name").value = "taken"
        await driver.press("ctrl+t")
        await driver.until_shown("There is a provider “taken” already. “taken-2” is")
        field(form, "name").value = "mine"
        field(form, "url").value = endpoint.url
        await driver.press("ctrl+t")
        await driver.until_shown("Use the key that is stored for “mine”?")
        await driver.press("escape", "ctrl+t")
        await driver.until_shown("Use the key that is stored for “mine”?")
        await driver.press("enter")
        await driver.until_shown("It answers, and lists 1 model.")
        assert "authorization" not in endpoint.requests[-1].headers
        field(form, "url").value = "http://127.0.0.1:1"  # the answer was about the other address
        await driver.press("ctrl+t")
        await driver.until_shown("would be sent to http://127.0.0.1:1")
        await driver.press("escape")
        field(form, "url").value = endpoint.url
        field(form, "key").focus()
        await driver.press(*"sk-canary")
        endpoint.refused = refuses(401, {"message": "no such key sk-canary"})
        await driver.press("enter")
        await driver.until_shown("does not accept the key")
        assert driver.app.focused is field(form, "key")
        endpoint.refused = None
        await driver.press("enter")
        await driver.until_shown("It answers, and lists 1 model.")
        assert endpoint.requests[-1].headers["authorization"] == "Bearer sk-canary"
        await driver.press("ctrl+s")
        await driver.until(lambda: driver.chat.workspace.session.profile.default_model == "mine/served")
        assert key_store.kept == {("assistants-tui", "models.mine"): "sk-canary"}
        assert "canary" not in driver.screen + user_paths().config_file.read_text()
        loaded = load_config(user_paths().config_file)
        assert loaded.problems == ()
        assert loaded.config.models["mine"].url == endpoint.url


async def test_a_key_goes_over_plain_http_only_after_a_question(
    key_store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ModelEndpoint() as endpoint, open_app((80, 24)) as driver:
        monkeypatch.setenv("HTTP_PROXY", endpoint.url)  # which answers for every other computer
        form = await choosing(driver, "Another model endpoint")
        field(form, "url").value = "http://models.invalid/v1"
        await driver.press("ctrl+t")
        await driver.until_shown("It answers, and lists 1 model.")
        field(form, "key").value = "sk-canary"
        await driver.press("ctrl+t")
        await driver.until_shown("Send the key to http://models.invalid without encryption?")
        await driver.press("enter")
        await driver.until_shown("Not tried: the key would be sent without encryption.")
        assert not any("canary" in str(request.headers) for request in endpoint.requests)
        await driver.press("ctrl+s")
        await driver.until_shown("Send the key to http://models.invalid without encryption?")
        await driver.press("right", "enter")
        await driver.until(lambda: not driver.chat.workspace.session.lacks_model)
        assert endpoint.requests[-1].headers["authorization"] == "Bearer sk-canary"
        assert load_config(user_paths().config_file).config.models["models"].allow_plain_http


async def test_a_server_of_the_protocol_is_one_more_profile(tmp_path: Path) -> None:
    app = create_app(EngineSettings(data_dir=tmp_path, starter_assistants=True))
    async with served(app) as address, open_app((80, 24)) as driver:
        form = await choosing(driver, "Assistants API server")
        field(form, "base_url").value = f"{address}/v1/nowhere"
        await driver.press("ctrl+s")
        await driver.until_shown("^S keeps it all the same")
        field(form, "base_url").value = f"{address}/v1"
        await driver.press("ctrl+s")
        await driver.until(lambda: driver.chat.workspace.session.profile.name == "server")
        await driver.until(lambda: driver.chat.workspace.session.connected)
        await driver.type("2 + 3")
        await driver.until_answered()
        assert "5" in driver.texts[1]
        thread_id = driver.conversation.thread_id
        await driver.quit()
        update_state(user_paths().state_file, lambda state: replace(state, last_profile="local"))
        async with open_app((80, 24), thread_id=thread_id) as again:  # a thread knows where it is
            assert again.chat.workspace.session.profile.name == "server"
            await again.until(lambda: len(again.texts) == 2)


async def test_without_a_key_store_an_environment_variable_is_offered() -> None:
    async with ModelEndpoint() as endpoint, open_app((80, 24)) as driver:
        form = await choosing(driver, "OpenAI")
        await driver.until_shown("This system has no key store")
        await driver.until_shown("environment variable before you start the app")
        assert field(form, "key_env").value == "OPENAI_API_KEY"
        await driver.press("f1", "pagedown")
        await driver.until_shown("Tab goes from field to field.")
        await driver.press("escape")
        field(form, "url").value = endpoint.url
        field(form, "key").value = "sk-canary"
        await driver.press("ctrl+s")
        await driver.until_shown("it is for api.openai.com alone")
        assert driver.app.focused is field(form, "key_env")
        field(form, "key_env").value = ""
        await driver.press("ctrl+s")
        await driver.until_shown("The system has no key store")
        assert "mine" not in user_paths().config_file.read_text()
        field(form, "key").value = ""
        field(form, "key_env").value = "sk-canary"
        await driver.press("ctrl+s")
        await driver.until_shown("the key itself.")
        await driver.press("escape")
        await driver.until(lambda: isinstance(driver.app.screen, ProfilesScreen))
        await driver.press("d")
        await driver.until_told("e opens it in your editor")
    kept = [path for path in Path.home().rglob("*") if path.is_file() and b"sk-canary" in path.read_bytes()]
    assert kept == []


async def test_changing_the_profile_asks_about_runs_and_each_has_its_own_threads() -> None:
    go_on = asyncio.Event()
    held = Reply([chunk({"role": "assistant", "content": "Once"}), go_on, chunk(finish_reason="stop"), DONE])
    async with ModelEndpoint(held) as endpoint:
        use_model(endpoint.url)
        with user_paths().config_file.open("a") as file:
            file.write('[profiles.other]\nkind = "embedded"\n')
        async with open_app((80, 24)) as driver:
            await driver.type("Tell me a story")
            await driver.until(lambda: driver.texts[1:] == ["Once"])
            await driver.press("f3")
            await driver.until_shown("offline tutor")
            await driver.press("down", "enter")
            await driver.until_shown("A run is still in progress.")
            await driver.press("escape")
            await driver.until(lambda: driver.app.screen is driver.chat)
            assert driver.chat.workspace.session.profile.name == "local"
            await driver.press(*"half")
            await driver.press("f3", "down", "enter")
            await driver.until_shown("Stop and go on")
            await driver.press("right", "right", "enter")
            await driver.until(lambda: driver.chat.workspace.session.profile.name == "other")
            await driver.until(lambda: driver.chat.workspace.session.connected)
            assert driver.texts == []
            assert "Tell me a story" not in driver.screen
            await driver.press("f3", "up", "enter")
            await driver.until(lambda: driver.chat.workspace.session.profile.name == "local")
            await driver.until(lambda: driver.texts == ["Tell me a story", "Once"])
            assert driver.chat.query_one("#composer").text == "half"  # type: ignore[attr-defined]
            # what cannot be sent is not lost either
            previous = user_paths().threads_file.with_name("threads.previous.toml")
            previous.unlink(missing_ok=True)
            previous.symlink_to("nowhere")
            await driver.press("ctrl+n")
            await driver.type("Where to?")
            await driver.until_shown("Nothing was sent")
            await driver.press("f3", "down", "enter")
            await driver.until(lambda: driver.chat.workspace.session.profile.name == "other")
            await driver.press("f3", "up", "enter")
            await driver.until(lambda: driver.chat.workspace.session.profile.name == "local")
            assert driver.chat.query_one("#composer").text == "Where to?"  # type: ignore[attr-defined]
