"""Keys, and all the places where they must not be: a canary is looked for in whatever the program leaves."""

import asyncio
import io
import logging
from pathlib import Path

import psutil
import pytest
from rich.console import Console
from rich.traceback import Traceback
from starlette.types import ASGIApp, Receive, Scope, Send

from assistants_tui.cli import main
from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.service.client.backend import Backend, open_backend
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.export.document import SUFFIXES
from assistants_tui.settings.config import Profile
from assistants_tui.settings.paths import user_paths
from support.app import open_app
from support.key_store import KeyStore
from support.processes import command_line, running
from support.served import served

ENVIRONMENT, KEY_STORE, MODEL = "sk-canary-environment", "sk-canary-keystore", "sk-canary-model"
CANARY = "canary"


class Talkative:
    """A server that quotes whole requests in its errors, and sends some of them on to another host."""

    def __init__(self, application: ASGIApp, other: str) -> None:
        self._application = application
        self._other = other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.endswith("/models"):
            words = "; ".join(f"{name.decode()}: {value.decode()}" for name, value in scope["headers"])
            body = '{"error": {"message": "We got ' + words.replace('"', "'") + '"}}'
            await _answer(send, 400, [(b"content-type", b"application/json")], body.encode())
        elif path.endswith("/files"):
            await _answer(send, 307, [(b"location", f"{self._other}/v1/files".encode())], b"")
        else:
            await self._application(scope, receive, send)


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Listener:
    """Another host, which remembers what it was sent."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.heard += [name + b": " + value for name, value in scope["headers"]]
            await _answer(send, 200, [(b"content-type", b"application/json")], b'{"data": []}')
        else:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})


async def failure(backend: Backend) -> str:
    """What is left of a request that is quoted back: words, and the traceback with variables of a crash."""
    try:
        await backend.client.get("models")
    except ServiceError as error:
        console = Console(file=io.StringIO(), width=200)
        console.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
        assert isinstance(console.file, io.StringIO)
        return f"{error} {error!r} {console.file.getvalue()}"
    raise AssertionError("it did not fail")


async def test_a_key_goes_to_its_server_and_nowhere_else(
    empty_machine: Path,
    key_store: KeyStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TEAM_KEY", ENVIRONMENT)
    monkeypatch.setenv("MODEL_KEY", MODEL)
    monkeypatch.setenv("OPENAI_API_KEY", MODEL)
    key_store.kept["assistants-tui", "ring"] = KEY_STORE
    other = Listener()
    engine = create_app(EngineSettings(tmp_path / "served", api_keys={ENVIRONMENT: "ada", KEY_STORE: "ada"}))
    left: list[str] = []
    async with served(other) as elsewhere, served(Talkative(engine, elsewhere)) as url:
        profiles = _write_config(url)
        for profile in profiles:
            backend = await open_backend(profile, paths=user_paths())
            left.append(await failure(backend))
            assert await backend.client.get("files") == {"data": []}, "the other host answers"
            await _work(backend)
            await backend.close()
        async with open_app(profile="ring", assistant="Tutor") as driver:
            await driver.type("Hello")
            await driver.until_answered()
            left.append(driver.screen + driver.app.export_screenshot())
            workspace, [thread] = driver.chat.workspace, driver.chat.workspace.threads.shown
            for form, suffix in SUFFIXES.items():
                path = tmp_path / f"export{suffix}"
                await workspace.exporter.export(thread.id, form, path)
                left.append(path.read_text())
            left += map(command_line, [psutil.Process(), *running()])
        await asyncio.to_thread(main, ["doctor"])
    printed = capsys.readouterr()
    left += [printed.out, printed.err, caplog.text]
    assert "✓ ring" in printed.out and "✓ team" in printed.out
    assert [one for one in left if CANARY in one] == []
    assert other.heard and not any(CANARY.encode() in header for header in other.heard)
    for folder in (empty_machine, tmp_path):
        found = [
            path for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()
        ]
        assert found == []


def _write_config(url: str) -> list[Profile]:
    config = user_paths().config_file
    config.parent.mkdir(parents=True)
    config.write_text(
        'default_profile = "ring"\n'
        f'[profiles.ring]\nkind = "openai"\nbase_url = "{url}/v1"\n'
        f'[profiles.team]\nkind = "openai"\nbase_url = "{url}/v1"\napi_key_env = "TEAM_KEY"\n'
        '[profiles.local]\nkind = "embedded"\nmodel_url = "http://127.0.0.1:9/v1"\n'
        'model_api_key_env = "MODEL_KEY"\n'
    )
    azure = Profile("azure", "azure", azure_endpoint=url, api_version="2024-05-01", api_key_env="TEAM_KEY")
    return [
        Profile("team", "openai", base_url=f"{url}/v1", api_key_env="TEAM_KEY"),
        Profile("ring", "openai", base_url=f"{url}/v1"),
        azure,
    ]


async def _work(backend: Backend) -> None:
    """Something that needs the key, and code that looks for it."""
    if await backend.assistants.list():
        return
    tools = [{"type": "code_interpreter"}]
    await backend.assistants.create({"model": "offline-tutor", "name": "Tutor", "tools": tools})
