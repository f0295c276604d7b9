"""Definitions of functions that a model may call: read from JSON in every shape people have, and checked.

Limits are those of the API reference (https://platform.openai.com/docs/api-reference/assistants/createAssistant).
"""

import re
from typing import Any, cast

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import FunctionDefinition, Json
from assistants_tui.service.functions.json_schema import schema_problem, strict_problem
from assistants_tui.service.json_text import JsonTextError, read_json

_NAME = re.compile(f"{limits.FUNCTION_NAME_CHARACTER}{{1,{limits.MAX_FUNCTION_NAME}}}")
_KEYS = {"name", "description", "parameters", "strict"}

TEMPLATE: FunctionDefinition = {
    "name": "function_name",
    "description": "What it does, and when to call it.",
    "parameters": {
        "type": "object",
        "properties": {"place": {"type": "string", "description": "What this is."}},
        "required": ["place"],
    },
}
"""What somebody who defines a function begins with."""


class DefinitionError(ValueError):
    """A text holds no definition that can be used. `str` is the sentence to show."""


def read_functions(text: str) -> list[FunctionDefinition]:
    """The definitions in a JSON text, checked. Raises `DefinitionError`.

    Taken are a definition alone, a tool of the Assistants or chat completions API (`{"type": "function",
    "function": {…}}`), a tool of the Responses API (`{"type": "function", "name": …}`), a list of any of
    them, and a request body with `tools` or `functions`.
    """
    try:
        value = read_json(text)
    except JsonTextError as error:
        raise DefinitionError(str(error)) from None
    if isinstance(value, dict):
        value = next(
            (value[key] for key in ("tools", "functions") if isinstance(value.get(key), list)), value
        )
    entries = value if isinstance(value, list) else [value]
    if not entries:
        raise DefinitionError("The list holds no function.")
    functions = [_unwrapped(entry) for entry in entries]
    for index, function in enumerate(functions):
        if (problem := function_problem(function)) is not None:
            where = f"Function {index + 1}: " if len(functions) > 1 else ""
            raise DefinitionError(where + problem)
    names = [function["name"] for function in functions]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DefinitionError(f"{twice!r} is defined twice.")
    return [cast(FunctionDefinition, function) for function in functions]


def function_problem(function: Json) -> str | None:
    """What is wrong with a definition, as a sentence; None if servers take it."""
    for check in (_name_problem, _description_problem, _parameters_problem, _strict_problem):
        if (problem := check(function)) is not None:
            return problem
    if unknown := sorted(function.keys() - _KEYS):
        return f"{unknown[0]!r} is no part of a definition; allowed are {', '.join(sorted(_KEYS))}."
    return None


def _unwrapped(entry: object) -> Json:
    if not isinstance(entry, dict):
        raise DefinitionError("A definition is a JSON object with a name, a description and parameters.")
    kind = entry.get("type")
    if kind not in {None, "function"}:
        raise DefinitionError(f"A tool of the type {kind!r} is no function.")
    if isinstance(entry.get("function"), dict):
        return dict(entry["function"])
    return {key: value for key, value in entry.items() if key != "type"}


def _name_problem(function: Json) -> str | None:
    name = function.get("name")
    if not isinstance(name, str) or not name:
        return 'A definition needs a "name".'
    if not _NAME.fullmatch(name):
        most = limits.MAX_FUNCTION_NAME
        return f'A name is 1 to {most} letters a-z, digits, "_" and "-", which {name[:80]!r} is not.'
    return None


def _description_problem(function: Json) -> str | None:
    description = function.get("description")
    if description is not None and not isinstance(description, str):
        return 'The "description" is a text.'
    if len(description or "") > (most := limits.MAX_FUNCTION_DESCRIPTION):
        return f"The description has {len(description or ''):,} characters; {most:,} are allowed."
    return None


def _parameters_problem(function: Json) -> str | None:
    parameters: Any = function.get("parameters")
    if parameters is None:
        return None
    if not isinstance(parameters, dict) or parameters.get("type", "object") != "object":
        return 'The "parameters" are a JSON Schema of the type "object".'
    problem = schema_problem(parameters)
    return None if problem is None else f"The parameters are no JSON Schema. {problem}"


def _strict_problem(function: Json) -> str | None:
    strict = function.get("strict")
    if strict is not None and not isinstance(strict, bool):
        return '"strict" is true or false.'
    return strict_problem(function.get("parameters") or {}) if strict else None
