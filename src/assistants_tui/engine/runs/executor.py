"""Works on one run: asks the model, passes on what it says, runs the tools it calls, until it answers."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.models import tokens
from assistants_tui.engine.models.base import (
    ChatRequest,
    ContextOverflowError,
    Delta,
    ModelError,
    Usage,
)
from assistants_tui.engine.models.lengths import SMALLEST_CONTEXT
from assistants_tui.engine.runs import (
    document_search,
    history,
    json_answer,
    outcomes,
    prompt,
    strict_arguments,
    usage,
)
from assistants_tui.engine.runs.cancellation import CancelToken, Interrupted
from assistants_tui.engine.runs.code_runner import CodeRunner
from assistants_tui.engine.runs.document_search import DocumentSearch, ExpiredStoreError
from assistants_tui.engine.runs.outcomes import RunOutcome
from assistants_tui.engine.runs.repetitions import LIMIT, NOTE, Repetitions, last_round
from assistants_tui.engine.runs.run_storage import RunStorage
from assistants_tui.engine.runs.run_writer import RunWriter
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.runs.tool_definitions import ToolBox
from assistants_tui.engine.runs.turn import ModelTurn
from assistants_tui.engine.store import run_steps, runs
from assistants_tui.protocol.objects import Json
from assistants_tui.protocol.transitions import is_final

MAX_TURNS = 30
"""How often one run asks the model. A run that still calls tools then goes round in circles."""

_MAX_OVERFLOWS = 6  # how often one turn is tried again with a shorter prompt
_SHRINK = 0.7  # by how much each time, where the endpoint does not say how much it takes
_MARGIN = 0.9  # of a stated context: token counts here are estimates, and the answer needs room too

_logger = logging.getLogger(__name__)


class _Ended(Exception):
    """The run cannot go on, and ends like this."""

    def __init__(self, outcome: RunOutcome) -> None:
        super().__init__(outcome.event)
        self.outcome = outcome


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
        self._history: list[Json] = []
        self._own: list[Json] = []
        self._progress: Json = {}
        self._turn: ModelTurn | None = None
        self._repetitions = Repetitions()
        self._refusals = 0
        self._refused: ContextOverflowError | None = None  # the last refusal of a prompt for its length
        self._guess: int | None = None  # what the model can read, after such refusals
        self._doubts_limit = False  # whether what was stated in earlier runs is not to be relied on

    async def work(self) -> None:
        """Do the run. What goes wrong becomes the run's own state, not an exception."""
        try:
            outcome = await self._work()
        except Interrupted as interruption:
            outcome = _OUTCOMES.get(interruption.reason)
        except _Ended as ended:
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
        """Wait for what the work has begun and no longer needs. Others may work on the run meanwhile."""
        await self._code.release_prestart()

    async def _work(self) -> RunOutcome | None:
        """The ending that the run comes to; None if it waits for an answer."""
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
            if await self._run_tools(turn):
                return None
            turns = turn.as_turns(self._search.told)
            self._own += turns
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
            if "products" in self._progress:
                self._code.artifacts.resume(self._progress["products"])
            for_code = await history.code_files(connection, services.blobs, self.storage.owner, run, now=now)
            self._code.files = for_code.paths
            self._history = await history.of_thread(
                connection,
                services.blobs,
                self.storage.owner,
                run,
                now=now,
                budget=self._budget(),
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
                raise _Ended(outcomes.failed("server_error", str(expired))) from None

    async def _recall(self, connection: AsyncConnection) -> None:
        """What this run has said and done before it waited."""
        run, returned = self.writer.run, self._progress.get("returned", {})
        self._own, results = await history.of_run(
            connection, run, self.storage.owner, self._tools, self._search.remarks, returned
        )
        self._search.resume(results)
        if turns := last_round(self._own):
            # Steps do not keep what was searched for.
            self._repetitions.add_round(turns, without=self._tools.names("file_search"))
            self._tell_repetition()

    def _tell_repetition(self) -> None:
        """Tell the model that it has repeated a call for the last time, if it has."""
        if self._repetitions.is_stuck:
            self._own[-1] = {**self._own[-1], "content": f"{self._own[-1]['content']}\n\n{NOTE}"}

    async def _finish_calls(self) -> bool:
        """Go on with calls whose code waited for the user. True if the run has to wait once more."""
        used = usage.from_wire(self._progress["step_usage"])
        unseen = await self._run_code(self._progress["decision"])
        if await self._wait(unseen, used):
            return True
        await self.writer.calls.close(used)
        async with self._services.database.read() as connection:
            await self._recall(connection)
        return False

    async def _ask(self) -> ModelTurn:
        """One turn of the model, told and stored as it comes."""
        if self.writer.turns >= MAX_TURNS:
            message = f"The model called tools {MAX_TURNS} times without coming to an answer."
            raise _Ended(outcomes.failed("server_error", message))
        for attempt in range(_MAX_OVERFLOWS + 1):
            request = self._request()
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
                self._learn_limit(request, error)
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

    async def _run_tools(self, turn: ModelTurn) -> bool:
        """Run what runs here. True if the run has to wait for somebody, and does."""
        opened = turn.step_id is not None
        for call in turn.calls:
            if call.index is not None and call.kind == "file_search":
                await self._search.run(
                    self.writer.calls, call.index, call.arguments, self.cancel_token, budget=self._budget()
                )
        if opened and turn.returned:
            self._progress.setdefault("returned", {})[turn.step_id] = turn.returned
        unseen = await self._run_code()
        if opened and unseen is None and not self.writer.calls.functions:
            await self.writer.calls.close(turn.usage)
        await turn.write_late_text()
        return opened and await self._wait(unseen, turn.usage)

    async def _run_code(self, decision: Json | None = None) -> int | None:
        """Run the code of the open step, as far as the user need not see it before or has decided.

        Returns the place of the call whose code the user has to see.
        """
        for index in self.writer.calls.unsettled_code:
            if decision is None and await self._code.needs_approval():
                return index
            await self._code.run(self.writer.calls, index, self.cancel_token, decision or {})
            self.writer.calls.settle(index)
            decision = None
        return None

    async def _wait(self, unseen: int | None, used: Usage) -> bool:
        """Have the run wait for a decision on code, or for the outputs of functions. False: for neither."""
        kept = {
            "products": self._code.artifacts.kept(),
            "repetitions": self._repetitions.kept(),
            "remarks": self._search.remarks,
            "returned": self._progress.get("returned", {}),
        }
        if unseen is not None:
            await self.writer.ask_about_code(unseen, await self._code.why_unconfined(), used, kept)
        elif self.writer.calls.functions:
            await self.writer.ask_for_outputs(used, kept)
        else:
            return False
        return True

    async def _completed(self, turn: ModelTurn) -> RunOutcome:
        await turn.write_images()
        spoken = any(turn["role"] == "assistant" and turn["content"] for turn in self._own)
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
        """Give up a run whose model goes on to call strict functions with arguments that do not fit."""
        if fault is None:
            return
        self._refusals += 1
        if self._refusals > strict_arguments.MAX_REFUSALS:
            message = f"The model called functions wrongly {self._refusals} times. The last time: {fault}"
            raise _Ended(outcomes.failed("server_error", message))

    # The request

    def _request(self) -> ChatRequest:
        run = self.writer.run
        # A model that repeats a call is asked to call nothing, and if it does not heed that, without tools.
        # Not at once: some servers refuse calls in the history of a request that declares no tools.
        definitions = [] if self._repetitions.goes_on else self._tools.definitions
        choice = self._tools.choice(run["tool_choice"])
        forced = self.writer.turns == 0 or run["tool_choice"] == "none"
        response_format = run["response_format"]
        if isinstance(response_format, str) or response_format == {"type": "text"}:
            response_format = None
        messages = self._messages(definitions)
        return ChatRequest(
            model=run["model"],
            messages=messages,
            tools=definitions,
            tool_choice="none" if self._repetitions.is_stuck else choice if forced else "auto",
            parallel_tool_calls=run["parallel_tool_calls"],
            temperature=1.0 if run["temperature"] is None else run["temperature"],
            top_p=1.0 if run["top_p"] is None else run["top_p"],
            response_format=response_format,
            max_completion_tokens=self._left("completion"),
            reasoning_effort=run["reasoning_effort"],
        )

    def _messages(self, definitions: list[Json]) -> list[Json]:
        """The prompt, as short as it has to be."""
        while True:
            try:
                return prompt.fit(
                    prompt.system_text(self.writer.run, self._code.files, self._search.documents),
                    self._history,
                    self._own,
                    overhead=tokens.of_tools(definitions),
                    budget=self._budget(),
                )
            except prompt.PromptTooLongError:
                if self._left("prompt") is not None and self._left("prompt") == self._budget():
                    raise _Ended(outcomes.incomplete("max_prompt_tokens")) from None
                if self._refused is not None:
                    message = "The prompt is longer than the model can read, even without the older messages."
                    message = f"{message} The model server said: {self._refused}"
                    raise _Ended(outcomes.failed("invalid_prompt", message)) from None
                # An estimate against what the server said to another run: it has to say it to this one.
                self._doubts_limit = True

    def _left(self, kind: str) -> int | None:
        """What is left of the run's prompt or completion tokens; None if it may take as many as it needs."""
        run = self.writer.run
        limit = run["max_prompt_tokens"] if kind == "prompt" else run["max_completion_tokens"]
        if limit is None:
            return None
        so_far = self.writer.used
        used = so_far.prompt_tokens if kind == "prompt" else so_far.completion_tokens
        if used >= limit:
            raise _Ended(outcomes.incomplete(f"max_{kind}_tokens"))
        return limit - used

    def _budget(self) -> int | None:
        """How many tokens the next prompt may have."""
        services, model = self._services, self.writer.run["model"]
        stated = None if self._doubts_limit else services.context_limits.of(model, services.clock.time())
        limits = (self._left("prompt"), self._guess, None if stated is None else int(stated * _MARGIN))
        known = [limit for limit in limits if limit is not None]
        return min(known) if known else None

    def _learn_limit(self, request: ChatRequest, error: ContextOverflowError) -> None:
        """A prompt was refused for its length. Other runs heed what the server has stated, but no guess."""
        self._refused = error
        estimate = tokens.of_messages(request.messages) + tokens.of_tools(request.tools)
        self._guess = int(estimate * _SHRINK)
        if error.limit is not None and error.limit >= SMALLEST_CONTEXT:
            self._guess = min(self._guess, int(error.limit * _MARGIN))
            self._services.context_limits.learn(request.model, error.limit, self._services.clock.time())


_OUTCOMES: dict[str, RunOutcome] = {
    "cancel": outcomes.CANCELLED,
    "expire": outcomes.EXPIRED,
    "shutdown": outcomes.failed("server_error", "The engine was closed before the run was done."),
}
