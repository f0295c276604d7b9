"""Definitions of functions: every shape that people paste, and what is wrong with the others."""

import json
import re
from typing import Any

import pytest

from assistants_tui.engine.http.requests.tools import FunctionDefinition as EngineDefinition
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Json
from assistants_tui.service.functions.definitions import (
    TEMPLATE,
    DefinitionError,
    function_problem,
    read_functions,
)

WEATHER: Json = {
    "name": "getCurrentWeather",
    "description": "Get the weather in location",
    "parameters": {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city and state e.g. San Francisco, CA"},
            "unit": {"type": "string", "enum": ["c", "f"]},
        },
        "required": ["location"],
    },
}
NICKNAME: Json = {
    "name": "getNickname",
    "description": "Get the nickname of a city",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
    },
}


def wrapped(function: Json) -> Json:
    return {"type": "function", "function": function}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (WEATHER, [WEATHER]),
        (wrapped(WEATHER), [WEATHER]),
        ({"type": "function", **WEATHER}, [WEATHER]),
        ([WEATHER, wrapped(NICKNAME)], [WEATHER, NICKNAME]),
        ({"model": "m", "messages": [], "tools": [wrapped(WEATHER), wrapped(NICKNAME)]}, [WEATHER, NICKNAME]),
        ({"model": "m", "functions": [WEATHER, NICKNAME]}, [WEATHER, NICKNAME]),
        (TEMPLATE, [TEMPLATE]),
        ({"name": "now"}, [{"name": "now"}]),
    ],
)
def test_every_usual_shape_gives_the_same_definitions(value: object, expected: list[Json]) -> None:
    assert read_functions(json.dumps(value)) == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "no JSON yet"),
        ('{"name": "a",}', "line 1, column"),
        ('{"name": NaN}', "NaN"),
        ("[" * 100_000, "deep"),
        ("[]", "no function"),
        ("3", "JSON object"),
        ('{"type": "code_interpreter"}', "no function"),
        ('{"description": "a"}', 'needs a "name"'),
        ('{"name": "with space"}', "letters a-z"),
        (json.dumps({"name": "a" * 65}), "1 to 64"),
        (json.dumps({"name": "a", "description": "x" * 1025}), "1,025 characters; 1,024 are allowed"),
        ('{"name": "a", "description": 3}', "is a text"),
        ('{"name": "a", "parameters": {"type": "array"}}', 'of the type "object"'),
        ('{"name": "a", "parameters": []}', 'of the type "object"'),
        ('{"name": "a", "parameters": {"type": "object", "properties": {"b": {"type": "strng"}}}}', "strng"),
        ('{"name": "a", "strict": "yes"}', "true or false"),
        ('{"name": "a", "strict": true, "parameters": {"type": "object"}}', "additionalProperties"),
        ('{"name": "a", "arguments": {}}', "'arguments' is no part"),
        ('[{"name": "a"}, {"name": "a"}]', "defined twice"),
        ('[{"name": "a"}, {"nam": "b"}]', "Function 2"),
    ],
)
def test_what_is_wrong_is_said(value: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(said)):
        read_functions(value)


def test_the_limits_are_those_of_the_engine() -> None:
    good: list[dict[str, Any]] = [
        {"name": "a" * 64},
        {
            "name": "a-_9",
            "description": "x" * limits.MAX_FUNCTION_DESCRIPTION,
            "parameters": {},
            "strict": False,
        },
    ]
    for function in good:
        assert function_problem(function) is None
        EngineDefinition.model_validate(function)
    bad: list[dict[str, Any]] = [
        {"name": "a" * 65},
        {"name": "a", "description": "x" * (limits.MAX_FUNCTION_DESCRIPTION + 1)},
    ]
    for function in bad:
        assert function_problem(function) is not None
        with pytest.raises(ValueError, match="at most"):
            EngineDefinition.model_validate(function)
