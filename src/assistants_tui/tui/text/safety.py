"""The one door through which every painted line leaves for the terminal.

Textual hands the text of a widget to the terminal as it is, so an escape sequence in a file name or an answer
would be obeyed. Instead of trusting each widget, the app returns a `SafeFilter` from
`App.get_line_filters()`. What does not pass the compositor (window title, clipboard, desktop notifications)
has to call `clean` itself.
"""

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from assistants_tui.service.safe_text import UNSAFE, clean

__all__ = ["SafeFilter", "clean"]

_MOVING = re.compile("[\t\n]")  # a tab or line break inside a painted line would move the cursor


class SafeFilter(LineFilter):
    """Removes unsafe characters and terminal hyperlinks (OSC 8) from every segment of every widget.

    Textual measures these characters as no cells wide (a lone surrogate as one), so the layout stays. Our own
    widgets replace them with visible ones (`clean`) before they get here.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments as they may be printed: the same list when there is nothing to do, which is nearly
        always."""
        if not any(map(_is_unsafe, segments)):
            return segments
        return [safe for segment in segments if (safe := _made_safe(segment)).text or safe.control]


def _is_unsafe(segment: Segment) -> bool:
    text, style, control = segment
    if control:
        return False
    if style is not None and style.link is not None:
        return True
    return UNSAFE.search(text) is not None or _MOVING.search(text) is not None


def _made_safe(segment: Segment) -> Segment:
    text, style, control = segment
    if control:
        return segment
    text = UNSAFE.sub(lambda match: "\ufffd" if "\ud800" <= match[0] <= "\udfff" else "", text)
    if style is not None and style.link is not None:
        style = style.update_link(None)
    return Segment(_MOVING.sub("", text), style)
