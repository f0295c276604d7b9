"""What is approved is seen: nothing in it is invisible, moved, or pushed out of sight."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.tui.text.exact_text import exact


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p\u0430ypal", "p‹U+0430 \u0430›ypal"),
        ("https://\u0430\u0440\u0440.com", "https://‹U+0430 \u0430›‹U+0440 \u0440›‹U+0440 \u0440›.com"),
        ("/home/\u0441\u043e/x", "/home/‹U+0441 \u0441›‹U+043E \u043e›/x"),
        ("bank.com\u2044x", "bank.com‹U+2044 \u2044›x"),
        ("\U0001d486val(1)", "‹U+1D486 \U0001d486›val(1)"),
        ("Она сказала: а я? Он/она. 漢字Python, m², 5\u22123", None),
    ],
)
def test_letters_that_pass_for_others_are_marked(text: str, shown: str | None) -> None:
    assert exact(text) == (text if shown is None else shown)


def test_in_code_a_name_of_look_alikes_alone_is_marked() -> None:
    assert exact("\u0441\u043e = 1", code=True) == "‹U+0441 \u0441›‹U+043E \u043e› = 1"
    assert exact("\u0441\u043e = 1") == "\u0441\u043e = 1"
    assert exact("привет = 'Привет, мир'", code=True) == "привет = 'Привет, мир'"


@given(st.text(st.characters(), max_size=80))
def test_whatever_it_is_it_can_be_seen(text: str) -> None:
    shown = exact(text)
    assert all(one in " \n" or unicodedata.category(one)[0] not in "CZ" for one in shown)
    seen = iter(shown)
    assert all(one in seen for one in text if one.isascii() and one.isprintable() and one != " ")
