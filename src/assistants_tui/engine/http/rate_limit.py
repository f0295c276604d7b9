"""How often files may be attached to one vector store."""

from assistants_tui.engine.http.errors import ApiError
from assistants_tui.engine.store.clock import Clock

_MINUTE = 60  # seconds


class RateLimiter:
    """Counts this minute's requests that attach files, to each store."""

    def __init__(self, clock: Clock, most: int | None) -> None:
        self._clock = clock
        self._most = most
        self._minute = 0
        self._counts: dict[str, int] = {}

    def take(self, store_id: str) -> None:
        """One more request. Raises `ApiError` if it is too many; it says when to come back."""
        if self._most is None:
            return
        minute, second = divmod(int(self._clock.time()), _MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        count = self._counts[store_id] = self._counts.get(store_id, 0) + 1
        if count > self._most:
            seconds = _MINUTE - second
            raise ApiError(
                429,
                f"Rate limit reached for vector store {store_id}: {self._most} requests per minute "
                f"may attach files. Try again in {seconds} s, or attach many files at once in a batch.",
                type="requests",
                code="rate_limit_exceeded",
                headers={"Retry-After": str(seconds)},
            )
