"""The names of the inspector's tabs in one line."""

from typing import Final, Literal

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

Tab = Literal["steps", "files", "run"]
TABS: Final[tuple[tuple[Tab, str], ...]] = (("steps", "Steps"), ("files", "Files"), ("run", "JSON"))


class TabLine(Widget, can_focus=False):
    """The shown tab is marked; a click chooses another one."""

    active: reactive[Tab] = reactive("steps")

    def render(self) -> Content:
        parts: list[Content] = []
        for number, (name, label) in enumerate(TABS, 1):
            style = "bold $text-accent underline" if name == self.active else "$muted"
            parts += [Content.styled(f"{number} {label}", style), Content("   ")]
        return Content.assemble(*parts)

    def next(self) -> None:
        """Show the next tab, after the last one the first."""
        names = [name for name, _ in TABS]
        self.active = names[(names.index(self.active) + 1) % len(names)]

    def on_click(self, event: events.Click) -> None:
        left = self.styles.padding.left
        for name, label in TABS:
            if left <= event.x < left + len(label) + 2:
                self.active = name
            left += len(label) + 5
