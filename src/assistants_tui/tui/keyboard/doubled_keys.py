"""A key that is pressed twice does once what it stands for.

The second press is on its way while the first one opens or closes a screen. It must not ask the same question
again, nor close the screen below. So only the screen on top asks and closes.
"""

from typing import Any

from textual._context import active_message_pump
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import get_current_worker


class DoubledKeysApp(App[None]):
    """An app in which only the screen on top asks questions and closes itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._asking: set[DOMNode] = set()
        """The screens (or the app itself) whose question waits for its answer."""

    async def push_screen_wait(self, screen: Screen[Any] | str, *, mode: str | None = None) -> Any:
        """Show a dialog, and wait for its result.

        The result is None, as after Esc, if the screen that asks has asked already or is not on top any more.
        """
        node = get_current_worker().node
        asker: DOMNode = node.screen if isinstance(node, Widget) else node
        if asker in self._asking or (isinstance(asker, Screen) and asker is not self.screen):
            return None
        self._asking.add(asker)
        try:
            return await super().push_screen_wait(screen, mode=mode)
        finally:
            self._asking.discard(asker)

    def pop_screen(self) -> AwaitComplete:
        """As Textual's, but a screen that has gone does not take the one below along."""
        caller = active_message_pump.get(None)
        if isinstance(caller, Screen) and caller not in self.screen_stack:
            return AwaitComplete()
        return super().pop_screen()
