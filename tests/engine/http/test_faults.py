"""When clients stop in the middle, and when the engine itself fails."""

import asyncio
import logging
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from assistants_tui.engine.app import EngineSettings, ModelProvider, create_app
from assistants_tui.engine.http import body_stream
from assistants_tui.engine.store import runs
from assistants_tui.engine.store.database import FILE_NAME, Database
from assistants_tui.protocol.objects import Json
from support.engine import error_of, make, open_engine
from support.model_endpoint import ModelEndpoint

FORM = (
    b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"a" * 100_000
)


def blobs(settings: EngineSettings) -> list[Path]:
    return [path for path in (settings.data_dir / "files").rglob("*") if path.is_file()]


async def send_half(settings: EngineSettings, then: str) -> list[Json]:
    """Send half an upload to an engine and then hang up or say nothing more. What it answered."""
    app = create_app(settings)
    half: list[Json] = [{"type": "http.request", "body": FORM, "more_body": True}]
    sent: list[Json] = []

    async def receive() -> Json:
        if half:
            return half.pop()
        if then == "silence":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Json = {
        "type": "http",
        "method": "POST",
        "path": "/v1/files",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=x")],
    }
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    return sent


async def test_client_hangs_up(engine_settings: EngineSettings, caplog: pytest.LogCaptureFixture) -> None:
    assert await send_half(engine_settings, "disconnect") == []
    assert blobs(engine_settings) == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_client_says_nothing_more(
    engine_settings: EngineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_stream, "IDLE_SECONDS", 0.01)
    start, _ = await send_half(engine_settings, "silence")
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert blobs(engine_settings) == []


async def test_fault_of_the_engine(
    http: httpx2.AsyncClient, engine_settings: EngineSettings, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite3.connect(engine_settings.data_dir / FILE_NAME) as raw:
        raw.execute("DROP TABLE assistants")
    raw.close()
    response = await http.post("/assistants", json={"model": "s3cret"})
    error = error_of(response)
    assert (response.status_code, error["type"]) == (500, "server_error")
    assert "assistants" not in error["message"]
    assert response.headers["x-request-id"] in caplog.text
    assert "no such table" in caplog.text
    assert "s3cret" not in caplog.text


async def test_thread_is_locked_while_a_run_is_active(
    http: httpx2.AsyncClient, engine_settings: EngineSettings
) -> None:
    thread = await make(http, "/threads", messages=[{"role": "user", "content": "hello"}])
    path = f"/threads/{thread['id']}/messages"
    database = await Database.open(engine_settings.data_dir)
    values = {
        "assistant_id": "asst_x",
        "status": "requires_action",
        "model": "m",
        "instructions": "",
        "tools": [],
        "metadata": {},
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "parallel_tool_calls": True,
        "expires_at": 4_000_000_000,
    }
    async with database.write() as connection:
        run = await runs.create(connection, "local", thread["id"], 1, values)
    refused = await http.post(path, json={"role": "user", "content": "more"})
    assert refused.status_code == 400
    assert error_of(refused) == {
        "message": f"Can't add messages to {thread['id']} while a run {run['id']} is active.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    # everything else goes on
    listed = (await http.get(path)).json()["data"]
    await make(http, f"{path}/{listed[0]['id']}", metadata={"a": "b"})
    await make(http, f"/threads/{thread['id']}", tool_resources={"code_interpreter": {"file_ids": []}})
    assert (await http.delete(f"{path}/{listed[0]['id']}")).status_code == 200
    async with database.write() as connection:
        await runs.change(connection, run["id"], {"status": "completed"})
    await database.close()
    await make(http, path, role="user", content="more")


class TestModels:
    """The list of models is the endpoint's, and the offline tutor."""

    async def test_without_endpoint(self, http: httpx2.AsyncClient) -> None:
        default, tutor = (await http.get("/models")).json()["data"]
        assert (default["id"], default["root"]) == ("default", "offline-tutor")
        assert (await http.get("/models/default")).json() == default
        assert (tutor["id"], tutor["object"]) == ("offline-tutor", "model")
        assert (await http.get("/models/offline-tutor")).json() == tutor
        missing = await http.get("/models/some/name:7b")
        error = error_of(missing)
        assert (missing.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")

    async def test_with_endpoint(self, engine_settings: EngineSettings) -> None:
        async with (
            ModelEndpoint(models=["local/small:7b", "large"]) as endpoint,
            open_engine(replace(engine_settings, providers=[ModelProvider(endpoint.url)])) as http,
        ):
            listed = (await http.get("/models")).json()
            assert [model["id"] for model in listed["data"]] == [
                "default",
                "local/small:7b",
                "large",
                "offline-tutor",
            ]
            assert listed["data"][0]["root"] == "local/small:7b"
            assert (await http.get("/models/local/small:7b")).json() == listed["data"][1]

    async def test_endpoint_that_cannot_be_reached(self, engine_settings: EngineSettings) -> None:
        async with ModelEndpoint() as endpoint:
            nobody = endpoint.url
        settings = replace(engine_settings, providers=[ModelProvider(nobody, api_key="key-of-endpoint")])
        async with open_engine(settings) as http:
            response = await http.get("/models")
        assert (response.status_code, error_of(response)["type"]) == (503, "server_error")
        assert f"The model endpoint {nobody} cannot be reached" in error_of(response)["message"]
        assert response.headers["x-should-retry"] == "false"
        assert "key-of-endpoint" not in response.text
