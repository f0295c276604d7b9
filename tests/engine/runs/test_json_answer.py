"""Answers in JSON: what a strict schema asks of them, and what no schema may do to the engine."""

import pytest

from assistants_tui.engine.runs.json_answer import fault
from assistants_tui.protocol.objects import Json
from support.engines import ServedEngine
from support.model_endpoint import says

POINT: Json = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "more": {"type": "array", "items": {"$ref": "#/$defs/name"}}},
    "required": ["x"],
    "additionalProperties": False,
    "$defs": {"name": {"type": "string", "pattern": "^[a-z]+$"}},
}


def strict(schema: Json) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "point", "schema": schema, "strict": True}}


@pytest.mark.parametrize("text", ['{"x": 1}', '{"x": 1, "more": ["a", "bc"]}', '{"x": "", "x": 1}'])
def test_answers_that_follow_the_schema(text: str) -> None:
    assert fault(text, strict(POINT)) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{}", "$, 'required'"),
        ('{"x": "1"}', "$.x, 'type'"),
        ('{"x": 1, "y": 2}', "$, 'additionalProperties'"),
        ('{"x": 1, "more": ["a", "B"]}', "$.more[1], 'pattern'"),
        ("[]", "$, 'type'"),
    ],
)
def test_answers_that_do_not(text: str, place: str) -> None:
    assert f"at {place} does not hold" in (fault(text, strict(POINT)) or "")


def test_only_strict_schemas_bind() -> None:
    advice = {"type": "json_schema", "json_schema": {"name": "point", "schema": POINT, "strict": None}}
    assert fault("{}", advice) is None
    assert fault("{}", {"type": "json_object"}) is None
    for text in ("{", "[" * 100_000):
        assert "not valid JSON" in (fault(text, advice) or "")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"$ref": "http://127.0.0.1:9/schema"}, "refers to http://127.0.0.1:9/schema, which is not in it"),
        ({"$ref": "#/$defs/nothing"}, "which is not in it"),
        ({"$ref": "#"}, "refers to itself without end"),
        ({"pattern": "\\p{Letter}"}, None),
        ({"type": "no type", "enum": ["text"]}, None),
        ({"minLength": "one"}, None),
    ],
)
def test_schemas_that_lead_nowhere(schema: Json, expected: str | None) -> None:
    found = fault('"text"', strict(schema))
    assert found is None if expected is None else expected in (found or "")


async def test_a_run_whose_answer_deviates_fails(served_engine: ServedEngine) -> None:
    served_engine.replies(says('{"x"', ": 1}"), says('{"x": "one"}'))
    assistant = await served_engine.assistant(response_format=strict(POINT))
    thread = await served_engine.thread("A point, please")
    good, bad = [(await served_engine.run(thread, assistant))[-2][1] for _ in range(2)]
    assert good["status"] == "completed"
    assert bad["status"] == "failed" and "the schema 'point'" in bad["last_error"]["message"]
