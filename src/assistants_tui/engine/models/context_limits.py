"""The contexts of models as their servers have stated them in refusals."""

from assistants_tui.engine.models.lengths import SMALLEST_CONTEXT

_SECONDS = 3600  # a model may be loaded again with another context


class ContextLimits:
    """Tokens by model name. Only what a server has stated is kept, and only for an hour: guesses are not."""

    def __init__(self) -> None:
        self._stated: dict[str, tuple[int, float]] = {}

    def learn(self, model: str, limit: int, now: float) -> None:
        """Keep a stated limit. One that no model can have is taken for the mistake that it is."""
        if limit >= SMALLEST_CONTEXT:
            self._stated[model] = limit, now

    def of(self, model: str, now: float) -> int | None:
        """What a model can read as last stated; None if it has not been stated, or long ago."""
        limit, at = self._stated.get(model, (None, now))
        return limit if 0 <= now - at < _SECONDS else None
