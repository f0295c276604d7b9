"""What is told of runs that end or wait."""

from assistants_tui.service.conversation.run_notices import RunEnded
from assistants_tui.service.drafts import Draft
from assistants_tui.service.workspace import Workspace
from support.workspaces import choose


async def test_a_run_that_ends_in_the_background_leaves_a_mark(workspace: Workspace) -> None:
    ended: list[RunEnded] = []
    workspace.run_notices.watch(ended.append)
    conversation = workspace.conversations.shown
    workspace.messages.send(Draft("Tell me what you can do"))
    workspace.conversations.new()
    await conversation.settled()
    thread_id = conversation.thread_id or ""
    assert ended == [RunEnded(thread_id, "Tell me what you can do", "completed", True)]
    assert workspace.threads.unread == {thread_id}
    await workspace.conversations.open(thread_id)
    assert workspace.threads.unread == frozenset()


async def test_a_run_that_waits_for_functions_is_told_once(workspace: Workspace) -> None:
    ended: list[RunEnded] = []
    workspace.run_notices.watch(ended.append)
    choose(workspace, "Weather Bot")
    workspace.messages.send(Draft("What is the weather in Oulu?"))
    await workspace.conversations.shown.settled()
    assert [(one.outcome, one.in_background) for one in ended] == [
        ("waits for the outputs of functions", False)
    ]
