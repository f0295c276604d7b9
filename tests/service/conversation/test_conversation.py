"""A thread that is opened, read again and left, on the real engine."""

import asyncio
from pathlib import Path
from typing import Any

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.paths import Paths
from support.served import served
from support.workspaces import backend, connected_to, turn, until


async def test_a_thread_is_read_with_its_newest_run_and_steps(workspace: Workspace) -> None:
    await turn(workspace, "one")
    known = workspace.conversations.shown
    again = Conversation(workspace.session.backend, known.thread_id)
    changes: list[None] = []
    unsubscribe = again.subscribe(lambda: changes.append(None))
    await again.open()
    assert again.opened and again.messages == known.messages
    assert list(again.runs) == list(known.runs)
    assert again.latest_run is not None and again.latest_run.steps
    assert (again.activity, again.busy, again.error) == ("idle", False, None)
    unsubscribe()
    count = len(changes)
    again.report(ServiceError("Something."))
    assert (len(changes), str(again.error)) == (count, "Something.")
    again.dismiss_error()
    assert again.error is None
    await again.close()


async def test_a_thread_that_could_not_be_read_is_read_by_trying_again(workspace: Workspace) -> None:
    await turn(workspace, "one")
    broken = asyncio.Event()
    broken.set()

    async def sometimes() -> Any:
        if broken.is_set():
            raise ServiceError("There is no connection.", retryable=True)
        return await backend(workspace)

    conversation = Conversation(sometimes, workspace.conversations.shown.thread_id)
    await conversation.open()
    assert (conversation.opened, str(conversation.error)) == (False, "There is no connection.")
    broken.clear()
    await conversation.reconnect()
    assert conversation.opened and conversation.error is None
    broken.set()
    conversation.look_again()
    await conversation.settled()
    assert (conversation.outdated, conversation.error) == (True, None), "nobody has asked"
    broken.clear()
    await conversation.reconnect()
    await conversation.settled()
    assert not conversation.outdated
    await conversation.close()


async def test_a_deleted_message_is_gone_from_the_thread_and_its_run(workspace: Workspace) -> None:
    await turn(workspace, "one")
    conversation = workspace.conversations.shown
    question, answer = conversation.messages
    await conversation.delete_message(answer)
    assert list(conversation.messages) == [question]
    assert conversation.latest_run is not None and not conversation.latest_run.messages
    assert await conversation.read_until(question)
    assert not await conversation.read_until(answer)


async def test_closing_stops_what_is_read_and_sent_and_nothing_is_read_afterwards(
    paths: Paths, tmp_path: Path
) -> None:
    engine = create_app(EngineSettings(tmp_path / "engine", starter_assistants=True))
    held, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("method") == "POST" and scope["path"].endswith("/messages"):
            held.set()
            await go_on.wait()
        await engine(scope, receive, send)

    async with served(slow) as url:
        workspace = await connected_to(url, paths)
        conversation = workspace.conversations.shown
        workspace.messages.send(Draft("one"))
        await held.wait()
        assert (conversation.activity, conversation.busy) == ("working", True)
        await conversation.close()
        assert [item.text for item in conversation.outbox] == ["one"]
        conversation.look_again()
        await asyncio.wait_for(conversation.settled(), 5)
        go_on.set()
        await until(lambda: conversation.sender.task is None)
        await workspace.close()
