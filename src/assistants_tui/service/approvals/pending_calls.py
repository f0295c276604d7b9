"""The function calls that a run waits for: decided on, run or answered by hand, and sent back all at once.

The API wants the outputs of all calls of a run in one request, so each answer is kept until the last one is
there; then they are sent without being asked for.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from assistants_tui.protocol.objects import Run, ToolCall, ToolOutput
from assistants_tui.service.functions.call_log import CallRecord, write_record
from assistants_tui.service.functions.registry import (
    CallFailedError,
    Function,
    FunctionChangedError,
    Functions,
    definition_text,
    difference,
    read_arguments,
    shortened,
)
from assistants_tui.settings.approvals import Approvals
from assistants_tui.settings.files import SettingsError

_REFUSED = "The user declined this call."
_AGAIN = ""
"""In place of a call's ID: the task that looks at all of them."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it stands."""

    id: str
    name: str
    arguments: str
    """As the model wrote them, which may be anything."""
    values: dict[str, Any] | None = None
    """The arguments, or None if they cannot be used."""
    problem: str = ""
    """What is wrong with the arguments, or with the way to the function; such a call is not run."""
    function: Function | None = None
    """What can be run here for it."""
    changed: str = ""
    """How the function differs from the one about which the user decided before: a sentence, and lines that
    begin with `-` and `+`."""
    state: Literal["looking", "waiting", "running", "answered"] = "looking"
    decision: str = ""
    """How it came to the output: `once`, `always`, `refused`, `never` or `typed`."""
    output: str = ""
    failed: bool = False
    """The output is the sentence that says why there is no result."""
    printed: str = ""
    """What the function printed when it failed, for the user alone."""
    seconds: float = 0.0

    @property
    def can_run(self) -> bool:
        """Whether the user can let it run now."""
        return self.state == "waiting" and self.function is not None and self.values is not None


@dataclass(frozen=True, slots=True)
class CallContext:
    """What calls are worked on with."""

    profile: str
    functions: Functions
    approvals: Approvals
    log: Path


class PendingCalls:
    """The calls of one run. Methods return at once or raise nothing; `changed` is told after each change."""

    def __init__(
        self,
        run: Run,
        calls: Sequence[ToolCall],
        context: CallContext,
        submit: Callable[[Sequence[ToolOutput]], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        """`submit` sends the outputs of all calls, in their order."""
        self.run_id = run["id"]
        self.thread_id = run["thread_id"]
        self.expires_at = run.get("expires_at")
        """When the server gives the run up, in Unix seconds."""
        self.calls: tuple[Call, ...] = tuple(map(_call, calls))
        self.sent = False
        """The outputs are on their way. If they do not arrive, `submit` sends them again."""
        self._declared = {
            function["name"]: function
            for tool in run.get("tools") or ()
            if (function := tool.get("function")) is not None
        }
        self._context = context
        self._submit = submit
        self._changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._claimed: set[str] = set()
        self._again = False

    @property
    def answered(self) -> bool:
        """Whether every call has an output."""
        return all(call.state == "answered" for call in self.calls)

    def begin(self) -> None:
        """Look for the functions, and run or refuse what the user decided about before."""
        for call in self.calls:
            self._start(call.id, self._look(call))

    def run(self, call_id: str, *, always: bool = False) -> None:
        """Run the function of a call; `always`: and from now on without asking."""
        call = self._get(call_id)
        if call.can_run:
            self._put(replace(call, state="running", decision="always" if always else "once"))
            self._start(call_id, self._run(self._get(call_id), remember=always))

    def refuse(self, call_id: str, reason: str = "", *, never: bool = False) -> None:
        """Tell the model that the user does not want this call; `never`: nor any other of the function."""
        call = self._get(call_id)
        if call.state == "waiting":
            output = f"{_REFUSED} {reason}".strip()
            decision = "never" if never else "refused"
            self._put(replace(call, state="running", decision=decision))
            self._start(call_id, self._answer(call, output, decision, "declined", remember=never))

    def write(self, call_id: str, output: str) -> None:
        """Answer a call by hand. An answer that was given before is replaced, as long as it is not sent."""
        call = self._get(call_id)
        if call.state in {"waiting", "answered"} and not self.sent:
            self._start(call_id, self._answer(replace(call, failed=False), output, "typed", "ok"))

    def look_again(self) -> None:
        """Functions may have changed: ask anew about the calls that wait for one that has."""
        self._again = True
        task = self._tasks.get(_AGAIN)
        if task is None or task.done():
            self._start(_AGAIN, self._look_for_changes())

    async def submit(self) -> None:
        """Send the outputs, if they are complete."""
        if self.answered:
            self.sent = True
            self._changed()
            await self._submit([ToolOutput(tool_call_id=call.id, output=call.output) for call in self.calls])

    async def settled(self) -> None:
        """Wait until nothing moves without the user."""
        while tasks := [task for task in self._tasks.values() if not task.done()]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Stop what runs: the run does not wait for it any more."""
        tasks = [task for task in self._tasks.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for call_id in self._claimed:
            await asyncio.to_thread(self._context.approvals.release, call_id)

    async def _look(self, call: Call) -> None:
        """What can be run for a call, whether its arguments fit, and what was decided before."""
        problem = ""
        function: Function | None = None
        try:
            function = await self._context.functions.find(call.name)
        except CallFailedError as error:
            problem = str(error)
        call = await self._fitted(replace(call, function=function, problem=problem, state="waiting"))
        values = call.values
        self._put(call)
        if function is None:
            return
        before = await asyncio.to_thread(self._context.approvals.seen, call.name, function.fingerprint)
        if before is not None:
            call = replace(call, changed=difference(before, function))
            self._put(call)
        decision = await asyncio.to_thread(self._context.approvals.decision, call.name, function.fingerprint)
        if decision == "never":
            await self._answer(call, _REFUSED, "never", "declined")
        elif decision == "always" and values is not None and await self._claim(call):
            self._put(replace(call, state="running", decision="always"))
            await self._run(self._get(call.id), remember=False)

    async def _fitted(self, call: Call) -> Call:
        """The call with its arguments as its function takes them."""
        definition = call.function.definition if call.function is not None else self._declared.get(call.name)
        try:
            values = await asyncio.to_thread(read_arguments, call.arguments, definition)
        except CallFailedError as error:
            return replace(call, values=None, problem=str(error))
        return replace(call, values=values)

    async def _look_for_changes(self) -> None:
        while self._again:
            self._again = False
            for call in self.calls:
                if call.state == "waiting" and call.function is not None:
                    await self._ask_anew(call)

    async def _ask_anew(self, call: Call) -> None:
        """Ask about a call once more if its function is another one now, and show what has changed."""
        assert call.function is not None
        problem = ""
        try:
            function = await self._context.functions.find(call.name)
            if function is None:
                problem = "The function is not here any more."
        except CallFailedError as error:
            function, problem = None, str(error)
        if function is not None and function.fingerprint == call.function.fingerprint:
            new = replace(call, state="waiting", decision="")
        else:
            before = definition_text(call.function)
            changed = "" if function is None else difference(before, function, "you were asked about it")
            asked = replace(call, function=function, changed=changed, problem=problem)
            new = await self._fitted(replace(asked, state="waiting", decision=""))
        if self._get(call.id) is call:  # the user has not answered meanwhile
            self._put(new)

    async def _claim(self, call: Call) -> bool:
        """Whether no other window runs this call by itself."""
        if await asyncio.to_thread(self._context.approvals.claim, call.id):
            self._claimed.add(call.id)
            return True
        return False

    async def _run(self, call: Call, *, remember: bool) -> None:
        assert call.function is not None and call.values is not None  # `can_run`
        started = time.monotonic()
        failed, printed, outcome = False, "", "ok"
        try:
            output = await self._context.functions.call(call.name, call.function.fingerprint, call.values)
        except FunctionChangedError:
            await self._ask_anew(call)
            return
        except CallFailedError as error:
            failed, output, printed, outcome = True, str(error), error.printed, "failed"
        except asyncio.CancelledError:
            await self._log(call, call.decision, "stopped", time.monotonic() - started)
            raise
        call = replace(call, failed=failed, printed=printed, seconds=time.monotonic() - started)
        await self._answer(call, output, call.decision, outcome, remember=remember)

    async def _answer(
        self, call: Call, output: str, decision: str, outcome: str, *, remember: bool = False
    ) -> None:
        if remember and call.function is not None:
            kept: Literal["always", "never"] = "never" if decision == "never" else "always"
            try:
                await asyncio.to_thread(
                    self._context.approvals.decide,
                    call.name,
                    call.function.fingerprint,
                    kept,
                    definition_text(call.function),
                )
            except SettingsError as error:
                call = replace(call, problem=str(error))  # it will be asked about again
        elif decision == "once" and call.function is not None:
            with contextlib.suppress(SettingsError):  # it is asked about all the same
                await asyncio.to_thread(
                    self._context.approvals.let_run,
                    call.name,
                    call.function.fingerprint,
                    definition_text(call.function),
                )
        trouble = await self._log(call, decision, outcome, call.seconds)
        self._put(
            replace(
                call,
                state="answered",
                decision=decision,
                output=shortened(output),
                problem=trouble or call.problem,
            )
        )
        if self.answered and not self.sent:
            await self.submit()

    async def _log(self, call: Call, decision: str, outcome: str, seconds: float) -> str:
        """Write the line of a call. Returns why that was not possible; the call goes on all the same."""
        record = CallRecord(
            profile=self._context.profile,
            thread_id=self.thread_id,
            run_id=self.run_id,
            call_id=call.id,
            function=call.name,
            place=call.function.place if call.function is not None and decision != "typed" else "",
            decision=decision,
            outcome=outcome,
            seconds=seconds,
            arguments=call.values if call.values is not None else call.arguments,
        )
        try:
            await asyncio.to_thread(write_record, self._context.log, record)
        except OSError as error:
            return f"{self._context.log} cannot be written: {error.strerror}."
        return ""

    def _start(self, call_id: str, work: Any) -> None:
        self._tasks[call_id] = asyncio.create_task(work)

    def _get(self, call_id: str) -> Call:
        return next(call for call in self.calls if call.id == call_id)

    def _put(self, changed: Call) -> None:
        self.calls = tuple(changed if call.id == changed.id else call for call in self.calls)
        self._changed()


def _call(call: ToolCall) -> Call:
    function = call.get("function") or {"name": "", "arguments": ""}
    return Call(call["id"], str(function.get("name") or ""), str(function.get("arguments") or ""))
