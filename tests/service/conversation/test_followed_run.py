"""The run that a conversation follows: when the thread is free, what answers and cancels it, and failures."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from assistants_tui.service.client.backend import Backend
from assistants_tui.service.conversation.context import ThreadContext
from assistants_tui.service.conversation.followed_run import FollowedRun
from assistants_tui.service.conversation.pages import MessagePages, RunPages
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.workspace import Workspace
from support.workspaces import choose, until


class Followed:
    """A followed run whose states a test gives."""

    def __init__(self) -> None:
        self.acted: list[str] = []
        self.refreshed = 0
        self.context = ThreadContext(
            self.no_backend, "thread_1", seen=lambda messages: None, acted=self.acted.append
        )
        self.runs = RunPages(self.context, MessagePages(self.context))
        self.run = FollowedRun(self.context, self.runs, self.refresh)

    async def no_backend(self) -> Backend:
        raise ServiceError("There is no connection.")

    def refresh(self) -> None:
        self.refreshed += 1

    async def follow(self, *states: RunState | Exception, answered: str | None = None) -> None:
        async def given() -> AsyncIterator[RunState]:
            for state in states:
                if isinstance(state, Exception):
                    raise state
                yield state

        self.run.start(given(), answered=answered)
        task = self.run.task
        assert task is not None
        await task


def state(status: str) -> RunState:
    run: Any = {"id": "run_1", "thread_id": "thread_1", "assistant_id": "asst_1", "status": status}
    return RunState(thread_id="thread_1", run=run)


async def test_the_thread_is_free_once_the_run_has_ended() -> None:
    followed = Followed()
    following = asyncio.create_task(followed.follow(state("in_progress"), state("completed")))
    await asyncio.sleep(0)
    assert not followed.run.thread_free.is_set()
    await following
    assert followed.run.thread_free.is_set() and followed.run.task is None
    assert followed.runs.latest == state("completed")


async def test_the_thread_is_not_free_while_a_run_waits_or_was_lost_in_the_middle() -> None:
    followed = Followed()
    await followed.follow(state("requires_action"))
    assert not followed.run.thread_free.is_set()
    await followed.follow(state("in_progress"), ServiceError("The stream broke."))
    assert not followed.run.thread_free.is_set()
    assert str(followed.context.error) == "The stream broke."


async def test_an_unexpected_failure_is_said_and_does_not_keep_the_thread_busy() -> None:
    followed = Followed()
    await followed.follow(ZeroDivisionError("oh"))
    assert "ZeroDivisionError" in str(followed.context.error)
    assert followed.run.thread_free.is_set()


async def test_an_answer_counts_with_its_first_state_and_a_refused_one_lets_the_thread_be_read() -> None:
    followed = Followed()
    await followed.follow(state("in_progress"), state("completed"), answered="asst_1")
    assert (followed.acted, followed.refreshed) == (["asst_1"], 0)
    await followed.follow(ServiceError("Another window was faster."), answered="asst_1")
    assert (followed.acted, followed.refreshed) == (["asst_1"], 1)


async def test_what_cannot_be_reached_is_said_and_after_the_end_nothing_is_followed() -> None:
    followed = Followed()
    followed.runs.take(state("requires_action"))
    await followed.run.submit([])
    await followed.run.resume("run_1")
    assert str(followed.context.error) == "There is no connection."
    followed.context.error = None
    await followed.run.cancel()
    assert str(followed.context.error) == "There is no connection."
    followed.run.close()
    followed.run.start(aiter(_none()))
    assert followed.run.task is None


async def _none() -> AsyncIterator[RunState]:
    return
    yield  # pragma: no cover


async def test_a_run_that_waits_is_cancelled_and_the_thread_takes_the_next_message(
    workspace: Workspace,
) -> None:
    conversation = workspace.conversations.shown
    choose(workspace, "Weather Bot")
    workspace.messages.send(Draft("What is the weather in Oulu?"))
    await until(lambda: conversation.activity == "waiting")
    workspace.messages.send(Draft("Never mind."))
    assert not conversation.followed.thread_free.is_set()
    await conversation.followed.cancel()
    await until(lambda: len(conversation.runs) == 2)
    first, _ = conversation.runs.values()
    assert first.status == "cancelled"
    await conversation.followed.cancel()
    await conversation.settled()
    assert conversation.outbox == ()
