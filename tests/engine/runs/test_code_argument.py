"""Reading code out of arguments that come in pieces."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.runs.code_argument import CodeArgument


def read(arguments: str, cuts: list[int]) -> tuple[list[str], str]:
    """What each piece of the arguments adds, and the whole code."""
    reader = CodeArgument()
    places = sorted({cut % (len(arguments) + 1) for cut in cuts})
    pieces = [arguments[a:b] for a, b in zip([0, *places], [*places, len(arguments)], strict=True)]
    added = [reader.feed(piece) for piece in pieces]
    added.append(reader.finish())
    assert "".join(added) == reader.code
    return added, reader.code


@given(
    st.text(),
    st.lists(st.integers(0, 10_000), max_size=30),
    st.booleans(),
    st.sampled_from(["code", "input"]),
)
def test_any_code_in_any_pieces(code: str, cuts: list[int], ascii_only: bool, key: str) -> None:
    code = code.encode("utf-8", "replace").decode()
    assert read(json.dumps({key: code, "more": 1}, ensure_ascii=ascii_only), cuts)[1] == code


@given(st.text(), st.lists(st.integers(0, 10_000), max_size=30))
def test_garbage_is_no_error(arguments: str, cuts: list[int]) -> None:
    read(arguments, cuts)


def test_arguments_of_another_shape_than_code_are_no_error() -> None:
    for arguments in ("[" * 100_000, "[" + "[]," * 200_000 + "[]]"):
        assert read(arguments, [])[1] == arguments


def test_code_is_told_as_it_comes() -> None:
    reader = CodeArgument()
    assert reader.feed('{"code": "pri') == "pri"
    assert reader.feed("nt(1)\\") == "nt(1)"
    assert reader.feed('n"') == "\n"
    assert reader.feed("}") == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("print(1)\nprint(2)", "print(1)\nprint(2)"),
        ('"print(1)"', "print(1)"),
        ('"{1: 2}"', "{1: 2}"),
        (json.dumps(json.dumps({"code": 'print("1")'})), 'print("1")'),
        ('{"code": "x"}{"code": "x"}', "x"),
        ('"""What it does."""', '"""What it does."""'),
        ('{"code": ["a = 1", "print(a)\\n"]}', "a = 1\nprint(a)"),
        ('{"language": {}, "code": "x"}', "x"),
        ('{"code": "two\nlines"}', "two\nlines"),
        ("{}", ""),
        ("", ""),
        ('{"code": 3}', ""),
        ('{"code": "cut off', "cut off"),
    ],
)
def test_shapes_that_models_write(arguments: str, code: str) -> None:
    assert read(arguments, [])[1] == code
    assert read(arguments, list(range(len(arguments))))[1] == code
