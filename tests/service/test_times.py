"""Times of servers, which may send anything."""

from datetime import UTC, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistants_tui.service.times import moment, span, when


def test_a_time_in_words() -> None:
    assert when(1_763_600_000, zone=UTC) == "2025-11-20 00:53"
    assert when(1_763_600_000.9, "%H:%M") == "00:53"  # tests run in UTC


@pytest.mark.parametrize(
    "nonsense", [None, 0, "", "1763600000", [], 10**20, -(10**20), float("nan"), float("inf")]
)
def test_what_is_no_time_has_no_words(nonsense: object) -> None:
    assert moment(nonsense) is None
    assert when(nonsense) == ""


@given(st.one_of(st.integers(), st.integers(-(10**12), 10**12), st.floats()))
@example(253402300799)
def test_any_number_can_be_shown(number: float) -> None:
    assert isinstance(when(number), str)
    if (found := moment(number)) is not None:  # so that what is between two days can be told, too
        assert found - timedelta(days=1) < found < found + timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [(10, 14, "4 s"), (10, 10, "< 1 s"), (10, 9, ""), (10, None, ""), (None, 10, ""), ("10", 12, "")],
)
def test_the_time_between_two_times(start: object, end: object, words: str) -> None:
    assert span(start, end) == words
