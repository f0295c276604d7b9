"""What runs of conversations wait for: found when they begin to wait, and given up when they do no more."""

import time

import pytest

from assistants_tui.service.approvals import run_approval
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.paths import Paths
from support.workspaces import choose, connected, settled, turn, until


async def waiting(workspace: Workspace) -> run_approval.RunApproval:
    """A run of the weather bot that waits for a function."""
    choose(workspace, "Weather Bot")
    await turn(workspace, "What is the weather in San Francisco?")
    approval = workspace.approvals.of(workspace.conversations.shown)
    assert approval is not None
    await approval.settled()
    return approval


async def test_an_approval_is_there_while_a_run_waits_also_in_the_background(workspace: Workspace) -> None:
    approval, conversation = await waiting(workspace), workspace.conversations.shown
    assert approval.pending.key == (conversation.active_run.run["id"], approval.pending.calls[0].id)  # type: ignore[union-attr,index]
    conversation.report(ServiceError("Something else."))
    assert workspace.approvals.of(conversation) is approval, "it is the same question"
    workspace.conversations.new()
    assert workspace.approvals.of(workspace.conversations.shown) is None
    assert workspace.approvals.of(conversation) is approval
    approval.write(approval.pending.calls[0].id, "3 degrees")
    await until(lambda: conversation.activity == "idle")
    assert workspace.approvals.of(conversation) is None
    await settled(workspace)


async def test_what_another_window_has_answered_is_asked_about_no_more(
    workspace: Workspace, paths: Paths
) -> None:
    approval, conversation = await waiting(workspace), workspace.conversations.shown
    assert conversation.thread_id is not None
    other = await connected(paths)
    await other.conversations.open(conversation.thread_id)
    await until(lambda: other.approvals.of(other.conversations.shown) is not None)
    theirs = other.approvals.of(other.conversations.shown)
    assert theirs is not None
    await theirs.settled()
    theirs.write(theirs.pending.calls[0].id, "3 degrees")
    await until(lambda: other.conversations.shown.activity == "idle")
    await workspace.conversations.notice()
    await until(lambda: workspace.approvals.of(conversation) is None)
    assert not approval.write(approval.pending.calls[0].id, "4 degrees")
    await settled(workspace)
    await other.close()


async def test_a_run_that_has_had_its_time_is_read_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_approval, "CLOCK", 0.01)
    await waiting(workspace)
    conversation, real = workspace.conversations.shown, time.time
    monkeypatch.setattr(time, "time", lambda: real() + 601)
    await until(lambda: conversation.latest_run is not None and conversation.latest_run.status == "expired")
    assert workspace.approvals.of(conversation) is None
    await settled(workspace)
