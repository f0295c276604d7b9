"""Panes get the size that was chosen, as far as the terminal has room."""

from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.tui.screens.chat.pane_sizes import PANES, fitting


@given(st.integers(-1000, 1000), st.integers(1, 500))
def test_columns_always_leave_room_for_the_conversation(size: int, room: int) -> None:
    sizes = [fitting(pane, size, room) for pane in PANES if PANES[pane] == "width"]
    assert all(one > 0 for one in sizes)
    assert room < 120 or sum(sizes) < room


def test_what_fits_is_taken_as_it_is() -> None:
    assert fitting("sidebar", 30, 140) == 30
    assert fitting("sidebar", 100, 140) == 56
    assert fitting("inspector", 1, 140) == 24
