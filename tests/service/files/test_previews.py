"""What is shown of a file: decided by its bytes, with limits that are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.service.files.previews import MAX_COLUMNS, MAX_ROWS, MAX_TEXT, preview, wanted_bytes

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.txt", b"hello", "text"),
        ("a", "grüße".encode(), "text"),
        ("a.txt", "grüße".encode("latin-1"), "text"),
        ("a.txt", "grüße".encode("utf-16"), "text"),
        ("a.md", b"# Title", "markdown"),
        ("a.csv", b"x,y\n1,2\n", "table"),
        ("a.png", PNG, "picture"),
        ("a.txt", PNG, "picture"),
        ("a.png", b"<html>", "text"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "picture"),
        ("a.bin", b"\0\1\2\3", "nothing"),
        ("a.txt", b"\xff\xfe\x00", "nothing"),
        ("a.txt", b"", "nothing"),
        ("a.csv", b"\n\n", "nothing"),
    ],
)
def test_the_bytes_decide(name: str, data: bytes, kind: str) -> None:
    shown = preview(name, data, len(data))
    assert shown.kind == kind
    assert (kind == "nothing") == bool(shown.note)


def test_text_is_read_in_its_encoding() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1"):
        assert preview("a.txt", "grüße".encode(encoding), None).text == "grüße"
    cut_within_a_character = "grüße €".encode()[:-1]
    assert preview("a.txt", cut_within_a_character, 100).text == "grüße "


def test_code_knows_its_language() -> None:
    assert preview("a.py", b"x = 1", 5).language == "python"


def test_what_is_left_out_is_said() -> None:
    assert preview("a.txt", b"x" * MAX_TEXT, MAX_TEXT).note == ""
    assert "Only the first" in preview("a.txt", b"x" * MAX_TEXT, MAX_TEXT + 1).note
    long = preview("a.txt", b"x" * (MAX_TEXT + 1), MAX_TEXT + 1)
    assert len(long.text) == MAX_TEXT
    assert "too large" in preview("a.png", PNG, 10**9).note
    rows = preview("a.csv", b"1\n" * (MAX_ROWS + 5), None)
    assert len(rows.rows) == MAX_ROWS + 1
    assert "rows" in rows.note


def test_tables_have_straight_edges_whatever_stands_in_them() -> None:
    shown = preview("a.csv", b'name;price\n"a;b";1,5\nshort\n', None)
    assert shown.rows == [["name", "price"], ["a;b", "1,5"], ["short", ""]]
    assert preview("a.tsv", b"a\tb\n", None).rows == [["a", "b"]]
    wide = preview("a.csv", b"," * 500, None)
    assert len(wide.rows[0]) == MAX_COLUMNS


def test_only_as_much_is_fetched_as_can_be_shown() -> None:
    assert wanted_bytes("a.csv") == MAX_TEXT
    assert wanted_bytes("a.PNG") > MAX_TEXT


@given(st.sampled_from(["a.csv", "a.txt", "a.md", "a.png", ""]), st.binary(max_size=300))
def test_no_bytes_are_an_error(name: str, data: bytes) -> None:
    shown = preview(name, data, None)
    if shown.kind == "table":
        assert len({len(row) for row in shown.rows}) == 1
