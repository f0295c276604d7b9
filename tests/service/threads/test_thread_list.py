"""The thread list: changes and undo, threads of the server, and a history that cannot be read."""

import asyncio

import pytest

from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import LOCAL, Config
from assistants_tui.settings.files import locked
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState
from support.workspaces import backend, connected, turn, until


async def test_each_change_of_the_history_can_be_taken_back(workspace: Workspace) -> None:
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    thread_id = workspace.conversations.shown.thread_id or ""
    await workspace.threads.refresh()
    before = workspace.threads.shown
    await workspace.threads.rename(thread_id, "Sums")
    await workspace.threads.pin(thread_id, True)
    await workspace.threads.archive(thread_id, True)
    assert workspace.threads.shown == []
    await workspace.threads.show_archive(True)
    assert [one.title for one in workspace.threads.shown] == ["Sums"]
    await workspace.threads.show_archive(False)
    await workspace.threads.forget(thread_id)
    said = [await workspace.threads.undo() for _ in range(4)]
    assert said[0] == "Undone: “Sums” had been removed from the history."
    assert said[3] == "Undone: “2 + 3” had been renamed."
    assert workspace.threads.shown == before
    assert await workspace.threads.undo() is None
    with pytest.raises(ServiceError, match="at least one character"):
        await workspace.threads.rename(thread_id, "  ")
    assert await workspace.threads.undo() is None, "what failed cannot be taken back"


async def test_threads_of_the_server_are_offered_and_taken(workspace: Workspace) -> None:
    server = await backend(workspace)
    thread = await server.threads.create({"messages": [{"role": "user", "content": "From elsewhere"}]})
    found = await workspace.threads.history.unknown_threads()
    assert [one["id"] for one in found or ()] == [thread["id"]]
    await workspace.threads.adopt(found or ())
    assert [one.title for one in workspace.threads.shown] == ["From elsewhere"]
    assert await workspace.threads.history.unknown_threads() == []
    with pytest.raises(ServiceError, match="has no thread"):
        await workspace.conversations.add("thread_nobody_knows")


async def test_what_is_wrong_with_the_file_of_the_history_is_told_and_survived(paths: Paths) -> None:
    paths.threads_file.parent.mkdir(parents=True)
    paths.threads_file.write_text("[[threads")
    opened = await connected(paths)
    (problem,) = opened.problems.take()
    assert "it is not TOML" in problem and "is kept as" in problem
    paths.threads_file.unlink()
    paths.threads_file.with_name("threads.previous.toml").unlink(missing_ok=True)
    paths.threads_file.mkdir()
    again = await connected(paths)
    assert again.threads.shown == ()
    assert again.problems.take() == [f"{paths.threads_file} cannot be read: Is a directory."]
    await again.close()
    await opened.close()


async def test_a_history_that_cannot_be_read_is_told_once_and_threads_open_all_the_same(
    workspace: Workspace, paths: Paths
) -> None:
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    thread_id = workspace.conversations.shown.thread_id
    await workspace.close()
    paths.threads_file.unlink()
    paths.threads_file.mkdir()
    again = Workspace(LOCAL, paths=paths, config=Config(), state=AppState(), thread_id=thread_id)
    assert again.threads.title_of(thread_id or "") == thread_id
    assert not again.conversations.foreign_thread, "nobody can say that it is not in the history"
    assert again.problems.take() == [f"{paths.threads_file} cannot be read: Is a directory."]
    await again.session.connect()
    await again.conversations.shown.open()
    assert len(again.conversations.shown.messages) == 2
    paths.threads_file.rmdir()
    await again.conversations.notice()
    assert again.threads.title_of(thread_id or "") == thread_id
    assert again.conversations.foreign_thread == thread_id, "now it can be read"
    await again.close()


async def test_the_app_waits_for_no_lock_of_another_window(workspace: Workspace, paths: Paths) -> None:
    await turn(workspace, "one")
    thread_id = workspace.conversations.shown.thread_id
    assert thread_id is not None
    guard = workspace.threads._index._guard

    def held() -> bool:
        free = guard.acquire(blocking=False)
        if free:
            guard.release()
        return not free

    with locked(paths.threads_file):  # as by another window
        change = asyncio.create_task(workspace.threads.history.rename(thread_id, "another"))
        await until(held)
        assert workspace.threads.title_of(thread_id) == "one"  # what is drawn from the event loop
    await change
    assert workspace.threads.title_of(thread_id) == "another"
