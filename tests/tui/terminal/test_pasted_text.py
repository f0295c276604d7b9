import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.tui.terminal.pasted_text import without_escapes


@pytest.mark.parametrize(
    ("pasted", "text"),
    [
        ("error: \x1b[31mfile a.c\x1b[0m line 7\rsecond", "error: file a.c line 7\nsecond"),
        ("one\r\ntwo\nthree\r", "one\ntwo\nthree\n"),
        ("\ta\tb", "\ta\tb"),
        ("page\x0cnext\x0bline\x85end", "page\nnext\nline\nend"),
        ("A\x1b[13;1uB\x1b[106;5uC\x1b[27;5;109~D\x1b[9uE", "A\nB\nC\nD\tE"),
        ("x \x1b[113;5u\x11 y", "x  y"),
        ("x \x1b[A\x1b y", "x  y"),
        ("x\x1b[201~\ry", "x\ny"),
        ("\x1b]0;title\x07a\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "alink"),
        ("\x1bP1$r0m\x1b\\a\x9b31mb\x9d0;t\x9cc", "abc"),
        ("never ended \x1b]0;title\nnext line", "never ended 0;title\nnext line"),
        ("\x1b(Bplain\x1b7\x1b8\x1bc", "plain"),
        ("cut off \x1b[", "cut off "),
        ("cut off \x1b", "cut off "),
        ("a\x00b\x07c\x7fd\x9fe", "abcde"),
        ("東京\u3000 می\u200cخواهم 10\u00a0000 \U0001f469\u200d\U0001f4bb", None),
        ("a\u200f\u2066b\u00ad\ufeff", None),
    ],
)
def test_only_text_is_left_of_a_paste(pasted: str, text: str | None) -> None:
    assert without_escapes(pasted) == (pasted if text is None else text)


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("\x1b[]0;m\x07\x9b\x85\r\n\t~u a"))
def test_no_control_character_but_tab_and_line_feed_is_left(pasted: str) -> None:
    left = without_escapes(pasted)
    assert not [sign for sign in left if (sign < " " and sign not in "\t\n") or "\x7f" <= sign <= "\x9f"]


def test_a_megabyte_takes_no_time_that_anyone_sees() -> None:
    for piece in ("x" * 40 + "\n", "\x1b[31mred\x1b[0m ", "\x1b]", "\x1b[", "\x1b[0;0;", "\x9d0;"):
        without_escapes(piece * (1_000_000 // len(piece)))  # the time limit of tests is what would tell
