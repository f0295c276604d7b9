"""The bottom line: the keys of the focused pane, and at the right what the thread has used so far.

One widget that draws one line; Textual's own footer mounts a widget per key each time the focus moves.
"""

from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import RenderResult
from textual.binding import Binding
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

_GAP = "  "
_HELP = "app.help"
"""The binding that is shown before all others: it explains the rest."""


class KeyBar(Widget, can_focus=False):
    """The shown bindings of the focused pane, most local first, as many as fit."""

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $footer-background;
        color: $text-muted;
    }
    """

    note: reactive[str] = reactive("")
    """Text at the right end, such as the tokens of the thread."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> RenderResult:
        parts: list[Content] = []
        used = 0
        for key, label, _ in self._fitting():
            parts += [Content.styled(key, "bold $footer-key-foreground"), Content(f" {label}{_GAP}")]
            used += _width(key, label)
        if self.note:
            parts += [Content(" " * max(1, self._room + 2 - used)), Content(self.note)]
        return Content.assemble(*parts)

    @property
    def _room(self) -> int:
        return self.content_size.width - (cell_len(self.note) + 2 if self.note else 0)

    def _fitting(self) -> list[tuple[str, str, Binding]]:
        """The keys that are shown, from the left: what they are called, what they do, and their binding."""
        shown: dict[str, tuple[str, str, Binding]] = {}  # by action
        for _node, binding, enabled, _tooltip in self.screen.active_bindings.values():
            if binding.show and enabled and binding.action not in shown:
                shown[binding.action] = self.app.get_key_display(binding), binding.description, binding
        left = self._room + len(_GAP)  # nothing follows the last key
        fitting: set[str] = set()
        for action, (key, label, _) in sorted(shown.items(), key=lambda one: one[1][2].id != _HELP):
            if (width := _width(key, label)) <= left:
                left -= width
                fitting.add(action)
        return [one for action, one in shown.items() if action in fitting]

    def on_click(self, event: events.Click) -> None:
        """Press the key under the mouse."""
        x = event.x - self.styles.padding.left
        for key, label, binding in self._fitting():
            width = _width(key, label)
            if 0 <= x < width:
                self.app.simulate_key(binding.key)
                return
            x -= width


def _width(key: str, label: str) -> int:
    return cell_len(key) + 1 + cell_len(label) + len(_GAP)
