"""The history of threads: what is kept here, and what the server is asked for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.service.client.backend import Backend, open_backend
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.threads.history import History
from assistants_tui.settings.config import Profile
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.threads import ThreadIndex

THREAD: Any = {"id": "thread_1", "object": "thread", "created_at": 50}


@pytest.fixture
async def backend(profile: Profile, paths: Paths) -> AsyncIterator[Backend]:
    backend = await open_backend(profile, paths=paths)
    yield backend
    await backend.close()


@pytest.fixture
def history(paths: Paths, backend: Backend) -> History:
    async def opened() -> Backend:
        return backend

    return History(ThreadIndex(paths.threads_file), "scripted", opened, clock=lambda: 100.5)


async def test_a_new_thread_is_titled_after_its_first_message(history: History) -> None:
    reference = await history.remember(THREAD, "asst_1", "\n# Solve `3x + 11 = 14`\nplease")
    assert (reference.title, reference.created_at, reference.last_used_at) == ("Solve 3x + 11 = 14", 50, 100)
    assert await history.list() == [reference]


async def test_every_change_can_be_taken_back(history: History) -> None:
    before = await history.remember(THREAD, "asst_1", "one")
    await history.rename("thread_1", "  a \n b ")
    await history.pin("thread_1")
    await history.touch("thread_1", "asst_2")
    (now,) = await history.list()
    assert (now.title, now.pinned, now.assistant_id) == ("a b", True, "asst_2")
    await history.archive("thread_1")
    assert await history.list() == []
    assert len(await history.list(archived=True)) == 1
    forgotten = await history.forget("thread_1")
    assert await history.list(archived=None) == []
    assert forgotten is not None
    await history.undo(forgotten)
    await history.undo(before)
    assert await history.list() == [before]


async def test_what_cannot_be_done_says_why(history: History, paths: Paths) -> None:
    await history.remember(THREAD, None, "one")
    with pytest.raises(ServiceError, match="at least one character"):
        await history.rename("thread_1", " \n ")
    with pytest.raises(ServiceError, match="not in the history any more"):
        await history.pin("thread_2")
    paths.threads_file.unlink()
    paths.threads_file.with_name("threads.previous.toml").unlink(missing_ok=True)
    paths.threads_file.mkdir()
    with pytest.raises(ServiceError, match=r"threads\.toml") as caught:
        await history.list()
    assert caught.value.kind == "settings"


async def test_deleting_on_the_server_takes_the_reference_along(
    history: History, server: Any, wires: Any
) -> None:
    await history.remember(THREAD, None, "one")
    gone = wires.answer({"error": {"message": "No thread found"}}, status=404)
    server.on("DELETE", "/v1/threads/thread_1", wires.answer({"error": {}}, status=500), gone)
    with pytest.raises(ServiceError):
        await history.delete("thread_1")
    assert len(await history.list()) == 1
    await history.delete("thread_1")
    assert await history.list() == []


async def test_a_thread_is_added_by_its_id_if_the_server_has_it(
    history: History, server: Any, wires: Any
) -> None:
    def message(text: str, created_at: int, assistant_id: str | None) -> dict[str, Any]:
        content = [{"type": "text", "text": {"value": text, "annotations": []}}]
        return {
            "id": f"msg_{created_at}",
            "role": "assistant" if assistant_id else "user",
            "created_at": created_at,
            "content": content,
            "assistant_id": assistant_id,
        }

    server.on("GET", "/v1/threads/thread_1", wires.answer(THREAD))
    server.on(
        "GET",
        "/v1/threads/thread_1/messages",
        wires.answer({"data": [message("How do I?", 51, None)], "has_more": True}),
        wires.answer({"data": [message("So.", 60, "asst_7")], "has_more": True}),
    )
    added = await history.add_by_id(" thread_1\n")
    assert (added.title, added.assistant_id, added.last_used_at) == ("How do I?", "asst_7", 60)
    assert await history.list() == [added]
    server.on("GET", "/v1/threads/nope", wires.answer({"error": {"message": "x"}}, status=404))
    with pytest.raises(ServiceError, match="has no thread “nope”"):
        await history.add_by_id("nope")


async def test_threads_of_the_server_that_are_not_here_are_found(
    history: History, server: Any, wires: Any
) -> None:
    await history.remember(THREAD, None, "one")
    await history.archive("thread_1")
    listed = {"data": [{"id": "thread_2"}, THREAD], "has_more": False}
    server.on("GET", "/v1/threads", wires.answer(listed), wires.answer({}, status=404))
    found = await history.unknown_threads()
    assert found is not None
    assert [thread["id"] for thread in found] == ["thread_2"]
    assert await history.unknown_threads() is None


async def test_an_empty_thread_of_the_server_can_be_adopted(
    history: History, server: Any, wires: Any
) -> None:
    server.on("GET", "/v1/threads/thread_1/messages", wires.answer({"data": [], "has_more": False}))
    adopted = await history.adopt(THREAD)
    assert (adopted.title, adopted.last_used_at) == ("Untitled", 50)


def test_a_history_needs_no_directory_to_start(tmp_path: Path) -> None:
    ThreadIndex(tmp_path / "not there" / "threads.toml").list()
    assert [*tmp_path.iterdir()] == []
