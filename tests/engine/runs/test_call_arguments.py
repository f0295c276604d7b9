"""Arguments of calls as models write them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.runs.call_arguments import sound


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ("", {}),
        ("null", {}),
        (' {"a": 1}\n', {"a": 1}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ('{"a": 1}{"a": 1}', {"a": 1}),
        ('{"a": 1}{"a": 2}', None),
        ('{"a": "Ou', None),
        ('"Oulu"', None),
        ("[1, 2]", None),
        ("11", None),
        ("[" * 100_000, None),
    ],
)
def test_an_object_or_nothing(arguments: str, meant: object) -> None:
    found = sound(arguments)
    assert (None if found is None else json.loads(found)) == meant


@given(st.text())
def test_any_text_gives_an_object_or_nothing(arguments: str) -> None:
    found = sound(arguments)
    assert found is None or isinstance(json.loads(found), dict)
