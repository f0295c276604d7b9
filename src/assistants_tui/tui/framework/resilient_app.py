"""An app that an exception does not end: it costs what was being done, and is told.

Textual ends the app for every exception that nobody handles.
"""

import logging
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual._context import active_message_pump
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerFailed

from assistants_tui.tui.framework.containment import contain
from assistants_tui.tui.text.safety import clean

if TYPE_CHECKING:
    from textual.actions import ActionParseResult

_REMEMBERED_ERRORS = 20


class ResilientApp(App[None]):
    """Tells of exceptions instead of ending, as long as `can_go_on` says so."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.unexpected: deque[BaseException] = deque(maxlen=_REMEMBERED_ERRORS)
        """The last exceptions that cost some work, but not the app."""
        self._shown: dict[str, float] = {}
        """What a notification says of such an exception, and since when."""

    @abstractmethod
    def can_go_on(self, unmade: Screen[Any] | None) -> bool:
        """Whether the app can go on after an exception. `unmade`: the screen that could not be made."""

    def report_unexpected(self, error: BaseException, *, drawing: bool = False) -> None:
        """Log an exception and tell of it, but not while the same words are still shown.

        A widget is drawn many times: its mistake is not logged again either while it is shown.
        """
        from assistants_tui.service.errors import describe  # not for the first frame
        from assistants_tui.tui.failures import SHOWN_SECONDS, tell_unexpected

        self.unexpected.append(error)
        words, now = describe(error), monotonic()
        self._shown = {shown: since for shown, since in self._shown.items() if now - since < SHOWN_SECONDS}
        is_shown = words in self._shown
        if not (drawing and is_shown):
            logging.getLogger(__name__).error("unexpected error", exc_info=error)
        if not is_shown:
            self._shown[words] = now
            tell_unexpected(self, error)

    def _register_child(self, parent: DOMNode, child: Widget, before: int | None, after: int | None) -> None:
        contain(child, self._survives, self._survives_drawing)
        super()._register_child(parent, child, before, after)

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            if not self._survives(error):
                raise

    def _handle_exception(self, error: Exception) -> None:
        if not self._survives(error):
            super()._handle_exception(error)

    def _survives(self, error: Exception, *, drawing: bool = False) -> bool:
        """Tell of an exception that nobody handled. Returns False where the app cannot go on.

        What was being done is lost, nothing else; a screen that could not be made is closed again.
        """
        pump = active_message_pump.get(None)
        unmade = pump if isinstance(pump, Screen) and not pump.is_mounted else None
        if not self.can_go_on(unmade):
            return False
        if unmade is not None:
            self.call_later(self._close_unmade, unmade)
        self.report_unexpected(error.error if isinstance(error, WorkerFailed) else error, drawing=drawing)
        return True

    def _survives_drawing(self, error: Exception) -> bool:
        return self._survives(error, drawing=True)

    async def _close_unmade(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            await screen.dismiss(None)

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do what a key stands for. An exception costs that action, not the app."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:  # noqa: BLE001 - reported
            self.report_unexpected(error)
            return True

    def _fatal_error(self) -> None:
        """Leave with a traceback, but without the variables that Textual shows: they may hold a key.

        What strangers sent may stand in its messages, and the terminal must not obey it.
        """
        from rich.segment import Segment, Segments
        from rich.traceback import Traceback

        self.bell()
        rendered = self.console.render(Traceback(width=None), self.console.options)
        safe = [Segment(clean(text), style) for text, style, control in rendered if not control]
        self._exit_renderables.append(Segments(safe))
        self._close_messages_no_wait()
