"""Runs of a thread: started, followed, answered, cancelled and read again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from assistants_tui.protocol import limits
from assistants_tui.protocol.events import Event
from assistants_tui.protocol.objects import CodeDecision, Json, Message, Page, Run, RunStep, ToolOutput
from assistants_tui.protocol.transitions import TERMINAL_RUN_STATUSES
from assistants_tui.service.client.http_client import Client, segment
from assistants_tui.service.client.pages import read_all, read_page
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.runs.budget import TokenBudget
from assistants_tui.service.runs.options import RunOptions, tool_choice
from assistants_tui.service.runs.run_follower import Clock, RunFollower, conflate
from assistants_tui.service.runs.state import RunState, absorb, answered, from_objects
from assistants_tui.settings.config import RunSettings

Result = TypeVar("Result")

_WITHOUT_LIST = frozenset({405, 501})
"""How servers answer that they cannot list runs, as LiteLLM's proxy: messages are read all the same."""

_CONTENT = "step_details.tool_calls[*].file_search.results[*].content"
"""What to ask for so that file search results carry the text that was found."""


class Runs:
    """The runs of a server. The iterators give every new state of a run, the last one when it has ended.

    A state that `waits` is also a last one: go on with `submit_outputs` or `decide_on_code`. Leaving an
    iterator early leaves the run alone; `follow` takes it up again.
    """

    def __init__(
        self,
        client: Client,
        settings: RunSettings,
        budget: TokenBudget,
        *,
        clock: Clock | None = None,
        cancelled: Callable[[Run], None] = lambda run: None,
    ) -> None:
        """`cancelled` is told of each run for which this client asked the server to stop."""
        self._client = client
        self._settings = settings
        self._budget = budget
        self._clock = clock or Clock()
        self._cancelled = cancelled
        self._include = True

    def start(
        self, thread_id: str, assistant_id: str, options: RunOptions | None = None
    ) -> AsyncIterator[RunState]:
        """Start a run on the thread as it is.

        Raises `ServiceError`: before the first state if the server refuses it or the token budget is spent;
        later if the run cannot be followed any more, or took too long and was cancelled.
        """
        body: Json = {"assistant_id": assistant_id, **(options or {})}
        if self._settings.tool_choice is not None:
            body.setdefault("tool_choice", tool_choice(self._settings.tool_choice))

        async def drive(publish: Callable[[RunState], None]) -> None:
            await self._budget.check()
            following = self._following(RunState(thread_id), publish)
            try:
                complete = await self._with_results(
                    lambda query: self._send(following, _path(thread_id), body, query)
                )
                if following.state.run is None:
                    raise ServiceError(
                        "The server ended the answer before it said anything about the run.",
                        "Try again.",
                        kind="connection",
                        retryable=True,
                    )
            except ServiceError as error:
                run = None if error.no_effect else await self._started_after_all(thread_id)
                if run is None:
                    raise
                following.state, complete = RunState(thread_id, run), False
            await self._finish(following, complete)

        return conflate(drive)

    def follow(self, thread_id: str, run_id: str, *, ours: bool = True) -> AsyncIterator[RunState]:
        """Follow a run that is already there, by asking for its state. Raises as `start`.

        `ours`: charge it to the token budget; otherwise whoever has begun it does.
        """

        async def drive(publish: Callable[[RunState], None]) -> None:
            state = await self.load(thread_id, run_id)
            publish(state)
            following = self._following(state, publish)
            if not following.settled:
                await following.poll(self._settings.poll_interval)
                if ours:
                    await self._count(following.state)

        return conflate(drive)

    def submit_outputs(
        self, thread_id: str, run_id: str, outputs: Sequence[ToolOutput]
    ) -> AsyncIterator[RunState]:
        """Answer all function calls that the run waits for, and follow it on. Raises as `start`."""
        body: Json = {"tool_outputs": list(outputs)}
        return self._go_on(thread_id, run_id, "submit_tool_outputs", body, lambda state: state.pending_calls)

    def decide_on_code(self, thread_id: str, run_id: str, decision: CodeDecision) -> AsyncIterator[RunState]:
        """Say what becomes of the code that the run waits to run, and follow it on. Raises as `start`."""
        call_id = decision["tool_call_id"]
        return self._go_on(
            thread_id,
            run_id,
            "approve_code",
            dict(decision),
            lambda state: state.pending_code is not None and state.pending_code.call_id == call_id,
        )

    def _go_on(
        self, thread_id: str, run_id: str, action: str, body: Json, waits: Callable[[RunState], object]
    ) -> AsyncIterator[RunState]:
        """Give a waiting run what it waits for. `waits`: whether it still does, for want of an answer."""

        async def drive(publish: Callable[[RunState], None]) -> None:
            state = await self.load(thread_id, run_id)
            following = self._following(answered(state), publish)
            try:
                complete = await self._send(following, f"{_path(thread_id, run_id)}/{action}", body, {})
            except ServiceError as error:
                if error.no_effect:
                    raise
                following.state = await self.load(thread_id, run_id)
                if waits(following.state):  # nothing has arrived
                    raise
                complete = False
            await self._finish(following, complete)

        return conflate(drive)

    async def cancel(self, thread_id: str, run_id: str) -> Run:
        """Ask the server to stop the run; it may still end in another way. Raises `ServiceError`."""
        try:
            run = await self._client.send(Run, f"{_path(thread_id, run_id)}/cancel", again=True)
        except ServiceError as error:
            if error.status != 400:
                raise
            run = await self._client.fetch(Run, _path(thread_id, run_id))
            if run["status"] not in {"cancelling", "cancelled"}:  # else it was asked before
                raise
        self._cancelled(run)
        return run

    async def load(self, thread_id: str, run_id: str) -> RunState:
        """Read a run with its steps and messages."""
        run, steps, messages = await self._read(thread_id, run_id)
        return from_objects(run, steps, messages)

    async def steps(self, thread_id: str, run_id: str) -> "list[RunStep]":
        """All steps of a run, oldest first. Raises `ServiceError`."""
        path = f"{_path(thread_id, run_id)}/steps"
        return await self._with_results(lambda query: read_all(self._client, RunStep, path, query=query))

    async def list(self, thread_id: str, *, limit: int = 20, after: str | None = None) -> Page[Run]:
        """A page of the thread's runs, the newest first; an empty one from a server that cannot list them."""
        try:
            return await read_page(self._client, Run, _path(thread_id), limit=limit, after=after)
        except ServiceError as error:
            if error.status in _WITHOUT_LIST:
                return Page([], None)
            raise

    # For RunFollower

    async def reread(self, state: RunState) -> RunState:
        """`state` brought up to date with GETs."""
        assert state.run is not None
        return absorb(state, *await self._read(state.thread_id, state.run["id"]))

    async def stop(self, state: RunState) -> None:
        """Ask for the run to be cancelled."""
        assert state.run is not None
        await self.cancel(state.thread_id, state.run["id"])

    # Helpers

    def _following(self, state: RunState, publish: Callable[[RunState], None]) -> RunFollower:
        return RunFollower(state, publish, self, self._settings, self._clock)

    async def _send(self, following: RunFollower, path: str, body: Json, query: Json) -> bool:
        """Post `body` and take what the server answers, as events or as the run.

        Returns whether that was everything until the run has ended or waits for the user.
        """
        async with contextlib.AsyncExitStack() as stack:
            answer: Json | AsyncIterator[Event]
            if self._settings.stream:
                answer = await stack.enter_async_context(self._client.stream(path, body, query))
            else:
                answer = await self._client.post(path, body, query)
            if isinstance(answer, dict):
                run = self._client.checked(Run, answer, f"POST /{path}")
                await following.update(absorb(following.state, run))
                return False
            await following.stream(answer)
            return following.settled

    async def _finish(self, following: RunFollower, complete: bool) -> None:
        """Follow to the end what `_send` began."""
        if not complete:
            await following.poll(0.0 if self._settings.stream else self._settings.poll_initial_delay)
        elif following.state.finished and _lacks_search_results(following.state):
            # a stream of submitted outputs cannot be asked for them
            with contextlib.suppress(ServiceError):
                await following.update(await self.reread(following.state))
        await self._count(following.state)

    async def _count(self, state: RunState) -> None:
        if state.finished and state.run is not None:
            await self._budget.consume(state.run.get("usage"))

    async def _started_after_all(self, thread_id: str) -> Run | None:
        """The run that was just asked for, if the server has it although its answer was lost.

        It is the newest run of the thread, unless that one is over and had written before the last question.
        """
        try:
            page = await read_page(self._client, Run, _path(thread_id), limit=1)
            if not page.items:
                return None
            run = page.items[0]
            if run["status"] not in TERMINAL_RUN_STATUSES:
                return run
            messages = f"threads/{segment(thread_id)}/messages"
            newest = (await read_page(self._client, Message, messages, limit=limits.MAX_PAGE)).items
        except ServiceError:
            return None
        asked = next((message for message in newest if message["role"] == "user"), None)
        if asked is None or run["created_at"] < asked["created_at"]:
            return None
        before = newest[newest.index(asked) :]
        return None if any(message.get("run_id") == run["id"] for message in before) else run

    async def _read(self, thread_id: str, run_id: str) -> tuple[Run, Sequence[RunStep], Sequence[Message]]:
        """The run first, so that steps and messages are never older than it."""
        run = await self._client.fetch(Run, _path(thread_id, run_id))
        steps, messages = await asyncio.gather(
            self.steps(thread_id, run_id),
            self._messages(thread_id, run),
        )
        return run, steps, messages

    async def _messages(self, thread_id: str, run: Run) -> Sequence[Message]:
        """What the run wrote, oldest first. Some servers ignore `run_id` and give the thread: stop early."""
        path = f"threads/{segment(thread_id)}/messages"
        found: dict[str, Message] = {}
        after: str | None = None
        while True:
            page = await read_page(
                self._client, Message, path, limit=limits.MAX_PAGE, after=after, query={"run_id": run["id"]}
            )
            found.update((item["id"], item) for item in page.items if item.get("run_id") == run["id"])
            after = page.next_cursor
            if after is None or page.items[-1]["created_at"] < run["created_at"]:
                return list(reversed(found.values()))

    async def _with_results(self, call: Callable[[Json], Awaitable[Result]]) -> Result:
        """Call with the query that asks for search results, without it where a server does not know it."""
        if self._include:
            try:
                return await call({"include": [_CONTENT]})
            except ServiceError as error:
                if error.status not in {400, 422} or "include" not in f"{error.what} {error.param}":
                    raise
                self._include = False
        return await call({})


def _path(thread_id: str, run_id: str | None = None) -> str:
    runs = f"threads/{segment(thread_id)}/runs"
    return runs if run_id is None else f"{runs}/{segment(run_id)}"


def _lacks_search_results(state: RunState) -> bool:
    return any(
        "content" not in result
        for step in state.steps.values()
        for call in step["step_details"].get("tool_calls") or ()
        for result in (call.get("file_search") or {}).get("results") or ()
    )
