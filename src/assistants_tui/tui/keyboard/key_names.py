"""How keys are written in the key bar and in help."""

_MODIFIERS = {"ctrl": "^", "shift": "⇧", "alt": "Alt+"}
_NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "tab": "Tab",
    "delete": "Del",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "slash": "/",
    "question_mark": "?",
}


def key_name(key: str) -> str:
    """A key as Textual calls it, such as `ctrl+pageup`, in the way that users read it."""
    *modifiers, last = key.split("+")
    name = _NAMES.get(last, last.upper() if modifiers or (last[0] == "f" and last[1:].isdigit()) else last)
    return "".join(_MODIFIERS.get(modifier, f"{modifier}+") for modifier in modifiers) + name
