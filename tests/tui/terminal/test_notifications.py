"""What a terminal is sent when a run has ended, whatever the thread is called."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.settings.config import Notify
from assistants_tui.tui.terminal.notifications import notification


@pytest.mark.parametrize(
    ("how", "sent"),
    [
        ("off", ""),
        ("bell", "\a"),
        ("osc9", "\x1b]9;Run completed: Solve, 3x\a"),
        ("osc777", "\x1b]777;notify;Run completed;Solve, 3x\a"),
    ],
)
def test_each_way(how: Notify, sent: str) -> None:
    assert notification(how, "Run completed", "Solve; 3x") == sent


@given(st.sampled_from(["osc9", "osc777"]), st.text(), st.text(max_size=2000))
def test_nothing_in_a_title_ends_the_sequence(how: Notify, title: str, text: str) -> None:
    inside = notification(how, title, text)[1:-1]
    assert not any(unicodedata.category(character) == "Cc" for character in inside)
    assert inside.count(";") == (1 if how == "osc9" else 3)
    assert len(inside) < 500
