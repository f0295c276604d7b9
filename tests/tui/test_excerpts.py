"""What was found is seen, however little room there is."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from assistants_tui.tui.excerpts import MAX_SENTENCE, fitting, shortened

TEXT = st.text("ab é日本語👍🏽\u0301\u200d", max_size=120)


@given(before=TEXT, match=TEXT.filter(bool), after=TEXT, cells=st.integers(1, 90))
def test_the_match_is_inside_of_what_fits(before: str, match: str, after: str, cells: int) -> None:
    pieces = [(text, found) for text, found in ((before, False), (match, True), (after, False)) if text]
    shown = fitting(pieces, cells)
    assert cell_len("".join(text for text, _ in shown)) <= cells
    (seen,) = [text for text, found in shown if found] or [""]
    if cell_len(match) <= cells:
        assert seen == match
    else:
        assert match.startswith(seen.removesuffix("…"))
        assert cell_len(seen) >= cells - cells // 3 - 1, "most of the line is the match"
    for text, found in shown:
        if not found:
            assert before.endswith(text.removeprefix("…")) or after.startswith(text.removesuffix("…"))


def test_what_fits_stays_and_what_was_not_found_begins_at_its_beginning() -> None:
    pieces = (("one ", False), ("two", True), (" three", False))
    assert fitting(pieces, 13) == pieces
    assert fitting(pieces, 9) == [("…e ", False), ("two", True), (" t…", False)]
    assert fitting([("nothing found here", False)], 9) == [("nothing …", False)]


def test_a_sentence_from_outside_is_cut_with_its_length() -> None:
    assert shortened("It is short.") == "It is short."
    long = "x" * 1_000_000
    assert shortened(long) == f"{'x' * MAX_SENTENCE}… (1,000,000 characters)"
