"""Works on one run: asks the model, passes on what it says, runs the tools it calls, until it answers."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.models.base import (
    ChatRequest,
    ContextOverflowError,
    Delta,
    ModelError,
    Usage,
)
from assistants_tui.engine.runs import (
    document_search,
    history,
    json_answer,
    outcomes,
    strict_arguments,
)
from assistants_tui.engine.runs.cancellation import CancelToken, Interrupted
from assistants_tui.engine.runs.code_runner import CodeRunner
from assistants_tui.engine.runs.document_search import DocumentSearch, ExpiredStoreError
from assistants_tui.engine.runs.outcomes import RunEndedError, RunOutcome
from assistants_tui.engine.runs.repetitions import LIMIT, NOTE, Repetitions, last_round
from assistants_tui.engine.runs.request_builder import RequestBuilder
from assistants_tui.engine.runs.run_storage import RunStorage
from assistants_tui.engine.runs.run_writer import RunWriter
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.runs.tool_definitions import ToolBox
from assistants_tui.engine.runs.tool_runner import ToolRunner
from assistants_tui.engine.runs.turn import ModelTurn
from assistants_tui.engine.store import run_steps, runs
from assistants_tui.protocol.objects import Json
from assistants_tui.protocol.transitions import is_final

MAX_TURNS = 30
"""How often one run asks the model. A run that still calls tools then goes round in circles."""

_MAX_OVERFLOWS = 6  # how often one turn is tried again with a shorter prompt

_logger = logging.getLogger(__name__)


class Executor:
    """The work on one run from `queued` to its end, or to the next wait for a client's answer."""

    def __init__(self, services: RunServices, storage: RunStorage) -> None:
        run = storage.run
        self.cancel_token = CancelToken()
        self.storage = storage
        self.writer = RunWriter(storage)
        self._services = services
        self._tools = ToolBox(run["tools"])
        self._code = CodeRunner(services, storage.owner, run["thread_id"])
        self._search = DocumentSearch(services, run, self._code.artifacts)
        self._progress: Json = {}
        self._turn: ModelTurn | None = None
        self._repetitions = Repetitions()
        self._refusals = 0
        self._requests = RequestBuilder(
            services, self.writer, self._tools, self._code, self._search, self._repetitions
        )
        self._tool_runner = ToolRunner(
            self.writer, self._code, self._search, self._repetitions, self.cancel_token
        )

    async def work(self) -> None:
        """Do the run. What goes wrong becomes the run's own state, not an exception."""
        try:
            outcome = await self._work()
        except Interrupted as interruption:
            outcome = _OUTCOMES.get(interruption.reason)
        except RunEndedError as ended:
            outcome = ended.outcome
        except ModelError as error:
            outcome = outcomes.failed(error.code, str(error))
        except Exception:
            _logger.exception("run %s failed", self.writer.id)
            message = "The engine had an error while working on this run; its log says more."
            outcome = outcomes.failed("server_error", message)
        if outcome is not None:
            await self._end(outcome)

    async def release(self) -> None:
        """Wait for background work that the run began. Another executor may work on the run meanwhile."""
        await self._code.release_prestart()

    async def _work(self) -> RunOutcome | None:
        """How the run ends; None if it waits for an answer."""
        # Both at once, each on a connection of its own and to its end.
        for failure in await asyncio.gather(self.writer.begin(), self._read_thread(), return_exceptions=True):
            if failure is not None:
                raise failure
        if self.writer.calls.unsettled_code and await self._finish_calls():
            return None
        while True:
            self.cancel_token.check()
            turn = self._turn = await self._ask()
            self._count(turn)
            if turn.reason == "length":
                return outcomes.incomplete("max_completion_tokens")
            if turn.reason == "content_filter":
                message = "The content filter of the model endpoint stopped this answer."
                return outcomes.failed("server_error", message, filtered=True)
            if not turn.calls:
                return await self._completed(turn)
            if self._repetitions.goes_on:
                message = (
                    f"The model made the same call {LIMIT + 1} times with the same result, and gave no "
                    "answer when it was asked for one without tools."
                )
                return outcomes.failed("server_error", message)
            self._count_refusal(await turn.complete())
            if await self._tool_runner.run(turn, self._requests.budget):
                return None
            turns = turn.as_turns(self._search.told)
            self._requests.own += turns
            self._turn = None
            self._repetitions.add_round(turns)
            self._tell_repetition()

    async def _read_thread(self) -> None:
        services, run = self._services, self.writer.run
        now = services.now()
        async with services.database.read() as connection:
            stored = await runs.record(connection, self.writer.id)
            if stored is None:
                raise Interrupted("taken")
            self._progress = stored.progress or {}
            self.writer.resume(self._progress)
            self._repetitions.resume(self._progress.get("repetitions", {}))
            self._search.remarks |= self._progress.get("remarks", {})
            self._tool_runner.returned |= self._progress.get("returned", {})
            if "products" in self._progress:
                self._code.artifacts.resume(self._progress["products"])
            for_code = await history.code_files(connection, services.blobs, self.storage.owner, run, now=now)
            self._code.files = for_code.paths
            self._requests.history = await history.of_thread(
                connection,
                services.blobs,
                self.storage.owner,
                run,
                now=now,
                budget=self._requests.budget(),
                code_names=for_code.names,
            )
            if "decision" in self._progress:
                for step in await run_steps.of_run(connection, self.writer.id):
                    if not is_final(step["status"]) and step["type"] == "tool_calls":
                        self.writer.calls.reopen(step, self._progress["settled"])
            elif self.writer.turns:
                await self._recall(connection)
            try:
                self._search.documents = await document_search.of_run(
                    connection, self.storage.owner, run, now
                )
            except ExpiredStoreError as expired:
                raise RunEndedError(outcomes.failed("server_error", str(expired))) from None

    async def _recall(self, connection: AsyncConnection) -> None:
        """Read what this run said and did before it waited."""
        run, returned = self.writer.run, self._tool_runner.returned
        self._requests.own, results = await history.of_run(
            connection, run, self.storage.owner, self._tools, self._search.remarks, returned
        )
        self._search.resume(results)
        if turns := last_round(self._requests.own):
            # Steps do not keep what was searched for.
            self._repetitions.add_round(turns, without=self._tools.names("file_search"))
            self._tell_repetition()

    def _tell_repetition(self) -> None:
        """Tell the model that it has repeated a call for the last time, if it has."""
        if self._repetitions.is_stuck:
            own = self._requests.own
            own[-1] = {**own[-1], "content": f"{own[-1]['content']}\n\n{NOTE}"}

    async def _finish_calls(self) -> bool:
        """Continue the calls whose code waited for the user. True if the run waits once more."""
        if await self._tool_runner.resume(self._progress):
            return True
        async with self._services.database.read() as connection:
            await self._recall(connection)
        return False

    async def _ask(self) -> ModelTurn:
        """One turn of the model, published and stored as it comes."""
        if self.writer.turns >= MAX_TURNS:
            message = f"The model called tools {MAX_TURNS} times without coming to an answer."
            raise RunEndedError(outcomes.failed("server_error", message))
        for attempt in range(_MAX_OVERFLOWS + 1):
            await self._requests.ask_for_context()
            request = self._requests.build()
            turn = self._turn = ModelTurn(self.writer, self._tools, self._code, request)
            try:
                await self._read(request, turn)
            except ContextOverflowError as error:
                if turn.has_begun:
                    # What filled the context is the answer itself.
                    message = "The model server stopped in the middle of the answer. It said:"
                    raise ModelError(f"{message} {error}") from None
                if attempt == _MAX_OVERFLOWS:
                    raise
                self._requests.learn_limit(request, error)
            else:
                break
        return turn

    async def _read(self, request: ChatRequest, turn: ModelTurn) -> None:
        async def produce(emit: Callable[[Delta], None]) -> None:
            async with aclosing(self._services.model.stream(request)) as deltas:
                async for delta in deltas:
                    emit(delta)

        async with aclosing(self.cancel_token.items(produce)) as deltas:
            async for delta in deltas:
                await turn.take(delta)
                if turn.cut:
                    break
        turn.flush()

    async def _completed(self, turn: ModelTurn) -> RunOutcome:
        await turn.write_images()
        spoken = any(turn["role"] == "assistant" and turn["content"] for turn in self._requests.own)
        if not (turn.text or self.writer.message.has_content or spoken):
            return outcomes.failed("server_error", turn.why_empty)
        if turn.request.response_format is not None and not turn.refused:
            fault = await asyncio.to_thread(json_answer.fault, turn.text, turn.request.response_format)
            if fault is not None:
                return outcomes.failed("server_error", fault)
        return outcomes.COMPLETED

    async def _end(self, outcome: RunOutcome) -> None:
        used: Usage | None = None
        if self._turn is not None:
            self._turn.flush()
            self._count(self._turn)
            used = self._turn.usage
        if outcome is not outcomes.CANCELLED and await self.writer.end(outcome, used):
            return
        # It is to be cancelled, or somebody was quicker; if that was a cancelling, the end is still ours.
        await self.writer.end(outcomes.CANCELLED, used)

    def _count(self, turn: ModelTurn) -> None:
        if not turn.counted:
            turn.counted = True
            self.writer.count(turn.usage)

    def _count_refusal(self, fault: str | None) -> None:
        """End a run whose model calls strict functions again and again with arguments that do not fit."""
        if fault is None:
            return
        self._refusals += 1
        if self._refusals > strict_arguments.MAX_REFUSALS:
            message = f"The model called functions wrongly {self._refusals} times. The last time: {fault}"
            raise RunEndedError(outcomes.failed("server_error", message))


_OUTCOMES: dict[str, RunOutcome] = {
    "cancel": outcomes.CANCELLED,
    "expire": outcomes.EXPIRED,
    "shutdown": outcomes.failed("server_error", "The engine was closed before the run was done."),
}
