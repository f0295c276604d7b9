"""JSON from strangers: what is too much work is not begun."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol.bounded_json import (
    DuplicateNameError,
    TooManyValuesError,
    has_more_values,
    parse,
)

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a,[{"\\é\U0001f600', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(alphabet='k,"\\', max_size=3), inner, max_size=5)
    ),
    max_leaves=30,
)


def size(value: Any) -> int:
    """Separators that a value is written with: what the limit is about."""
    if isinstance(value, dict):
        return 1 + max(len(value) - 1, 0) + sum(map(size, value.values()))
    if isinstance(value, list):
        return 1 + max(len(value) - 1, 0) + sum(map(size, value))
    return 0


@given(VALUES, st.booleans())
def test_what_strings_hold_does_not_count(value: Any, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert not has_more_values(raw, size(value))
    assert parse(raw, size(value)) == value
    assert parse(raw.decode(), size(value)) == value
    if size(value):
        assert has_more_values(raw, size(value) - 1)


@given(st.binary(max_size=60), st.integers(0, 5))
def test_any_bytes_are_taken_or_refused(raw: bytes, most: int) -> None:
    with contextlib.suppress(ValueError, RecursionError):
        parse(raw, most)


@pytest.mark.parametrize(
    "piece", [b"[],", b"{},", b"1,", b'"",', b'{"a":0},', b'[[[]]],"\\"",'], ids=lambda piece: piece.decode()
)
def test_millions_of_values_do_not_reach_the_parser(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", pytest.fail)
    with pytest.raises(TooManyValuesError):
        parse(b"[" + piece * 500_000 + b"0]", 100_000)


def test_millions_of_quotes_are_not_taken_apart() -> None:
    assert has_more_values(b'"",' * 1_000_000, 1_000)


def test_a_long_text_is_one_value() -> None:
    text = 'a, b, [c], {"d"} \\ ' * 100_000
    assert parse(json.dumps([text]), 10) == [text]


@pytest.mark.parametrize("text", ["9" * 401, "-" + "9" * 5_000, "[1, " + "7" * 100_000 + "]"])
def test_integers_that_take_long_to_read(text: str) -> None:
    with pytest.raises(ValueError, match="an integer of more than 400 digits"):
        parse(text, 10)


def test_what_another_encoding_hides() -> None:
    with pytest.raises(ValueError):
        parse(json.dumps(["a"]).encode("utf-16"), 10)


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 1}', '[{"b": {"a": [], "c": 1, "a": {}}}]', '{"\\u0061": 1, "a": 2}']
)
def test_a_name_that_is_there_twice(text: str) -> None:
    with pytest.raises(DuplicateNameError) as error:
        parse(text, 100, unique_names=True)
    assert str(error.value) == "a"
    assert parse(text, 100) == json.loads(text), "what most readers take"
