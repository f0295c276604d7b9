"""What the parts of one conversation share."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import Message
from assistants_tui.service.errors import ServiceError

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class ThreadContext:
    """The thread, the way to its server, the last failure, and who is to be called after a change."""

    def __init__(
        self,
        backend: Callable[[], Awaitable["Backend"]],
        thread_id: str | None,
        *,
        seen: Callable[[Iterable[Message]], None],
        acted: Callable[[str], None],
    ) -> None:
        """`seen` and `acted`: see `Conversation`."""
        self.backend = backend
        self.thread_id = thread_id
        """None until the first message has made the thread."""
        self.error: ServiceError | None = None
        self.seen = seen
        self.acted = acted
        self._subscribers: list[Callable[[], None]] = []

    def subscribe(self, subscriber: Callable[[], None]) -> Callable[[], None]:
        """Call `subscriber` after each change, until the returned function is called."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def changed(self) -> None:
        """Call the subscribers."""
        for subscriber in tuple(self._subscribers):
            subscriber()

    def fail(self, error: ServiceError) -> None:
        """Keep a failure that concerns the thread."""
        self.error = error
        self.changed()
