"""Keys as users read them."""

import pytest

from assistants_tui.tui.keyboard.key_names import key_name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ctrl+pageup", "^PgUp"),
        ("shift+tab", "⇧Tab"),
        ("alt+left", "Alt+←"),
        ("ctrl+q", "^Q"),
        ("f12", "F12"),
        ("f", "f"),
        ("D", "D"),
        ("question_mark", "?"),
    ],
)
def test_names(key: str, name: str) -> None:
    assert key_name(key) == name
