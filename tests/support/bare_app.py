"""An app that has our colours and nothing else, to hold one widget."""

from textual.app import App, ReturnType

from assistants_tui.tui.themes import own_variables


class BareApp(App[ReturnType]):
    """Textual's own app with the variables that our widgets' styles name."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return own_variables(self.current_theme)
