"""An app that has our colours and nothing else, to hold one widget."""

from textual.app import App, ReturnType

from assistants_tui.tui.framework.timers import never_skip_the_only_turn
from assistants_tui.tui.themes import own_variables


class BareApp(App[ReturnType]):
    """Textual's own app with the variables that our widgets' styles name, and timers that always ring.

    Without these a frame is lost on a busy computer, and a test waits for it until it is killed.
    """

    def on_load(self) -> None:
        never_skip_the_only_turn()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return own_variables(self.current_theme)
