"""The contexts of models: as their servers say them, else as declared, else as learned from refusals."""

import asyncio
from collections.abc import Callable

from assistants_tui.engine.models.base import ChatModel, ModelError
from assistants_tui.engine.models.length_refusals import SMALLEST_CONTEXT

_REFUSAL_SECONDS = 3600  # a model may be loaded again with another context
_UNKNOWN_SECONDS = 600  # after which a server that did not say it is asked again


class ContextLimits:
    """Tokens that models read, by name.

    `model` asks the servers, `declared` gives what the user has said. Only what a server has stated is kept:
    guesses are not. A refusal that states less than the server said before is right, for an hour.
    """

    def __init__(
        self, model: ChatModel | None = None, declared: Callable[[str], int | None] = lambda model: None
    ) -> None:
        self._model = model
        self._declared = declared
        self._asked: dict[str, tuple[int | None, float]] = {}  # what the server says, and until when
        self._refused: dict[str, tuple[int, float]] = {}  # what it said in a refusal, and when
        self._questions: dict[str, asyncio.Task[None]] = {}

    def learn(self, model: str, limit: int, now: float) -> None:
        """Keep a limit that a refusal stated. One that no model can have is taken for a mistake."""
        if limit >= SMALLEST_CONTEXT:
            self._refused[model] = limit, now

    def of(self, model: str, now: float) -> int | None:
        """What a model reads; None if nobody has said it."""
        asked, _ = self._asked.get(model, (None, now))
        refused, at = self._refused.get(model, (None, now))
        if not 0 <= now - at < _REFUSAL_SECONDS:
            refused = None
        stated = asked if asked is not None else self._declared(model)
        if stated is None or refused is None:
            return refused if stated is None else stated
        return min(stated, refused)

    def ask(self, model: str, now: float) -> None:
        """Begin to ask the server what a model reads, unless it has said so lately."""
        _, until = self._asked.get(model, (None, 0.0))
        if self._model is not None and model not in self._questions and now >= until:
            question = asyncio.create_task(self._ask(self._model, model, now))
            self._questions[model] = question
            question.add_done_callback(lambda _: self._questions.pop(model, None))

    async def answered(self, model: str) -> None:
        """Wait until the server has answered the question about a model, if there is one."""
        if (question := self._questions.get(model)) is not None:
            await asyncio.shield(question)

    async def close(self) -> None:
        """Ask no more."""
        questions = list(self._questions.values())
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)

    async def _ask(self, source: ChatModel, model: str, now: float) -> None:
        try:
            stated = await source.context(model)
        except ModelError:  # the run will say what is wrong
            stated = None
        if stated is not None:
            self._asked[model] = stated.tokens, now + stated.seconds
        else:
            self._asked[model] = None, now + _UNKNOWN_SECONDS
