"""Carries out what the user decides about the actions of one run, and sends the answers.

The API wants the outputs of all calls of a run in one request, so each is kept until the last one is there;
then they are sent without being asked for.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from assistants_tui.protocol.objects import CodeDecision, Run, ToolOutput
from assistants_tui.service.approvals.actions import Action, CodeBlock, FunctionCall
from assistants_tui.service.approvals.call_records import CallRecords
from assistants_tui.service.approvals.context import CallContext
from assistants_tui.service.approvals.function_lookup import FunctionLookup
from assistants_tui.service.approvals.pending_actions import PendingActions
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.functions.registry import CallFailedError, FunctionChangedError

CLOCK = 1.0
"""Seconds between two looks at the clock for the deadline."""
_REFRESH, _SEND, _DEADLINE = " refresh", " send", " deadline"
"""Tasks that are of no single call, in place of its ID."""


class WaitingRun(Protocol):
    """Where the answers go."""

    async def submit(self, outputs: Sequence[ToolOutput]) -> None:
        """Send the outputs of all function calls, in their order."""

    async def decide_on_code(self, decision: CodeDecision) -> None:
        """Send what is to become of the code."""


class RunApproval:
    """The actions that one run waits for. Methods return at once and raise nothing."""

    def __init__(
        self,
        run: Run,
        pending: PendingActions,
        context: CallContext,
        waiting: WaitingRun,
        *,
        changed: Callable[[], None],
        overdue: Callable[[], None],
    ) -> None:
        """`changed` is called after each change of `pending`, `overdue` once after the deadline."""
        self.pending = pending
        self._context = context
        self._waiting = waiting
        self._lookup = FunctionLookup(context, run)
        self._records = CallRecords(context, pending.thread_id, pending.run_id)
        self._changed = changed
        self._overdue = overdue
        self._error: ServiceError | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._claimed: set[str] = set()
        self._outdated = False
        self._closed = False

    def begin(self) -> None:
        """Look up the functions, and run or decline what the user decided about before."""
        for call in self.pending.calls:
            self._start(call.id, self._look_up(call))
        if self.pending.expires_at is not None:
            self._start(_DEADLINE, self._watch_deadline(self.pending.expires_at))

    # what the user does

    def see(self, shown: Action) -> None:
        """The user has seen all of an action: from now on it may be allowed."""
        self._put(self.pending.see(shown))

    def allow(self, action_id: str, *, always: bool = False) -> bool:
        """Run the function of a call, or the code; `always`: and later calls of it without asking.

        Returns False if that cannot be: the user has not seen the action as it is now, or it does not wait.
        """
        return self._decide(action_id, lambda action: action.allowed(always=always))

    def decline(self, action_id: str, reason: str = "", *, never: bool = False) -> bool:
        """Tell the model that the user does not want it; `never`: nor any other call of the function."""
        return self._decide(action_id, lambda action: action.declined(reason, never=never))

    def write(self, action_id: str, output: str) -> bool:
        """Answer a call with an output that the user wrote."""
        return self._decide(
            action_id, lambda action: action.written(output) if isinstance(action, FunctionCall) else action
        )

    def edit(self, change: Callable[[CodeBlock], CodeBlock]) -> None:
        """Change what the user is writing about the code."""
        if (code := self.pending.code) is not None:
            self._put(self.pending.swap(code, change(code)))

    def draft(self, action_id: str, output: str) -> None:
        """Keep an output of a call that the user is still writing."""
        self._put(
            self.pending.change(
                action_id,
                lambda action: action.drafted(output) if isinstance(action, FunctionCall) else action,
            )
        )

    def send(self) -> None:
        """Send the answers, once more if they are sent already. Does nothing while one is missing."""
        if self.pending.complete:
            self._put(self.pending.sending())
            self._start(_SEND, self._send())

    # what else happens

    def refresh(self) -> None:
        """Functions may have changed: ask anew about the calls that wait for one that has."""
        self._outdated = True
        task = self._tasks.get(_REFRESH)
        if task is None or task.done():
            self._start(_REFRESH, self._refresh())

    def note_error(self, error: ServiceError | None) -> None:
        """What is wrong with the thread. If that is new since the answers left, they did not arrive."""
        if error is not None and error is not self._error:
            self._put(self.pending.not_received())
        self._error = error

    async def settled(self) -> None:
        """Wait until nothing moves without the user."""
        while tasks := [task for key, task in self._tasks.items() if key != _DEADLINE and not task.done()]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Stop what runs: the server does not wait for it any more. What is decided later has no effect."""
        self._closed = True
        tasks = [task for task in self._tasks.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for call_id in self._claimed:
            await asyncio.to_thread(self._context.approvals.release, call_id)

    # inside

    def _decide(self, action_id: str, change: Callable[[Action], Action]) -> bool:
        decided = self.pending.change(action_id, change)
        if decided is self.pending or self._closed:
            return False
        self._put(decided)
        action = decided.get(action_id)
        if isinstance(action, FunctionCall):
            self._start(action_id, self._carry_out(action))
        else:
            self.send()
        return True

    async def _look_up(self, call: FunctionCall) -> None:
        found = await self._lookup.find(call)
        decision = await self._lookup.decision(found)
        if decision == "never" or (
            decision == "always" and found.values is not None and await self._claim(call.id)
        ):
            found = found.decided_before(decision)
        self._put(self.pending.swap(call, found))
        if found.state == "running" and self.pending.get(call.id) is found:
            await self._carry_out(found)

    async def _claim(self, call_id: str) -> bool:
        """Whether no other window runs this call by itself."""
        if await asyncio.to_thread(self._context.approvals.claim, call_id):
            self._claimed.add(call_id)
            return True
        return False

    async def _carry_out(self, call: FunctionCall) -> None:
        """Run the function of a call that was decided on, if it is to run, and record the call."""
        done = await self._run(call) if call.runs else call
        if done.state == "running":
            done = (await self._records.write(done)).answered()
        self._put(self.pending.swap(call, done))
        if not self.pending.sent:
            self.send()

    async def _run(self, call: FunctionCall) -> FunctionCall:
        """The call with what its function gives; a question again if that is another one now."""
        assert call.function is not None and call.values is not None  # `can_run`
        started = time.monotonic()
        try:
            output = await self._context.functions.call(call.name, call.function.fingerprint, call.values)
        except FunctionChangedError:
            return await self._lookup.refresh(call)
        except CallFailedError as error:
            seconds = time.monotonic() - started
            return call.returned(str(error), seconds, failed=True, printed=error.printed)
        except asyncio.CancelledError:
            await self._records.write_stopped(call, time.monotonic() - started)
            raise
        return call.returned(output, time.monotonic() - started)

    async def _refresh(self) -> None:
        while self._outdated:
            self._outdated = False
            for call in self.pending.calls:
                if call.state == "waiting" and call.function is not None:
                    found = await self._lookup.refresh(call)
                    current = self.pending.get(call.id)
                    self._put(self.pending.swap(call, found))
                    # read or written about meanwhile, it is still the question of before
                    self._outdated |= current is not call and current.state == "waiting"

    async def _send(self) -> None:
        code = self.pending.code
        if code is not None:
            await self._waiting.decide_on_code(code.answer)
        else:
            await self._waiting.submit(self.pending.outputs)

    async def _watch_deadline(self, expires_at: int) -> None:
        while time.time() <= expires_at:  # noqa: ASYNC110 - the clock may be set, the computer may sleep
            await asyncio.sleep(CLOCK)
        self._overdue()

    def _start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks[key] = asyncio.create_task(work)

    def _put(self, pending: PendingActions) -> None:
        if pending is not self.pending:
            self.pending = pending
            self._changed()
