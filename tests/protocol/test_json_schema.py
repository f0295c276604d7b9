"""Values against schemas of strangers: in bounded work, whatever the two are."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol import json_schema
from assistants_tui.protocol.json_schema import TooMuchWorkError, deviations
from assistants_tui.protocol.objects import Json


def doubling(levels: int, keyword: str) -> Json:
    """A schema that asks for two checks of the next one, and that for two of its next one."""
    parts: Json = {f"p{level}": {keyword: [{"$ref": f"#/$defs/p{level + 1}"}] * 2} for level in range(levels)}
    return {"$ref": "#/$defs/p0", "$defs": parts | {f"p{levels}": {"type": "string"}}}


def nested(levels: int) -> Json:
    value: Json = {}
    for _ in range(levels):
        value = {"x": value}
    return value


TWICE: Json = {"properties": {"x": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "required": ["y"]}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (doubling(40, "allOf"), 1),
        (doubling(40, "anyOf"), 1),
        (doubling(40, "oneOf"), "text"),
        (TWICE, nested(40)),
        ({"items": {"allOf": [{"type": "integer"}] * 1_000}}, [1] * 1_000),
        ({"uniqueItems": True}, [{"a": number} for number in range(5_000)]),
        ({"anyOf": [{"type": "number"}] * 1_000}, "x" * 1_000_000),
        ({"anyOf": [{"type": "number"}] * 1_000}, {"x": [[0] * 1_000] * 50}),
        ({"items": {"enum": list(range(5_000))}}, [5_001] * 5_000),
    ],
    ids=["allOf", "anyOf", "oneOf", "nested", "items", "unique", "long text", "long error", "enum"],
)
def test_what_would_take_too_long_is_given_up(schema: Json, value: Any) -> None:
    with pytest.raises(TooMuchWorkError):
        deviations(value, schema, most=1_000_000)


@pytest.mark.parametrize(
    "kind", ["", "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"]
)
@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(.*a){20}$", "(x+x+)+y"])
def test_patterns_that_make_others_go_back_for_ever(pattern: str, kind: str) -> None:
    schema = {"pattern": pattern, "$schema": kind}
    text = "a" * 50_000 + "!" if "a" in pattern else "x" * 50_000
    found = [error.validator for error in deviations(text, schema, most=1)]
    assert found == ["pattern"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "(?=a)b"}, "x"),
        ({"pattern": r"(a)\1"}, "x"),
        ({"pattern": "("}, "x"),
        ({"pattern": "(a{1000}){1000}"}, "x"),
        ({"patternProperties": {"^(a+)+$": {"type": "string"}}}, {"a" * 50 + "!": 1}),
        ({"patternProperties": {"^(a+)+$": True}, "additionalProperties": False}, {"a" * 50 + "!": 1}),
        (
            {"allOf": [{"patternProperties": {"^(a+)+$": True}}], "unevaluatedProperties": False},
            {"a" * 50 + "!": 1},
        ),
    ],
)
def test_what_nobody_can_check_in_time_is_passed_over(schema: Json, value: Any) -> None:
    assert deviations(value, schema, most=1) == []


def test_another_draft_within_a_schema_would_not_count() -> None:
    inner = {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "^(a+)+$"}
    for schema in (
        {"properties": {"x": inner}},
        {"allOf": [inner]},
        {"$ref": "#/$defs/x", "$defs": {"x": inner}},
    ):
        with pytest.raises(TooMuchWorkError):
            deviations({"x": "a" * 50 + "!"}, schema, most=1)
    named = {"properties": {"$schema": {"type": "string"}}}
    assert len(deviations({"$schema": 1}, named, most=2)) == 1


SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "integer"},
            {"type": ["string", "null"]},
            {"enum": [1, "a", None]},
            {"minimum": 3},
            {"maxLength": 2},
            {"pattern": "^[a-c]+$"},
            {"uniqueItems": True},
            {"required": ["a"]},
            {"additionalProperties": False, "properties": {"a": {}}},
            True,
            False,
        ]
    ),
    lambda inner: (
        st.builds(lambda part: {"items": part}, inner)
        | st.builds(lambda part: {"properties": {"a": part}}, inner)
        | st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda part: {"not": part}, inner)
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "abc", "abd", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@given(SCHEMAS, VALUES)
def test_the_rest_is_what_the_library_says(schema: Any, value: Any) -> None:
    whole = {"allOf": [schema]}
    expected = list(jsonschema.Draft202012Validator(whole).iter_errors(value))
    found = deviations(value, whole, most=1_000)
    assert [(error.json_path, error.validator, error.message) for error in found] == [
        (error.json_path, error.validator, error.message) for error in expected
    ]


def test_work_is_counted_by_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"items": {"type": "integer"}}
    monkeypatch.setattr(json_schema, "_MOST_WORK", 20 + 1 + 101 + 100 * 21)
    assert deviations([0] * 100, schema, most=1) == []
    with pytest.raises(TooMuchWorkError):
        deviations([0] * 101, schema, most=1)
