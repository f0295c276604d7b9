"""What stands on the screen for the moment until the panes are there: the same bars in the same places."""

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

_COMPOSER_ROWS = 2
COMPOSER_HINT = "Type a message, / for commands"
"""What stands in the empty composer; short enough for the middle of three columns."""


class FirstFrame(Widget, can_focus=False):
    """One widget that paints the frame of the main screen. It needs nothing but Textual itself."""

    DEFAULT_CSS = """
    FirstFrame { width: 1fr; height: 1fr; background: $background; }
    """

    def render_line(self, y: int) -> Strip:
        height, width = self.size.height, self.size.width
        text, style = "", "on $background"
        if y == 0:
            style = "on $panel"
        elif y == height - 1:
            style = "on $footer-background"
        elif y == height - 1 - _COMPOSER_ROWS:
            text, style = "─" * width, "$border-blurred on $surface"
        elif y == height - _COMPOSER_ROWS:
            text, style = f"  {COMPOSER_HINT}", "$foreground 50% on $surface"
        painted = (self.visual_style + self.app.stylesheet.parse_style(style)).rich_style
        return Strip([Segment(text, painted)]).adjust_cell_length(width, painted)
