"""The backend against the real engine: in this process, over TCP as OpenAI serves it, and as Azure does."""

import dataclasses
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.protocol.objects import Usage
from assistants_tui.service.client.backend import Backend, open_backend
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.runs.hooks import Hooks
from assistants_tui.service.runs.state import RunState
from assistants_tui.settings.config import LOCAL, Profile, RunSettings
from assistants_tui.settings.paths import Paths
from support.served import served

QUESTION = "I need to solve `3x + 11 = 14`. Can you help me?"
Way = Callable[[RunSettings, Hooks], Any]


@pytest.fixture(params=["embedded", "openai", "azure"])
def way(
    request: pytest.FixtureRequest,
    paths: Paths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Way:
    """Opens a backend over one of the three ways to the engine."""

    @asynccontextmanager
    async def remote(runs: RunSettings, hooks: Hooks) -> AsyncIterator[Backend]:
        settings = EngineSettings(
            data_dir=tmp_path / "served", api_keys={"key-of-ada-1": "ada"}, starter_assistants=False
        )
        async with served(create_app(settings)) as url:
            monkeypatch.setenv("TEAM_KEY", "key-of-ada-1")
            profile = Profile(
                name="remote",
                kind="openai",
                base_url=f"{url}/v1",
                api_key_env="TEAM_KEY",
                runs=runs,
            )
            if request.param == "azure":
                profile = Profile(
                    name="remote",
                    kind="azure",
                    azure_endpoint=f"{url}/",
                    api_version="2024-05-01-preview",
                    api_key_env="TEAM_KEY",
                    runs=runs,
                )
            backend = await open_backend(profile, paths=paths, hooks=hooks)
            await backend.assistants.create(
                {"model": "offline-tutor", "name": "Math Tutor", "tools": [{"type": "code_interpreter"}]}
            )
            yield backend
            await backend.close()

    @asynccontextmanager
    async def embedded(runs: RunSettings, hooks: Hooks) -> AsyncIterator[Backend]:
        backend = await open_backend(dataclasses.replace(LOCAL, runs=runs), paths=paths, hooks=hooks)
        yield backend
        await backend.close()

    return embedded if request.param == "embedded" else remote


async def ask(backend: Backend, question: str = QUESTION) -> tuple[str, RunState, list[RunState]]:
    assistant = next(one for one in await backend.assistants.list() if one["name"] == "Math Tutor")
    thread = await backend.threads.create()
    await backend.threads.add_message(thread["id"], question)
    states = [state async for state in backend.runs.start(thread["id"], assistant["id"])]
    return thread["id"], states[-1], states


def text(state: RunState) -> str:
    return "".join(
        (part.get("text") or {"value": ""})["value"]
        for message in state.messages.values()
        for part in message["content"]
    )


async def test_a_question_is_answered_and_the_end_state_is_what_the_server_has(way: Way) -> None:
    used: list[Usage] = []
    async with way(RunSettings(), Hooks(tokens_consumed=used.append)) as backend:
        thread_id, state, states = await ask(backend)
        assert (state.status, state.error) == ("completed", None)
        assert "x = 1" in text(state)
        assert len(states) > 3  # it was shown while it was written
        assert state.run is not None
        read_again = await backend.runs.load(thread_id, state.run["id"])
        assert read_again == state
        assert [*read_again.messages] == [*state.messages]
        assert [*read_again.steps] == [*state.steps]
        followed = [one async for one in backend.runs.follow(thread_id, state.run["id"])]
        assert followed == [state]
        assert used == [state.run["usage"]]
        page = await backend.threads.messages(thread_id)
        assert [message["role"] for message in page.items] == ["assistant", "user"]


async def test_polling_ends_in_the_same_state_as_reading_again(way: Way) -> None:
    settings = RunSettings(stream=False, poll_initial_delay=0.0, poll_interval=0.05)
    async with way(settings, Hooks()) as backend:
        thread_id, state, _ = await ask(backend)
        assert state.status == "completed"
        assert state.run is not None
        assert await backend.runs.load(thread_id, state.run["id"]) == state


async def test_what_the_user_edits_is_what_the_server_keeps(way: Way) -> None:
    async with way(RunSettings(), Hooks()) as backend:
        assistant = await backend.assistants.create({"model": "offline-tutor", "name": "A", "metadata": {}})
        changed = await backend.assistants.update(assistant, {**assistant, "name": "B", "temperature": 0.5})
        assert (changed["name"], changed["temperature"]) == ("B", 0.5)
        assert await backend.assistants.retrieve(assistant["id"]) == changed
        await backend.assistants.delete(assistant["id"])
        with pytest.raises(ServiceError) as gone:
            await backend.assistants.retrieve(assistant["id"])
        assert (gone.value.status, gone.value.kind) == (404, "not_found")

        thread = await backend.threads.create({"metadata": {"topic": "sums"}})
        message = await backend.threads.add_message(thread["id"], "one", metadata={"n": "1"})
        edited = await backend.threads.update_message(thread["id"], message["id"], {"n": "2"})
        assert edited["metadata"] == {"n": "2"}
        for number in range(5):
            await backend.threads.add_message(thread["id"], str(number))
        page = await backend.threads.messages(thread["id"], limit=4)
        older = await backend.threads.messages(thread["id"], limit=4, after=page.next_cursor)
        shown = [one["content"][0]["text"]["value"] for one in [*page.items, *older.items]]
        assert shown == ["4", "3", "2", "1", "0", "one"]
        assert older.next_cursor is None
        await backend.threads.delete_message(thread["id"], message["id"])
        assert len((await backend.threads.messages(thread["id"])).items) == 5
        listed = await backend.threads.list()
        assert listed is not None
        assert thread["id"] in [one["id"] for one in listed.items]
        await backend.threads.delete(thread["id"])
        with pytest.raises(ServiceError):
            await backend.threads.retrieve(thread["id"])


async def test_files_go_up_and_come_back_unchanged(way: Way, paths: Paths, tmp_path: Path) -> None:
    source = tmp_path / "tides.csv"
    source.write_bytes(bytes(range(256)) * 1024)
    sent: list[tuple[int, int | None]] = []
    async with way(RunSettings(), Hooks()) as backend:
        file = await backend.files.upload(source, progress=lambda done, total: sent.append((done, total)))
        assert (file["filename"], file["bytes"]) == ("tides.csv", 262_144)
        assert sent[-1] == (262_144, 262_144)
        assert [done for done, _ in sent] == sorted(done for done, _ in sent)
        fetched: list[tuple[int, int | None]] = []
        first = await backend.files.download(
            file["id"], progress=lambda done, total: fetched.append((done, total))
        )
        second = await backend.files.download(file["id"])
        assert (first.name, second.name) == ("tides.csv", "tides (2).csv")
        assert first.parent == paths.downloads_dir
        assert first.read_bytes() == second.read_bytes() == source.read_bytes()
        assert (fetched[0][0], fetched[-1][0]) == (0, 262_144)
        listed = await backend.files.list()
        assert [one["id"] for one in listed.items] == [file["id"]]
        await backend.files.delete(file["id"])
        assert (await backend.files.list()).items == []


async def test_a_refused_request_says_why_and_is_reported(way: Way) -> None:
    failures: list[ServiceError] = []
    async with way(RunSettings(), Hooks(failed=failures.append)) as backend:
        with pytest.raises(ServiceError) as caught:
            await backend.assistants.create({"model": "offline-tutor", "temperature": 3})
        assert caught.value.status == 400
        assert caught.value.param == "temperature"
        assert caught.value.no_effect
        assert caught.value.what.startswith(("The embedded engine refused", "127.0.0.1:"))
        assert failures == [caught.value]


async def test_models_are_offered_where_the_server_lists_them(way: Way) -> None:
    async with way(RunSettings(), Hooks()) as backend:
        models = [model["id"] for model in await backend.models()]
        assert bool(models) == (backend.profile.kind != "azure")


async def test_the_embedded_engine_starts_with_assistants_that_the_next_start_knows_at_once(
    paths: Paths,
) -> None:
    backend = await open_backend(LOCAL, paths=paths)
    assert backend.cached_assistants() == []
    found = await backend.assistants.list()
    assert found[0]["name"] == "Math Tutor"
    await backend.close()
    again = await open_backend(LOCAL, paths=paths)
    assert again.cached_assistants() == found
    await again.close()


async def test_the_embedded_engine_takes_a_large_folder_at_once(paths: Paths) -> None:
    """The limit of requests a minute is for servers, and a minute's wait would be one for nothing."""
    backend = await open_backend(LOCAL, paths=paths)
    try:
        store = await backend.vector_stores.create("All", [])
        for _ in range(301):
            with pytest.raises(ServiceError, match="No such File object"):
                await backend.vector_stores.add_file(store["id"], "file-none")
    finally:
        await backend.close()


async def test_two_windows_share_the_embedded_profile(paths: Paths) -> None:
    one, other = await open_backend(LOCAL, paths=paths), await open_backend(LOCAL, paths=paths)
    thread_id, state, _ = await ask(one)
    assert state.run is not None
    assert await other.runs.load(thread_id, state.run["id"]) == state
    _, second, _ = await ask(other)
    assert second.status == "completed"
    await one.close()
    assert (await other.threads.retrieve(thread_id))["id"] == thread_id
    await other.close()


async def test_an_engine_that_cannot_open_its_store_says_so(paths: Paths) -> None:
    paths.engine_dir("local").parent.mkdir(parents=True)
    paths.engine_dir("local").write_text("in the way")
    with pytest.raises(ServiceError) as caught:
        await open_backend(LOCAL, paths=paths)
    assert caught.value.kind == "settings"
    assert "local" in str(caught.value)


@pytest.mark.parametrize(
    "module",
    ["runs.state", "errors", "message_text", "threads.history", "client.backend", "client.connection"],
)
def test_the_modules_of_the_first_frame_load_nothing_heavy(module: str) -> None:
    import subprocess

    code = (
        f"import sys, assistants_tui.service.{module}; "
        "print(*sorted({'openai', 'httpx2', 'pydantic', 'starlette', 'sqlalchemy', 'keyring', 'filelock'} "
        "& {*sys.modules}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == []
