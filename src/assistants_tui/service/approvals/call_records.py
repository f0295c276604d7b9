"""What is written to disk about function calls: decisions that hold for later calls, and the log of calls."""

import asyncio
from dataclasses import replace

from assistants_tui.service.approvals.actions import FunctionCall
from assistants_tui.service.approvals.context import CallContext
from assistants_tui.service.functions.call_log import CallRecord, write_record
from assistants_tui.service.functions.registry import definition_text
from assistants_tui.settings.files import SettingsError


class CallRecords:
    """Writes about the calls of one run. What cannot be written becomes the `problem` of a call."""

    def __init__(self, context: CallContext, thread_id: str, run_id: str) -> None:
        self._context = context
        self._thread_id = thread_id
        self._run_id = run_id

    async def write(self, call: FunctionCall) -> FunctionCall:
        """Keep what was decided about the function, and log the call, whose output is there."""
        return await self._log(await self._remember(call), _outcome(call))

    async def write_stopped(self, call: FunctionCall, seconds: float) -> None:
        """Log a call whose function was stopped after so many seconds."""
        await self._log(replace(call, seconds=seconds), "stopped")

    async def _remember(self, call: FunctionCall) -> FunctionCall:
        function, approvals = call.function, self._context.approvals
        if function is None or call.remembered:
            return call
        text = definition_text(function)
        try:
            match call.decision:
                case "always" | "never" as kept:
                    await asyncio.to_thread(approvals.decide, call.name, function.fingerprint, kept, text)
                case "once":
                    await asyncio.to_thread(approvals.let_run, call.name, function.fingerprint, text)
        except SettingsError as error:
            if call.decision != "once":  # that one is asked about again in any case
                return replace(call, problem=str(error))
        return call

    async def _log(self, call: FunctionCall, outcome: str) -> FunctionCall:
        record = CallRecord(
            profile=self._context.profile,
            thread_id=self._thread_id,
            run_id=self._run_id,
            call_id=call.id,
            function=call.name,
            place=call.function.place if call.function is not None and call.decision != "typed" else "",
            decision=call.decision or "",
            outcome=outcome,
            seconds=call.seconds,
            arguments=call.values if call.values is not None else call.arguments,
        )
        try:
            await asyncio.to_thread(write_record, self._context.log, record)
        except OSError as error:
            return replace(call, problem=f"{self._context.log} cannot be written: {error.strerror}.")
        return call


def _outcome(call: FunctionCall) -> str:
    if call.decision in {"refused", "never"}:
        return "declined"
    return "failed" if call.failed else "ok"
