"""Runs the tools that a run's model calls, and has the run wait for what only its client can do."""

from collections.abc import Callable

from assistants_tui.engine.models.base import Usage
from assistants_tui.engine.runs import usage
from assistants_tui.engine.runs.cancellation import CancelToken
from assistants_tui.engine.runs.code_runner import CodeRunner
from assistants_tui.engine.runs.document_search import DocumentSearch
from assistants_tui.engine.runs.repetitions import Repetitions
from assistants_tui.engine.runs.run_writer import RunWriter
from assistants_tui.engine.runs.turn import ModelTurn
from assistants_tui.protocol.objects import Json


class ToolRunner:
    """The tools of one run. Its methods raise `Interrupted`."""

    def __init__(
        self,
        writer: RunWriter,
        code: CodeRunner,
        search: DocumentSearch,
        repetitions: Repetitions,
        cancel_token: CancelToken,
    ) -> None:
        self.returned: dict[str, Json] = {}
        """What the model server wants back with the results of calls, by step ID."""
        self._writer = writer
        self._code = code
        self._search = search
        self._repetitions = repetitions
        self._cancel_token = cancel_token

    async def resume(self, progress: Json) -> bool:
        """Run the code that waited for the user's decision, and what follows it in its step.

        `progress`: of the run. True if the run waits once more.
        """
        used = usage.from_wire(progress["step_usage"])
        unseen = await self._run_code(progress["decision"])
        if await self._wait(unseen, used):
            return True
        await self._writer.calls.close(used)
        return False

    async def run(self, turn: ModelTurn, budget: Callable[[], int | None]) -> bool:
        """Run the built-in tools that a turn called. True if the run now waits for its client.

        `budget` gives the tokens of the next prompt, None if unlimited, or raises `RunEndedError`.
        """
        opened = turn.step_id is not None
        for call in turn.calls:
            if call.index is not None and call.kind == "file_search":
                await self._search.run(
                    self._writer.calls, call.index, call.arguments, self._cancel_token, budget=budget()
                )
        if turn.step_id is not None and turn.returned:
            self.returned[turn.step_id] = turn.returned
        unseen = await self._run_code()
        if opened and unseen is None and not self._writer.calls.functions:
            await self._writer.calls.close(turn.usage)
        await turn.write_late_text()
        return opened and await self._wait(unseen, turn.usage)

    async def _run_code(self, decision: Json | None = None) -> int | None:
        """Run the code of the open step, up to the first call that needs an approval.

        `decision`: the user's on the first of it. Returns the index of the call that needs one, if any.
        """
        for index in self._writer.calls.unsettled_code:
            if decision is None and await self._code.needs_approval():
                return index
            await self._code.run(self._writer.calls, index, self._cancel_token, decision or {})
            self._writer.calls.settle(index)
            decision = None
        return None

    async def _wait(self, unseen: int | None, used: Usage) -> bool:
        """Have the run wait for a decision on code, or for the outputs of functions. False: for neither."""
        kept = {
            "products": self._code.artifacts.kept(),
            "repetitions": self._repetitions.kept(),
            "remarks": self._search.remarks,
            "returned": self.returned,
        }
        if unseen is not None:
            await self._writer.ask_about_code(unseen, await self._code.why_unconfined(), used, kept)
        elif self._writer.calls.functions:
            await self._writer.ask_for_outputs(used, kept)
        else:
            return False
        return True
