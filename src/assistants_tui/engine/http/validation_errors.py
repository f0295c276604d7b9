"""What is wrong with a value, in the words and codes of the hosted API."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from assistants_tui.engine.http.errors import ApiError, bad_request, shown

TAG = "one-of:"
"""How the name of an alternative begins that is not part of the path to a value, see `requests.common`."""

_Context = Mapping[str, Any]


def explain(error: ErrorDetails) -> ApiError:
    """The answer to a body in which pydantic found this."""
    path = _path(error["loc"])
    context = error.get("ctx", {})
    if error["loc"][-1:] == ("[key]",) and error["type"] == "string_too_long":
        return string_too_long(path, error["input"], context["max_length"], "property name", "property_name")
    if (explanation := _EXPLANATIONS.get(error["type"])) is not None:
        return explanation(path, error["input"], context)
    # What is left are wrong types: those that pydantic names, and alternatives that name themselves.
    return wrong_type(path, _EXPECTED.get(error["type"], error["msg"]), error["input"])


def missing(path: str) -> ApiError:
    return bad_request(
        f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter"
    )


def unknown(path: str) -> ApiError:
    hint = _OLD_FIELDS.get(path.rpartition(".")[2], "")
    return bad_request(f"Unknown parameter: '{path}'.{hint}", param=path, code="unknown_parameter")


def wrong_type(path: str, expected: str, value: object) -> ApiError:
    got = "null" if value is None else _KINDS.get(type(value), "an object")
    what = f"type for '{path}'" if path else "request body"
    return bad_request(
        f"Invalid {what}: expected {expected}, but got {got} instead.",
        param=path or None,
        code="invalid_type",
    )


def unsupported_value(path: str, value: str, supported: list[str]) -> ApiError:
    return bad_request(
        f"Invalid value: '{shown(value)}'. Supported values are: {_enumerate(supported)}."
        + _OLD_VALUES.get(value, ""),
        param=path,
        code="invalid_value",
    )


def above_maximum(path: str, value: float, maximum: float) -> ApiError:
    kind = "decimal" if isinstance(maximum, float) else "integer"
    return bad_request(
        f"Invalid '{path}': {kind} above maximum value. Expected a value <= {maximum:.10g}, "
        f"but got {value} instead.",
        param=path,
        code=f"{kind}_above_max_value",
    )


def below_minimum(path: str, value: float, minimum: float) -> ApiError:
    kind = "decimal" if isinstance(minimum, float) else "integer"
    return bad_request(
        f"Invalid '{path}': {kind} below minimum value. Expected a value >= {minimum:.10g}, "
        f"but got {value} instead.",
        param=path,
        code=f"{kind}_below_min_value",
    )


def _not_in_enumeration(path: str, value: object, context: _Context) -> ApiError:
    names = [name.strip("'") for name in context["expected"].replace(" or ", ", ").split(", ")]
    if isinstance(value, str):
        return unsupported_value(path, value, names)
    return wrong_type(path, f"one of {_enumerate(names, last='or')}", value)


def string_too_long(
    path: str, value: str, limit: int, what: str = "string", code: str = "string"
) -> ApiError:
    return bad_request(
        f"Invalid '{path}': {what} too long. Expected a {what} with maximum length {limit}, "
        f"but got a {what} with length {len(value)} instead.",
        param=path,
        code=f"{code}_above_max_length",
    )


def _empty_string(path: str, value: object, context: _Context) -> ApiError:
    return bad_request(
        f"Invalid '{path}': empty string. Expected a string with minimum length {context['min_length']}, "
        "but got an empty string instead.",
        param=path,
        code="empty_string",
    )


def _wrong_pattern(path: str, value: object, context: _Context) -> ApiError:
    return bad_request(
        f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern "
        f"'{context['pattern']}'.",
        param=path,
        code="invalid_value",
    )


def _too_many(path: str, value: list[object] | dict[str, object], context: _Context) -> ApiError:
    limit = context["max_length"]
    if isinstance(value, dict):
        return bad_request(
            f"Invalid '{path}': too many properties. Expected an object with at most {limit} properties, "
            f"but got an object with {len(value)} properties instead.",
            param=path,
            code="object_above_max_properties",
        )
    return bad_request(
        f"Invalid '{path}': array too long. Expected an array with maximum length {limit}, "
        f"but got an array with length {len(value)} instead.",
        param=path,
        code="array_above_max_length",
    )


def _empty_array(path: str, value: object, context: _Context) -> ApiError:
    return bad_request(
        f"Invalid '{path}': empty array. Expected an array with minimum length {context['min_length']}, "
        "but got an empty array instead.",
        param=path,
        code="empty_array",
    )


def _refused(path: str, value: object, context: _Context) -> ApiError:
    """What one of our own validators said, see `requests.common.refuse`."""
    at = context["at"]
    dot = "." if path and at and not at.startswith("[") else ""
    path = f"{path}{dot}{at}"
    return bad_request(context["message"].replace("{path}", path), param=path or None, code=context["code"])


_EXPLANATIONS: dict[str, Callable[[str, Any, _Context], ApiError]] = {
    "missing": lambda path, value, context: missing(path),
    "extra_forbidden": lambda path, value, context: unknown(path),
    "literal_error": _not_in_enumeration,
    "string_too_long": lambda path, value, context: string_too_long(path, value, context["max_length"]),
    "string_too_short": _empty_string,
    "string_pattern_mismatch": _wrong_pattern,
    "too_long": _too_many,
    "too_short": _empty_array,
    "less_than_equal": lambda path, value, context: above_maximum(path, value, context["le"]),
    "greater_than_equal": lambda path, value, context: below_minimum(path, value, context["ge"]),
    "refused": _refused,
}

_EXPECTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a decimal",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "none_required": "null",
}

_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
}

# What people send who learned version 1 of the API, or read documents with its mistakes.
_OLD_FIELDS = {
    "file_ids": (
        " In version 2 of the API, files go into 'tool_resources' of an assistant or a thread, "
        "or into 'attachments' of a message."
    )
}
_OLD_VALUES = {
    "retrieval": " The tool 'retrieval' of version 1 is called 'file_search' in version 2.",
    "code-interpreter": " Did you mean 'code_interpreter'?",
    "file-search": " Did you mean 'file_search'?",
}


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]" and not part.startswith(TAG):
            name = shown(part)
            path += f".{name}" if path else name
    return path


def _enumerate(names: list[str], last: str = "and") -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) < 3:
        return f" {last} ".join(quoted)
    return f"{', '.join(quoted[:-1])}, {last} {quoted[-1]}"
