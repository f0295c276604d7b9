"""Mistakes in the user's own files, as sentences that wait to be shown."""

from assistants_tui.service.changes import Changed, ChangeFeed


class Problems:
    """Collects sentences until they are taken."""

    def __init__(self, feed: ChangeFeed) -> None:
        self._feed = feed
        self._sentences: list[str] = []

    def add(self, *sentences: str) -> None:
        """Keep sentences to be taken, and post that there are some."""
        if sentences:
            self._sentences += sentences
            self._feed.post(Changed.PROBLEMS)

    def take(self) -> list[str]:
        """The sentences that were added since the last call."""
        taken, self._sentences = self._sentences, []
        return taken
