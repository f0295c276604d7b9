"""The top line: profile, assistant and model, thread title, and what the run is doing right now."""

from time import monotonic

from rich.cells import cell_len
from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BUSY = {"connecting", "sending", "queued", "in_progress", "cancelling"}
_ENDED = {
    "completed": ("✓", "$text-success"),
    "failed": ("✗", "$text-error"),
    "incomplete": ("◐", "$text-warning"),
    "cancelled": ("■", "$text-warning"),
    "expired": ("◷", "$text-warning"),
    "requires_action": ("?", "$text-accent"),
    "offline": ("✗", "$text-error"),
}


class StatusBar(Widget, can_focus=False):
    """One line that always says where the user is. It ticks only while something is going on."""

    DEFAULT_CSS = """
    StatusBar {
        dock: top;
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $foreground;
    }
    """

    profile: reactive[str] = reactive("")
    assistant: reactive[str] = reactive("")
    model: reactive[str] = reactive("")
    title: reactive[str] = reactive("")
    status: reactive[str] = reactive("")
    """A run status as on the wire, or `connecting`, `sending` or `offline`; empty when there is none."""
    took: reactive[str] = reactive("")
    """How long the ended run took, by the clock of the server, in words."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._busy_since = 0.0
        self._ticker: Timer | None = None

    def on_mount(self) -> None:
        self._ticker = self.set_interval(0.1, self.refresh, pause=self.status not in _BUSY)

    def watch_status(self, old: str, new: str) -> None:
        if new in _BUSY and old not in _BUSY:
            self._busy_since = monotonic()
        if self._ticker is not None:
            (self._ticker.resume if new in _BUSY else self._ticker.pause)()

    def render(self) -> RenderResult:
        width = self.content_size.width
        state = self._state()
        place = Content.styled(self.profile[:width], "bold $text-accent")
        if self.assistant:
            place = place + "  " + Content.styled(self.assistant[:width], "bold")
        if self.model and width >= 70:
            place = place + Content.styled(f" · {self.model[:width]}", "$muted")
        place = place.truncate(max(0, width - state.cell_length - 2), ellipsis=True)
        room = width - place.cell_length - state.cell_length - 4
        title = Content(self.title[:width] if room >= 8 else "").truncate(max(0, room), ellipsis=True)
        gap = width - place.cell_length - title.cell_length - state.cell_length
        before = min(max(2, (width - title.cell_length) // 2 - place.cell_length), max(0, gap - 2))
        return Content.assemble(place, " " * before, title, " " * max(0, gap - before), state)

    async def on_click(self, event: events.Click) -> None:
        """The name of the profile opens the profiles."""
        if event.x - self.styles.padding.left < cell_len(self.profile):
            await self.run_action("app.profiles")

    def _state(self) -> Content:
        words = self.status.replace("_", " ")
        if self.status in _BUSY:
            waited = monotonic() - self._busy_since
            spin = _SPINNER[int(waited * 10) % len(_SPINNER)]
            return Content.styled(f"{spin} {words} {waited:.1f} s", "$text-accent")
        if self.status in _ENDED:
            mark, style = _ENDED[self.status]
            return Content.styled(f"{mark} {words} {self.took}".rstrip(), style)
        return Content(words)
