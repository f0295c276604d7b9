"""The frame of the screens that manage something: a list at the left, what is chosen at the right."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Input, Static

from assistants_tui.protocol.objects import Page
from assistants_tui.service.changes import Changed
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.help import HelpScreen
from assistants_tui.tui.frame_timer import FrameTimer
from assistants_tui.tui.messages.message_body import MessageItem
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.other_windows import follow_other_windows
from assistants_tui.tui.text.excerpts import SentenceWithPaths
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.key_bar import KeyBar
from assistants_tui.tui.widgets.virtual_list import VirtualList

_LOOK = (3.0, 30.0)
"""Seconds between two looks for what another window did: at the embedded engine, and at a server."""

Listed = TypeVar("Listed", bound=Mapping[str, Any])


def renewed(known: Mapping[str, Listed], page: Page[Listed]) -> dict[str, Listed]:
    """What is known, by ID, with its newest part as the first page of the server has it now."""
    first = {one["id"]: one for one in page.items}
    last = next(reversed(first), "")
    if page.next_cursor is None or last not in known:
        return first
    keys = list(known)
    return first | {key: known[key] for key in keys[keys.index(last) + 1 :] if key not in first}


class ListScreen(Screen[None]):
    """A titled list with a filter. Subclasses fill `rows` and `detail` and bind their keys."""

    TITLE_TEXT: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]  # noqa: RUF012 - Textual's
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back", key_display="Esc", id="manager.back", tooltip="Go back"),
        Binding("slash", "filter", "Filter", key_display="/", id="manager.filter", tooltip="Filter the list"),
        Binding(
            "f1,question_mark", "help", "Help", key_display="F1", id="app.help", tooltip="Explain this screen"
        ),
    ]
    DEFAULT_CSS = """
    ListScreen {
        background: $background;
        & .manager-title {
            height: 1;
            padding: 0 1;
            background: $panel;
            color: $text-accent;
            text-style: bold;
        }
        & .manager-note { height: auto; padding: 0 1; color: $text-muted; }
        & .manager-filter { display: none; &.-textual-compact { padding: 0 1; } }
        & .manager-left { width: 44%; background: $surface; border-right: vkey $border-blurred; }
        & .manager-left VirtualList { height: 1fr; }
        & .manager-right { width: 1fr; }
        & .manager-right MessageView { height: 1fr; }
        &.-narrow Horizontal { layout: vertical; }
        &.-narrow .manager-left { width: 1fr; height: 1fr; border-right: none; }
        &.-narrow .manager-right { height: 1fr; border-top: solid $border-blurred; }
    }
    """

    wanted: var[str] = var("")
    """What the list is filtered by."""

    SHOWS: ClassVar[Changed] = Changed(0)
    """What of the workspace the list is made of: it is drawn again when that changes."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self._frames = FrameTimer(self, self._draw_frame)

    def compose(self) -> ComposeResult:
        yield Static(Content(self.TITLE_TEXT), classes="manager-title")
        with Horizontal():
            with Vertical(classes="manager-left"):
                yield Static(classes="manager-note")
                yield Input(placeholder="Filter by name", compact=True, classes="manager-filter")
                yield VirtualList()
            with Vertical(classes="manager-right"):
                yield MessageView()
        yield KeyBar()

    def on_mount(self) -> None:
        self._unsubscribe = self.workspace.feed.subscribe(self._workspace_changed)
        self.rows.focus()

    def look_for_changes(self, notice: Callable[[], Awaitable[None]]) -> None:
        """Keep looking for what another window did to the list: `notice` takes it over."""
        embedded = self.workspace.session.profile.kind == "embedded"
        follow_other_windows(self, notice, _LOOK, embedded=embedded)

    def on_unmount(self) -> None:
        self._unsubscribe()

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & self.SHOWS:
            self.draw_soon()

    def draw_soon(self) -> None:
        """Draw once for all that changes until then: progress comes in many small steps."""
        self._frames.request()

    def _draw_frame(self) -> bool:
        self.draw()
        return False

    @property
    def rows(self) -> VirtualList:
        return self.query_one(".manager-left VirtualList", VirtualList)

    @property
    def detail(self) -> MessageView:
        return self.query_one(".manager-right MessageView", MessageView)

    def tell(self, words: str) -> None:
        """A line above the list: how much there is, or what is going on."""
        line = self.query_one(".manager-note", Static)
        line.display = bool(words)
        line.update(SentenceWithPaths(clean(words)))

    def show_detail(self, key: str, heading: str, text: str) -> None:
        """What is chosen, as Markdown."""
        self.show_parts([(key, heading, text)] if key else [])

    def show_parts(self, parts: Sequence[tuple[str, str, str]]) -> None:
        """Several texts below each other: key, heading and Markdown of each."""
        items = [
            MessageItem(key, clean(heading).replace("\n", " "), from_user=False, time="", text=text)
            for key, heading, text in parts
        ]
        if [shown.id for shown in self.detail.items] == [item.id for item in items]:
            for item in items:
                self.detail.upsert(item)
        else:
            self.detail.set_items(items, older=False)
            self.detail.scroll_home(animate=False)

    @abstractmethod
    def draw(self) -> None:
        """Bring the list up to date."""

    @abstractmethod
    def draw_detail(self) -> None:
        """Show what is chosen."""

    @on(VirtualList.Highlighted)
    def _chosen(self, event: VirtualList.Highlighted) -> None:
        event.stop()
        self.draw_detail()
        self.refresh_bindings()

    def watch_wanted(self) -> None:
        if self.is_mounted:
            self.draw()

    def action_filter(self) -> None:
        field = self.query_one(".manager-filter", Input)
        field.display = True
        self.set_focus(field)  # at once: the next keys are for it

    @on(Input.Changed, ".manager-filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.wanted = event.value

    @on(Input.Submitted, ".manager-filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.rows.focus()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self))

    def action_back(self) -> None:
        """Out of the filter, else out of the screen."""
        field = self.query_one(".manager-filter", Input)
        if field.display:
            field.value = ""
            field.display = False
            self.rows.focus()
        else:
            self.dismiss(None)

    @on(MessageView.CopyWanted)
    def _copy_wanted(self, event: MessageView.CopyWanted) -> None:
        event.stop()
        self.copy(event.text)

    def copy(self, text: str) -> None:
        self.app.copy_to_clipboard(clean(text))
        self.notify("Copied.", timeout=2)
