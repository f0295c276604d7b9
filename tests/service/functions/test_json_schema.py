import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.service.functions.json_schema import schema_problem, strict_problem


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"unit": {"enum": ["c", "f"]}}, "required": ["unit"]},
        {"$defs": {"a": {"type": "string"}}, "items": {"$ref": "#/$defs/a"}},
        {"$ref": "#"},
        {"type": "object", "properties": {"default": {"type": "string"}, "$ref": {"type": "string"}}},
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"a": True},
            "$ref": "#/definitions/a",
        },
        {"default": {"$ref": "#/nowhere"}},
    ],
)
def test_schemas_are_accepted(schema: object) -> None:
    assert schema_problem(schema) is None


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ([], "A schema is a JSON object"),
        ({"type": "strin"}, "strin"),
        ({"properties": {"unit": {"enum": 3}}}, "At properties.unit.enum: 3 is not of type 'array'."),
        ({"required": "unit"}, "At required"),
        ({"properties": {"a": {"minimum": "3"}}}, "At properties.a.minimum"),
        ({"pattern": "("}, "At pattern"),
        ({"$ref": "#/$defs/b", "$defs": {"a": {}}}, "leads nowhere"),
        ({"items": {"$ref": "https://example.org/x.json"}}, "At items: the reference"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(schema: object, said: str) -> None:
    assert said in (schema_problem(schema) or "")


def test_schemas_that_nest_without_end_are_refused() -> None:
    schema: dict[str, object] = {}
    for _ in range(5000):
        schema = {"items": schema}
    assert "deep" in (schema_problem(schema) or "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "items", "enum", "$ref", "required", "anyOf", "a", "$id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_is_written_there_is_an_answer(schema: object) -> None:
    problem = schema_problem(schema)
    assert problem is None or (problem.endswith(".") and "\n" not in problem)


def test_strict_schemas_name_and_require_everything() -> None:
    inner = {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}
    outer = {**inner, "properties": {"a": inner}}
    assert strict_problem(outer) is None
    assert "additionalProperties" in (strict_problem({"type": "object"}) or "")
    assert "'a' is missing" in (strict_problem({**outer, "required": []}) or "")
    told = strict_problem({**outer, "properties": {"a": {**inner, "additionalProperties": True}}})
    assert "at properties.a" in (told or "")
    assert strict_problem({**inner, "properties": {"a": {"type": "string"}}}) is None
