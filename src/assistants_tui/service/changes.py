"""What the service posts to whoever draws: which kind of thing has changed.

Data flows one way: the service posts, and subscribers read the objects again.
"""

from collections.abc import Callable
from contextlib import suppress
from enum import Flag, auto


class Changed(Flag):
    """What has changed since the last post."""

    CONNECTION = auto()
    ASSISTANTS = auto()
    """The list of assistants, or which one answers next."""
    THREADS = auto()
    """The thread list, or which of its threads are busy."""
    PLACE = auto()
    """Another conversation is shown."""
    CONVERSATION = auto()
    """Something in the shown conversation: its messages, runs, outbox or options."""
    FILES = auto()
    """Names of files have become known, or a download has progressed."""
    BALANCE = auto()
    """The token balance."""
    PROBLEMS = auto()
    """There are new problems to take."""
    APPROVALS = auto()
    """Function calls or code that runs wait for the user to decide on."""


class ChangeFeed:
    """Passes each change on to all subscribers, at once and in the order of their subscriptions."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[Changed], None]] = []

    def subscribe(self, subscriber: Callable[[Changed], None]) -> Callable[[], None]:
        """Call `subscriber` after each change, until the returned function is called."""
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with suppress(ValueError):  # closing has done it already
                self._subscribers.remove(subscriber)

        return unsubscribe

    def post(self, changed: Changed) -> None:
        """Tell all subscribers."""
        for subscriber in tuple(self._subscribers):
            subscriber(changed)

    def close(self) -> None:
        """Drop all subscribers."""
        self._subscribers.clear()
