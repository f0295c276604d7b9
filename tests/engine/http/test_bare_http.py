"""The API as curl speaks it: a socket, three headers and JSON, without any SDK."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from assistants_tui.engine.app import EngineSettings, create_app
from support.engine import error_of
from support.served import served

HEADERS = {
    "Content-Type": "application/json",
    "Authorization": "Bearer key-of-anna",
    "OpenAI-Beta": "assistants=v2",
}
TUTOR = {
    "instructions": "You are a personal math tutor. Write and run Python code to answer questions.",
    "name": "Math Tutor",
    "tools": [{"type": "code_interpreter"}],
    "model": "gpt-4o",
}
THREE_KINDS: list[dict[str, Any]] = [
    {"type": "code_interpreter"},
    {"type": "file_search"},
    {"type": "function", "function": {"name": "now"}},
]


@pytest.fixture
async def curl(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with nothing but the headers that the reference names."""
    app = create_app(EngineSettings(tmp_path, api_keys={"key-of-anna": "anna"}))
    async with served(app) as url, httpx2.AsyncClient(base_url=url, timeout=60) as client:
        client.headers = httpx2.Headers(HEADERS)
        yield client


async def answered(response: httpx2.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


async def test_the_example_of_the_reference(curl: httpx2.AsyncClient) -> None:
    created = await answered(await curl.post("/v1/assistants", json=TUTOR))
    assert created == {
        "id": created["id"],
        "object": "assistant",
        "created_at": created["created_at"],
        "name": "Math Tutor",
        "description": None,
        "model": "gpt-4o",
        "instructions": TUTOR["instructions"],
        "tools": [{"type": "code_interpreter"}],
        "tool_resources": {"code_interpreter": {"file_ids": []}},
        "metadata": {},
        "top_p": 1.0,
        "temperature": 1.0,
        "response_format": "auto",
        "reasoning_effort": None,
    }


@pytest.mark.parametrize(
    ("missing", "status", "code"), [("OpenAI-Beta", 400, "invalid_beta"), ("Authorization", 401, None)]
)
async def test_no_header_too_many(
    curl: httpx2.AsyncClient, missing: str, status: int, code: str | None
) -> None:
    del curl.headers[missing]
    refused = await curl.post("/v1/assistants", json=TUTOR)
    assert (refused.status_code, error_of(refused)["code"]) == (status, code)


async def test_a_wrong_key(curl: httpx2.AsyncClient) -> None:
    curl.headers["Authorization"] = "Bearer key-of-bert"
    refused = await curl.post("/v1/assistants", json=TUTOR)
    assert (refused.status_code, error_of(refused)["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("version", ["2024-05-01-preview", "2024-08-01-preview"])
async def test_the_examples_of_azure(curl: httpx2.AsyncClient, version: str) -> None:
    curl.headers = httpx2.Headers({"api-key": "key-of-anna", "Content-Type": "application/json"})
    path, query = "/openai/assistants", f"?api-version={version}"
    minimal = {"model": "my-deployment", "instructions": "Help."}
    created = await answered(await curl.post(path + query, json=minimal))
    assert (created["model"], created["instructions"], created["tools"]) == ("my-deployment", "Help.", [])
    listed = await answered(await curl.get(f"{path}{query}&order=desc&limit=20"))
    assert [assistant["id"] for assistant in listed["data"]] == [created["id"]]
    one = f"{path}/{created['id']}{query}"
    changed = await answered(await curl.post(one, json={"name": "HR Helper", "tools": THREE_KINDS}))
    assert [tool["type"] for tool in changed["tools"]] == [tool["type"] for tool in THREE_KINDS]
    misspelt = await curl.post(one, json={"tools": [{"type": "code-interpreter"}]})
    assert misspelt.status_code == 400 and "'code_interpreter'" in error_of(misspelt)["message"]
    assert (await answered(await curl.get(one))) == changed
    deleted = await answered(await curl.delete(one))
    assert deleted == {"id": created["id"], "object": "assistant.deleted", "deleted": True}
    assert (await curl.delete(one)).status_code == 404


async def test_instructions_longer_than_azure_changes_stay_readable(curl: httpx2.AsyncClient) -> None:
    body = {"model": "m", "instructions": "i" * 100_000}
    created = await answered(await curl.post("/v1/assistants", json=body))
    path = f"/openai/assistants/{created['id']}?api-version=2024-05-01-preview"
    assert (await answered(await curl.get(path)))["instructions"] == body["instructions"]
    renamed = await answered(await curl.post(path, json={"name": "n"}))
    assert renamed == created | {"name": "n"}


async def test_names_of_fine_tuned_models_are_taken(curl: httpx2.AsyncClient) -> None:
    name = "ft:gpt-4o-2024-08-06:acme:ledger:9aBcDeFg"
    assert (await answered(await curl.post("/v1/assistants", json={"model": name})))["model"] == name


async def test_a_whole_conversation(curl: httpx2.AsyncClient) -> None:
    """The guides' four steps: an assistant, a thread, its messages, a run that is polled."""
    assistant = await answered(await curl.post("/v1/assistants", json=TUTOR))
    thread = await answered(await curl.post("/v1/threads"))
    path = f"/v1/threads/{thread['id']}"
    question = {"role": "user", "content": "I need to solve the equation `3x + 11 = 14`. Can you help me?"}
    asked = await answered(await curl.post(f"{path}/messages", json=question))
    run = await answered(await curl.post(f"{path}/runs", json={"assistant_id": assistant["id"]}))
    seen = [run["status"]]
    while seen[-1] in ("queued", "in_progress"):
        run = await answered(await curl.get(f"{path}/runs/{run['id']}"))
        seen += [run["status"]] if run["status"] != seen[-1] else []
    assert seen in (["queued", "completed"], ["queued", "in_progress", "completed"])
    messages = (await answered(await curl.get(f"{path}/messages?order=asc")))["data"]
    assert messages[0] == asked
    answer = messages[-1]
    assert (answer["role"], answer["run_id"], answer["assistant_id"]) == (
        "assistant",
        run["id"],
        assistant["id"],
    )
    assert "x = 1" in answer["content"][0]["text"]["value"]
    steps = (await answered(await curl.get(f"{path}/runs/{run['id']}/steps?order=asc")))["data"]
    assert [step["type"] for step in steps] == ["tool_calls", "message_creation"]
    [call] = steps[0]["step_details"]["tool_calls"]
    assert call["type"] == "code_interpreter" and "3*x + 11" in call["code_interpreter"]["input"]
    assert "x = 1\n" in call["code_interpreter"]["outputs"][0]["logs"]
