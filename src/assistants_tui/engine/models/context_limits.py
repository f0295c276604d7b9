"""The contexts of models: as their servers have stated them in refusals, else as they are declared."""

from collections.abc import Callable

from assistants_tui.engine.models.length_refusals import SMALLEST_CONTEXT

_SECONDS = 3600  # a model may be loaded again with another context


class ContextLimits:
    """Tokens by model name. Only what a server has stated is kept, and only for an hour: guesses are not."""

    def __init__(self, declared: Callable[[str], int | None] = lambda model: None) -> None:
        """`declared` gives what a model reads where its server has not said it."""
        self._declared = declared
        self._stated: dict[str, tuple[int, float]] = {}

    def learn(self, model: str, limit: int, now: float) -> None:
        """Keep a stated limit. One that no model can have is taken for the mistake that it is."""
        if limit >= SMALLEST_CONTEXT:
            self._stated[model] = limit, now

    def of(self, model: str, now: float) -> int | None:
        """What a model can read as last stated, else as declared; None if nobody has said it."""
        limit, at = self._stated.get(model, (None, now))
        stated = limit if 0 <= now - at < _SECONDS else None
        return self._declared(model) if stated is None else stated
