"""What is approved is seen: nothing in it is invisible, moved, or pushed out of sight."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.tui.exact_text import exact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("print(1)", "print(1)"),
        ("    indented = 'é 漢'\n", "    indented = 'é 漢'\n"),
        ("a\x1b[31mb", "a‹U+001B›[31mb"),
        ("a\u202eb\u200bc\u00a0d\u3000e", "a‹U+202E›b‹U+200B›c‹U+00A0›d‹U+3000›e"),
        ("\tx", "⇥   x"),
        ("x = 1" + " " * 200 + "; os.remove(p)", "x = 1 ‹200 blanks› ; os.remove(p)"),
        ("a\n" + "\n" * 50 + "b", "a\n‹50 empty lines›\nb"),
        ("a\u034fb\u180bc", "a‹U+034F›b‹U+180B›c"),
        ("a\u3164b\ufe0fc\ud800", "a‹U+3164›b‹U+FE0F›c‹U+D800›"),
    ],
)
def test_what_hides_is_marked(text: str, shown: str) -> None:
    assert exact(text) == shown


@given(st.text(st.characters(), max_size=80))
def test_whatever_it_is_it_can_be_seen(text: str) -> None:
    shown = exact(text)
    assert all(one in " \n" or unicodedata.category(one)[0] not in "CZ" for one in shown)
    seen = iter(shown)
    assert all(one in seen for one in text if one.isascii() and one.isprintable() and one != " ")
