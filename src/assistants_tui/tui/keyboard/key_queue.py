"""Keys that come before the widget that they are for has the focus."""

from collections import deque

from textual import events
from textual.widget import Widget

_MAX_KEYS = 1_000
"""Keys that may arrive before the first of them has been acted on."""


class KeyQueue:
    """Holds keys and pastes back until the first focus, and knows where the focus was when a key came."""

    def __init__(self) -> None:
        self._early: list[events.Event] | None = []
        self._aims: deque[tuple[events.Key, Widget | None]] = deque(maxlen=_MAX_KEYS)

    def holds(self, event: events.Event) -> bool:
        """Hold a key or a paste back, if no widget has had the focus yet."""
        if self._early is None or not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            return False
        self._early.append(event)
        return True

    def release(self) -> list[events.Event]:
        """What was held back. From now on nothing is."""
        early, self._early = self._early or [], None
        return early

    def note(self, key: events.Key, focused: Widget | None) -> None:
        """Remember which widget has the focus as a key comes."""
        self._aims.append((key, focused))

    def aim_of(self, key: events.Key) -> Widget | None:
        """The widget that had the focus when the key came."""
        return next((focused for noted, focused in self._aims if noted is key), None)
