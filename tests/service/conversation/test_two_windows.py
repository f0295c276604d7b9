"""Two windows on one profile, on one thread."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.service.drafts import Draft
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.paths import Paths
from support.model_endpoint import DONE, ModelEndpoint, Reply, chunk, says
from support.served import served
from support.workspaces import backend, choose, connected, connected_to, settled, texts, turn, until


async def test_two_windows_show_one_conversation_without_a_hole(workspace: Workspace, paths: Paths) -> None:
    """What one window adds, the other shows once it has seen that the thread was used, in the right order."""
    await turn(workspace, "one")
    thread_id = workspace.conversations.shown.thread_id
    assert thread_id is not None
    other = await connected(paths)
    await other.conversations.open(thread_id)
    await turn(other, "two")
    await turn(other, "three")
    drawn = list(workspace.conversations.shown.messages.values())
    await turn(workspace, "four")  # before the first window has looked
    await until(lambda: len(workspace.conversations.shown.messages) == 8)
    assert texts(workspace) == ["one", "two", "three", "four"]
    now = [id(message) for message in workspace.conversations.shown.messages.values()]
    assert now[:2] == [*map(id, drawn)], "what has not changed is not drawn again"
    await until(lambda: len(workspace.conversations.shown.runs) == 4)
    listed = (await (await backend(workspace)).runs.list(thread_id)).items
    assert list(workspace.conversations.shown.runs) == [run["id"] for run in reversed(listed)]
    await other.conversations.open(thread_id)  # going to a thread that is held reads what is new in it, too
    await other.conversations.shown.settled()
    assert texts(other) == ["one", "two", "three", "four"]
    await other.messages.delete_message(next(iter(other.conversations.shown.messages)))
    await workspace.conversations.open(thread_id)
    await workspace.conversations.shown.settled()
    assert texts(workspace) == ["two", "three", "four"]
    await other.close()


async def test_a_run_that_another_window_has_begun_is_followed(workspace: Workspace, paths: Paths) -> None:
    await turn(workspace, "one")
    assert workspace.conversations.shown.thread_id is not None
    other = await connected(paths)
    await other.conversations.open(workspace.conversations.shown.thread_id)
    choose(other, "Weather Bot")
    await turn(other, "What is the weather in San Francisco?")
    assert other.conversations.shown.activity == "waiting"
    await workspace.conversations.notice()
    await until(lambda: workspace.conversations.shown.activity == "waiting")
    run_id = next(reversed(workspace.conversations.shown.runs))
    assert run_id == next(reversed(other.conversations.shown.runs))
    workspace.messages.send(Draft("two"))  # it waits until the other window has answered
    await workspace.conversations.shown.settled()
    approval = other.approvals.of(other.conversations.shown)
    assert approval is not None
    await approval.settled()
    approval.write(approval.pending.calls[0].id, "3 degrees")
    await until(lambda: other.conversations.shown.activity == "idle")
    await settled(other)
    await workspace.conversations.notice()
    await until(
        lambda: (
            workspace.conversations.shown.activity == "idle" and len(workspace.conversations.shown.runs) == 3
        )
    )
    assert workspace.conversations.shown.runs[run_id].status == "completed"
    assert texts(workspace)[-1] == "two"
    await other.conversations.notice()
    await until(lambda: texts(other) == texts(workspace) and other.conversations.shown.activity == "idle")
    await turn(other, "What is the weather in Bath?")
    await workspace.conversations.notice()
    await until(lambda: workspace.conversations.shown.activity == "waiting")
    await other.conversations.shown.cancel()
    await other.conversations.shown.settled()
    await settled(other)
    await workspace.conversations.notice()
    await until(lambda: workspace.conversations.shown.activity == "idle")
    latest = workspace.conversations.shown.latest_run
    assert latest is not None and latest.status == "cancelled"
    await other.close()


async def test_a_message_that_another_window_was_ahead_of_waits_for_another_try(
    workspace: Workspace, paths: Paths
) -> None:
    await turn(workspace, "one")
    conversation = workspace.conversations.shown
    assert conversation.thread_id is not None
    other = await connected(paths)
    await other.conversations.open(conversation.thread_id)
    choose(other, "Weather Bot")
    await turn(other, "What is the weather in Oulu?")
    await turn(workspace, "two")  # before this window has looked
    (item,) = conversation.outbox
    assert item.state == "failed" and item.error is not None
    await until(lambda: conversation.activity == "waiting")
    await other.conversations.shown.cancel()
    await other.conversations.shown.settled()
    await settled(other)
    await workspace.conversations.notice()
    await until(lambda: conversation.activity == "idle")
    conversation.sender.retry(item.id)
    await conversation.settled()
    assert texts(workspace) == ["one", "What is the weather in Oulu?", "two"]
    await other.close()


async def test_the_runs_of_another_window_are_followed_one_after_the_other(paths: Paths) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    held = [
        Reply([chunk({"content": "Once"}), go_on, chunk(finish_reason="stop"), DONE])
        for go_on in (first, second)
    ]
    async with ModelEndpoint(says("Zero."), *held) as endpoint:
        one, other = [await connected(paths, model_url=endpoint.url) for _ in range(2)]
        await turn(one, "zero")
        assert one.conversations.shown.thread_id is not None
        await other.conversations.open(one.conversations.shown.thread_id)
        other.messages.send(Draft("one"))
        other.messages.send(Draft("two"))
        await until(lambda: len(other.conversations.shown.runs) == 2)
        await settled(other)
        await one.conversations.notice()
        await until(
            lambda: one.conversations.shown.activity == "working" and len(one.conversations.shown.runs) == 2
        )
        first.set()
        await until(lambda: len(other.conversations.shown.runs) == 3)
        await settled(other)
        await one.conversations.notice()  # before it has asked how the first of them stands
        await until(lambda: len(one.conversations.shown.runs) == 3)
        second.set()
        await until(lambda: one.conversations.shown.activity == other.conversations.shown.activity == "idle")
        assert texts(one) == texts(other) == ["zero", "one", "two"]
        assert [state.status for state in one.conversations.shown.runs.values()] == ["completed"] * 3
        await other.close()
        await one.close()


async def test_a_thread_that_another_window_has_deleted_stays_to_be_read(workspace: Workspace) -> None:
    await turn(workspace, "one")
    conversation = workspace.conversations.shown
    before = dict(conversation.messages)
    await (await backend(workspace)).threads.delete(conversation.thread_id or "")
    conversation.look_again()
    await conversation.settled()
    assert conversation.messages == before
    assert conversation.error is None


@pytest.mark.parametrize("missed", ["/messages", "/steps"])
async def test_what_another_window_did_is_read_once_the_server_answers_again(
    paths: Paths, tmp_path: Path, missed: str
) -> None:
    """Whether the list could not be read, or the run that it has: the end of an answer is not missed."""
    failed = 0
    broken = False
    engine = create_app(EngineSettings(tmp_path / "engine", starter_assistants=True))

    async def flaky(scope: Any, receive: Any, send: Any) -> None:
        nonlocal failed
        if broken and scope["type"] == "http" and scope["path"].endswith(missed):
            failed += 1
            headers = [(b"x-should-retry", b"false")]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body"})
        else:
            await engine(scope, receive, send)

    async with served(flaky) as url:
        one, other = [await connected_to(url, paths) for _ in range(2)]
        await turn(one, "2 + 3")
        assert one.conversations.shown.thread_id is not None
        await other.conversations.open(one.conversations.shown.thread_id)
        await turn(other, "7 * 6")
        broken = True
        await one.conversations.notice()
        await until(lambda: failed)
        await one.conversations.shown.settled()
        assert one.conversations.shown.error is None, "nobody asked for anything"
        broken = False
        await one.conversations.notice()
        await one.conversations.shown.settled()
        assert one.conversations.shown.messages == other.conversations.shown.messages
        assert one.conversations.shown.runs == other.conversations.shown.runs
        await other.close()
        await one.close()
