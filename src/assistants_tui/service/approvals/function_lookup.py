"""Finds the function of a call, checks the arguments, and tells what the user decided about it before."""

import asyncio
from collections.abc import Mapping
from typing import Any

from assistants_tui.protocol.objects import FunctionDefinition, Run
from assistants_tui.service.approvals.actions import FunctionCall
from assistants_tui.service.approvals.context import CallContext
from assistants_tui.service.functions.registry import (
    CallFailedError,
    Function,
    definition_text,
    difference,
    read_arguments,
)
from assistants_tui.settings.approvals import Decision


class FunctionLookup:
    """Looks up the functions of one run. Failures become the `problem` of a call."""

    def __init__(self, context: CallContext, run: Run) -> None:
        self._context = context
        self._declared: Mapping[str, FunctionDefinition] = {
            function["name"]: function
            for tool in run.get("tools") or ()
            if (function := tool.get("function")) is not None
        }

    async def find(self, call: FunctionCall) -> FunctionCall:
        """The call with its function, its arguments, and what has changed since the user decided about it."""
        function, problem = await self._find(call.name)
        changed = ""
        if function is not None:
            seen = self._context.approvals.seen
            before = await asyncio.to_thread(seen, call.name, function.fingerprint)
            changed = difference(before, function) if before is not None else ""
        return await self._asked(call, function, problem, changed)

    async def refresh(self, call: FunctionCall) -> FunctionCall:
        """The call, asked about anew if its function is another one now, with what has changed."""
        before = call.function
        assert before is not None  # only a call with a function can have another one
        function, problem = await self._find(call.name)
        if function is not None and function.fingerprint == before.fingerprint:
            return call.asked(before, call.values, call.problem, call.changed)
        changed = ""
        if function is not None:
            changed = difference(definition_text(before), function, "you were asked about it")
        elif not problem:
            problem = "The function is not here any more."
        return await self._asked(call, function, problem, changed)

    async def decision(self, call: FunctionCall) -> Decision | None:
        """What the user decided for good about the function of a call."""
        if call.function is None:
            return None
        decision = self._context.approvals.decision
        return await asyncio.to_thread(decision, call.name, call.function.fingerprint)

    async def _find(self, name: str) -> tuple[Function | None, str]:
        """The function of this name, or why that cannot be told."""
        try:
            return await self._context.functions.find(name), ""
        except CallFailedError as error:
            return None, str(error)

    async def _asked(
        self, call: FunctionCall, function: Function | None, problem: str, changed: str
    ) -> FunctionCall:
        definition = function.definition if function is not None else self._declared.get(call.name)
        values: dict[str, Any] | None = None
        try:
            values = await asyncio.to_thread(read_arguments, call.arguments, definition)
        except CallFailedError as error:
            problem = str(error)
        return call.asked(function, values, problem, changed)
