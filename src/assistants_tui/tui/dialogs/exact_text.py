"""A text that is to be approved, whole and exact, over the whole screen."""

import asyncio
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from assistants_tui.tui.messages.message_body import MessageItem
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.text.exact_text import exact
from assistants_tui.tui.text.plain_text import fenced
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.key_bar import KeyBar


class ExactTextScreen(ModalScreen[bool]):
    """Shows a text with marks for what hides in it. The result: its end has been in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,space", "close", "Close", key_display="Esc", id="exact_text.close"),
    ]
    DEFAULT_CSS = """
    ExactTextScreen {
        background: $background;
        & > Vertical { padding: 1 2 0 2; }
        & Static { height: auto; }
        & .exact-note { color: $text-muted; margin-bottom: 1; }
    }
    """

    def __init__(self, title: str, text: str, *, language: str = "") -> None:
        """`title` is exact already. `language`: the name of the one that `text` is written in."""
        super().__init__()
        self._title = title
        self._text = text
        self._language = language
        self._read = False

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content.styled(self._title, "bold $text-accent"))
            lines = self._text.count("\n") + 1
            size = f"{len(self._text):,} characters, {lines:,} line{'s' if lines > 1 else ''}"
            yield Static(
                Content(f"{size}. ‹U+…› marks what cannot be seen, and letters that look like others."),
                classes="exact-note",
            )
            yield MessageView()
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(MessageView).focus()
        self._show()

    @work
    async def _show(self) -> None:
        shown = await asyncio.to_thread(exact, self._text)
        view = self.query_one(MessageView)
        text = fenced(shown, self._language)
        view.set_items([MessageItem("exact", "", from_user=False, time="", text=text)], older=False)
        view.scroll_home()

    @on(MessageView.SightChanged)
    def _sight_changed(self) -> None:
        self._note_end(self.query_one(MessageView))

    def _note_end(self, view: MessageView) -> None:
        self._read = self._read or (bool(view.items) and view.end_in_sight)

    def action_close(self) -> None:
        self._note_end(self.query_one(MessageView))  # the last key may have brought it into sight
        self.dismiss(self._read)

    @on(MessageView.CopyWanted)
    def _copy_wanted(self, event: MessageView.CopyWanted) -> None:
        event.stop()
        self.app.copy_to_clipboard(clean(self._text))
        self.notify("Copied.", timeout=2)
