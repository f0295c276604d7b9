"""The colours, each shown on the app itself while the cursor is on it."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList


class ThemesScreen(ModalScreen[None]):
    """Choose a theme. What is under the cursor is worn at once; Esc brings the former one back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "back", "Back", id="dialog.back")]
    DEFAULT_CSS = """
    ThemesScreen {
        align: right top;
        background: transparent;
        & #theme-box {
            width: 34;
            height: 1fr;
            max-height: 30;
            margin: 1 0;
            padding: 0 1;
            background: $panel;
            border: round $accent;
        }
        & VirtualList { height: 1fr; }
    }
    """

    def compose(self) -> ComposeResult:
        with Vertical(id="theme-box"):
            yield Static("Theme", classes="dialog-title")
            yield VirtualList()
            yield Static("Enter keeps it, Esc goes back", classes="dialog-hint")

    def on_mount(self) -> None:
        self._before = self.app.theme
        themes = self.app.available_themes
        self._names = offered_themes(themes, self._before)

        def row(index: int) -> Content:
            theme = themes[self._names[index]]
            return Content.assemble(clean(theme.name), (f"  {'dark' if theme.dark else 'light'}", "$muted"))

        rows = self.query_one(VirtualList)
        rows.set_rows(len(self._names), row, key=lambda index: self._names[index], selected_key=self._before)
        rows.focus()

    @on(VirtualList.Highlighted)
    def _wear(self, event: VirtualList.Highlighted) -> None:
        event.stop()
        self.app.theme = event.key

    @on(VirtualList.Selected)
    def _keep(self, event: VirtualList.Selected) -> None:
        event.stop()
        self.dismiss(None)

    def action_back(self) -> None:
        self.app.theme = self._before
        self.dismiss(None)


def offered_themes(themes: Iterable[str], chosen: str) -> list[str]:
    """The names to choose from: ours and the user's before Textual's own, and our Nord is enough of them."""
    own = [name for name in themes if not _is_textual(name)]
    known = {_plain(name) for name in own} - {_plain(chosen)}
    return [*own, *(name for name in themes if name not in own and _plain(name) not in known)]


def _plain(name: str) -> str:
    return name.casefold().replace(" ", "-")


def _is_textual(name: str) -> bool:
    from textual.theme import BUILTIN_THEMES

    return name in BUILTIN_THEMES
