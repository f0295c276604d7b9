"""Notifications of the desktop, which a terminal shows when it is told so by an escape sequence."""

from assistants_tui.settings.config import Notify
from assistants_tui.tui.text.safety import clean

_MAX = 200


def notification(how: Notify, title: str, text: str) -> str:
    """What to send to the terminal: nothing but the bell, or a sequence that holds both texts.

    OSC 9 comes from iTerm2 (https://iterm2.com/documentation-escape-codes.html), OSC 777 from rxvt-unicode;
    terminals that do not know them show nothing.
    """
    if how == "off":
        return ""
    if how == "bell":
        return "\a"
    title, text = _field(title), _field(text)
    return f"\x1b]9;{title}: {text}\a" if how == "osc9" else f"\x1b]777;notify;{title};{text}\a"


def _field(text: str) -> str:
    """A text without what would end the sequence or its field."""
    line = " ".join(clean(text).split()).replace(";", ",")
    return line if len(line) <= _MAX else f"{line[: _MAX - 1]}…"
