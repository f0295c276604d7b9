"""Assistants, threads, messages and vector stores on a scripted server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.client.assistant_cache import cached_assistants, remember_assistants
from assistants_tui.service.client.backend import Backend, open_backend
from assistants_tui.service.client.pages import read_all
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.required_fields import checked
from assistants_tui.settings.config import Profile, RunSettings
from assistants_tui.settings.paths import Paths

MESSAGES = "/v1/threads/thread_1/messages"


@pytest.fixture
async def backend(profile: Profile, paths: Paths) -> AsyncIterator[Backend]:
    backend = await open_backend(profile, paths=paths)
    yield backend
    await backend.close()


def page(*items: Any, more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": [*items], "has_more": more}


def things(start: int, count: int) -> list[dict[str, Any]]:
    wire = [{"id": f"asst_{number}", "name": str(number)} for number in range(start, start + count)]
    return [dict(checked(Assistant, one)) for one in wire]


async def test_assistants_are_listed_page_by_page_up_to_the_count_of_the_settings(
    profile: Profile, paths: Paths, server: Any, wires: Any
) -> None:
    server.on(
        "GET",
        "/v1/assistants",
        wires.answer(page(*things(0, 100), more=True)),
        wires.answer(page(*things(100, 50), more=True)),
    )
    wanted = Profile(
        name="p", kind="openai", base_url=profile.base_url, runs=RunSettings(assistant_fetch_count=150)
    )
    backend = await open_backend(wanted, paths=paths)
    found = await backend.assistants.list()
    await backend.close()
    assert len(found) == 150
    assert [request.query for request in server.requests] == [
        {"limit": "100", "order": "desc"},
        {"limit": "50", "order": "desc", "after": "asst_99"},
    ]
    assert cached_assistants(paths, wanted) == found


async def test_a_server_that_repeats_its_page_ends_the_list(
    backend: Backend, server: Any, wires: Any
) -> None:
    server.on("GET", "/v1/assistants", wires.answer(page(*things(0, 3), more=True)))
    assert len(await read_all(backend.client, Assistant, "assistants")) == 3
    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": [1]}, {"data": [{"name": "no ID"}]}])
async def test_a_list_without_items_is_an_error(
    backend: Backend, server: Any, wires: Any, answer: Any
) -> None:
    server.on("GET", "/v1/assistants", wires.answer(answer))
    with pytest.raises(ServiceError) as caught:
        await backend.assistants.list()
    assert caught.value.kind == "protocol"


async def test_only_what_differs_is_sent(backend: Backend, server: Any, wires: Any) -> None:
    before: Any = {"id": "asst_1", "name": "A", "tools": [], "metadata": {"a": "b"}, "description": None}
    server.on("POST", "/v1/assistants/asst_1", wires.answer({**before, "name": "B"}))
    assert await backend.assistants.update(before, {**before}) == before
    assert server.requests == []
    await backend.assistants.update(before, {"name": "B", "tools": [], "metadata": {}, "description": None})
    assert server.requests[0].json == {"name": "B", "metadata": {}}


def test_the_cache_is_for_one_server_and_survives_damage(profile: Profile, paths: Paths) -> None:
    assistants: Any = things(0, 2)
    assert cached_assistants(paths, profile) == []
    remember_assistants(paths, profile, assistants)
    assert cached_assistants(paths, profile) == assistants
    moved = Profile(name=profile.name, kind="openai", base_url="https://elsewhere.org/v1")
    assert cached_assistants(paths, moved) == []
    (file,) = (paths.cache_dir / "assistants").glob("*.json")
    for damage in (b"{", b"\xff", b"[]", b'{"server": 1}'):
        file.write_bytes(damage)
        assert cached_assistants(paths, profile) == []
    remember_assistants(paths, profile, assistants)
    assert cached_assistants(paths, profile) == assistants


def test_a_cache_that_cannot_be_written_is_no_error(profile: Profile, paths: Paths) -> None:
    paths.cache_dir.write_text("a file is in the way")
    remember_assistants(paths, profile, [])
    assert cached_assistants(paths, profile) == []


# Messages


def message(text: str, role: str = "user", number: int = 1) -> dict[str, Any]:
    content = [{"type": "text", "text": {"value": text, "annotations": []}}]
    return {"id": f"msg_{number}", "role": role, "content": content}


async def test_a_message_carries_what_is_attached(backend: Backend, server: Any, wires: Any) -> None:
    server.on("POST", MESSAGES, wires.answer(message("hi")))
    attachments: Any = [{"file_id": "file-1", "tools": [{"type": "file_search"}]}]
    await backend.threads.add_message("thread_1", "hi", attachments=attachments, metadata={"a": "b"})
    parts: Any = [
        {"type": "text", "text": "see"},
        {"type": "image_file", "image_file": {"file_id": "file-2"}},
    ]
    await backend.threads.add_message("thread_1", parts)
    assert [request.json for request in server.requests] == [
        {"role": "user", "content": "hi", "attachments": attachments, "metadata": {"a": "b"}},
        {"role": "user", "content": parts},
    ]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_a_server_that_cannot_list_threads_says_none(
    backend: Backend, server: Any, wires: Any, status: int
) -> None:
    server.on("GET", "/v1/threads", wires.answer({"error": {"message": "no"}}, status=status))
    assert await backend.threads.list() is None


async def test_a_server_that_fails_to_list_threads_is_an_error(
    backend: Backend, server: Any, wires: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("anyio.sleep", at_once)
    server.on("GET", "/v1/threads", wires.answer({}, status=500))
    with pytest.raises(ServiceError):
        await backend.threads.list()


async def test_models_are_none_where_the_server_has_no_list(
    backend: Backend, server: Any, wires: Any
) -> None:
    server.on("GET", "/v1/models", wires.answer({}, status=404), wires.answer(page({"id": "m"})))
    assert await backend.models() == []
    assert [model["id"] for model in await backend.models()] == ["m"]


async def test_vector_stores_are_made_filled_searched_and_emptied(
    backend: Backend, server: Any, wires: Any
) -> None:
    store = "/v1/vector_stores/vs_1"
    server.on("POST", "/v1/vector_stores", wires.answer({"id": "vs_1"}))
    server.on("GET", "/v1/vector_stores", wires.answer(page({"id": "vs_1"})))
    server.on("GET", store, wires.answer({"id": "vs_1"}))
    server.on("POST", store, wires.answer({"id": "vs_1", "name": "B"}))
    server.on("POST", f"{store}/files", wires.answer({"id": "file-1", "status": "in_progress"}))
    server.on("GET", f"{store}/files", wires.answer(page({"id": "file-1"})))
    server.on("DELETE", f"{store}/files/file-1", wires.answer({"id": "file-1", "deleted": True}))
    server.on("DELETE", store, wires.answer({"id": "vs_1", "deleted": True}))
    server.on("POST", f"{store}/search", wires.answer({"data": [{"file_id": "file-1", "score": 0.5}]}))
    stores = backend.vector_stores
    assert (await stores.create("A", ["file-1"], metadata={"a": "b"}))["id"] == "vs_1"
    assert server.requests[0].json == {"name": "A", "file_ids": ["file-1"], "metadata": {"a": "b"}}
    assert len((await stores.list()).items) == 1
    assert (await stores.retrieve("vs_1"))["id"] == "vs_1"
    assert (await stores.update("vs_1", {"name": "B"}))["name"] == "B"
    assert (await stores.add_file("vs_1", "file-1"))["status"] == "in_progress"
    assert len((await stores.files("vs_1")).items) == 1
    answer = await stores.search("vs_1", "rent")
    assert ([hit["score"] for hit in answer.results], answer.by_words_alone) == ([0.5], False)
    await stores.remove_file("vs_1", "file-1")
    await stores.delete("vs_1")
