"""Builds the requests that a run sends to its model, with prompts that fit what the model can read."""

from assistants_tui.engine.models import tokens
from assistants_tui.engine.models.base import ChatRequest, ContextOverflowError
from assistants_tui.engine.models.length_refusals import SMALLEST_CONTEXT
from assistants_tui.engine.runs import outcomes, prompt
from assistants_tui.engine.runs.code_runner import CodeRunner
from assistants_tui.engine.runs.document_search import DocumentSearch
from assistants_tui.engine.runs.outcomes import RunEndedError
from assistants_tui.engine.runs.repetitions import Repetitions
from assistants_tui.engine.runs.run_writer import RunWriter
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.runs.tool_definitions import ToolBox
from assistants_tui.protocol.objects import Json

_SHRINK = 0.7  # by how much a refused prompt is shortened, where the endpoint does not say how much it takes
_MARGIN = 0.9  # of a stated context: token counts here are estimates, and the answer needs room too
_FITS_ANYWHERE = 1000  # tokens that any model reads


class RequestBuilder:
    """The requests of one run. `history`: the thread; `own`: what the run has said and done so far."""

    def __init__(
        self,
        services: RunServices,
        writer: RunWriter,
        tools: ToolBox,
        code: CodeRunner,
        search: DocumentSearch,
        repetitions: Repetitions,
    ) -> None:
        self.history: list[Json] = []
        self.own: list[Json] = []
        self._services = services
        self._writer = writer
        self._tools = tools
        self._code = code
        self._search = search
        self._repetitions = repetitions
        self._refused: ContextOverflowError | None = None  # the last refusal of a prompt for its length
        self._guess: int | None = None  # what the model can read, after such refusals
        self._doubts_limit = False  # whether what was stated in earlier runs is not to be relied on

    async def ask_for_context(self) -> None:
        """Have the server asked what its model reads. Only a long prompt waits for the answer."""
        limits, model = self._services.context_limits, self._writer.run["model"]
        limits.ask(model, self._services.clock.time())
        if tokens.of_messages([*self.history, *self.own]) > _FITS_ANYWHERE:
            await limits.answered(model)

    def build(self) -> ChatRequest:
        """The next request. Raises `RunEndedError` if its prompt is too long or no tokens are left."""
        run = self._writer.run
        # A model that repeats a call is asked to call nothing, and if it does not heed that, without tools.
        # Not at once: some servers refuse calls in the history of a request that declares no tools.
        definitions = [] if self._repetitions.goes_on else self._tools.definitions
        choice = self._tools.choice(run["tool_choice"])
        forced = self._writer.turns == 0 or run["tool_choice"] == "none"
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
                    prompt.system_text(self._writer.run, self._code.files, self._search.documents),
                    self.history,
                    self.own,
                    overhead=tokens.of_tools(definitions),
                    budget=self.budget(),
                )
            except prompt.PromptTooLongError:
                if self._left("prompt") is not None and self._left("prompt") == self.budget():
                    raise RunEndedError(outcomes.incomplete("max_prompt_tokens")) from None
                if self._refused is not None:
                    message = "The prompt is longer than the model can read, even without the older messages."
                    message = f"{message} The model server said: {self._refused}"
                    raise RunEndedError(outcomes.failed("invalid_prompt", message)) from None
                # An estimate against what the server said to another run: it has to say it to this one.
                self._doubts_limit = True

    def _left(self, kind: str) -> int | None:
        """What is left of the run's prompt or completion tokens; None if it may take as many as it needs."""
        run = self._writer.run
        limit = run["max_prompt_tokens"] if kind == "prompt" else run["max_completion_tokens"]
        if limit is None:
            return None
        so_far = self._writer.used
        used = so_far.prompt_tokens if kind == "prompt" else so_far.completion_tokens
        if used >= limit:
            raise RunEndedError(outcomes.incomplete(f"max_{kind}_tokens"))
        return limit - used

    def budget(self) -> int | None:
        """How many tokens the next prompt may have; None if that is not known."""
        services, model = self._services, self._writer.run["model"]
        stated = None if self._doubts_limit else services.context_limits.of(model, services.clock.time())
        limits = (self._left("prompt"), self._guess, None if stated is None else int(stated * _MARGIN))
        known = [limit for limit in limits if limit is not None]
        return min(known) if known else None

    def learn_limit(self, request: ChatRequest, error: ContextOverflowError) -> None:
        """A prompt was refused for its length. Other runs heed what the server has stated, but no guess."""
        self._refused = error
        estimate = tokens.of_messages(request.messages) + tokens.of_tools(request.tools)
        self._guess = int(estimate * _SHRINK)
        if error.limit is not None and error.limit >= SMALLEST_CONTEXT:
            self._guess = min(self._guess, int(error.limit * _MARGIN))
            self._services.context_limits.learn(request.model, error.limit, self._services.clock.time())
