"""What was found is seen, however little room there is."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.style import Style
from textual.visual import RenderOptions

from assistants_tui.tui.text.excerpts import (
    MAX_SENTENCE,
    SentenceWithPaths,
    broken_after_slashes,
    fitting,
    shortened,
    without_middle,
)

OPTIONS = RenderOptions(lambda style: Style(), {})
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


PATH = st.text("ab/\\ .日é\u0301", max_size=80)


@given(path=PATH, cells=st.integers(1, 60))
def test_a_path_that_is_cut_keeps_its_ends(path: str, cells: int) -> None:
    shown = without_middle(path, cells)
    assert cell_len(shown) <= cells
    begin, _, end = shown.partition("…") if shown != path else (path, "", path)
    assert path.startswith(begin)
    assert path.endswith(end)


@given(text=PATH, cells=st.integers(1, 60))
def test_paths_are_broken_after_slashes_and_nothing_is_lost(text: str, cells: int) -> None:
    broken = broken_after_slashes(text, cells)
    assert broken.replace("\n", "") == text
    for line in broken.split("\n")[:-1]:
        assert line.endswith(("/", "\\"))


def test_wide_letters_count_twice_where_a_path_is_broken() -> None:
    assert broken_after_slashes("日本/語語", 6) == "日本/\n語語"


def test_a_path_moves_to_a_line_of_its_own_before_it_is_broken() -> None:
    sentence = SentenceWithPaths("Put files into ~/.config/assistants-tui/functions, or name servers.")
    lines = [strip.text.rstrip() for strip in sentence.render_strips(24, None, Style(), OPTIONS)]
    assert lines == [
        "Put files into",
        "~/.config/",
        "assistants-tui/",
        "functions, or name",
        "servers.",
    ]
    assert sentence.get_height({}, 24) == len(lines)
