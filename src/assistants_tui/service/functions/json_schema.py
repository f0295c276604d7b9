"""What is wrong with a JSON Schema that somebody wrote, before a server says so."""

from collections.abc import Iterator, Mapping
from typing import Any

_MAX_DEPTH = 64  # schemas nest; text that nests deeper is no schema but an attack on the checker
_TABLES = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
_DATA = {"enum", "const", "default", "examples"}  # what stands there is no schema


def schema_problem(schema: object) -> str | None:
    """Why `schema` is no JSON Schema, as a sentence that names the place; None if it is one.

    Drafts 3 to 2020-12 count, as `$schema` says; without it, 2020-12. References have to lead somewhere in
    the same schema: nothing is fetched, and models cannot follow them elsewhere.
    """
    import jsonschema  # a tenth of a second that only an editor needs

    if not isinstance(schema, dict):
        return 'A schema is a JSON object, such as {"type": "object"}.'
    if _depth(schema) > _MAX_DEPTH:
        return f"It nests more than {_MAX_DEPTH} levels deep."
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        place = _place(error.absolute_path)
        return f"At {place}: {_first_line(error.message)}." if place else f"{_first_line(error.message)}."
    for path, node in _objects(schema):
        reference = node.get("$ref")
        if isinstance(reference, str) and not _leads_somewhere(reference, schema):
            return (
                f"At {_place(path) or 'the top'}: the reference {reference!r} leads nowhere in this schema."
            )
    return None


def strict_problem(schema: object) -> str | None:
    """What keeps `schema` from being followed strictly; None if nothing does.

    Strict schemas allow no other properties than those named, and require all of them
    (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas).
    """
    for path, node in _objects(schema):
        if node.get("type") != "object" and "properties" not in node:
            continue
        if path and path[-1] in _TABLES:
            continue  # in a table of schemas, "type" and "properties" are somebody's names
        place = _place(path) or "the top"
        if node.get("additionalProperties") is not False:
            return f'Strict needs "additionalProperties": false at {place}.'
        properties = node.get("properties")
        required = node.get("required")
        missing = [
            name
            for name in (properties if isinstance(properties, dict) else ())
            if name not in (required if isinstance(required, list) else ())
        ]
        if missing:
            return f'Strict needs every property in "required" at {place}; {missing[0]!r} is missing.'
    return None


def _objects(
    node: object, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """Every JSON object in a schema with the way to it, the outermost first."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            if key not in _DATA or (path and path[-1] in _TABLES):
                yield from _objects(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _objects(value, (*path, index))


def _depth(node: object) -> int:
    depth, level = 0, [node]
    while level and depth <= _MAX_DEPTH:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (
                outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
            )
        ]
    return depth


def _leads_somewhere(reference: str, schema: object) -> bool:
    if reference == "#":
        return True
    if not reference.startswith("#/"):
        return any(reference[1:] == node.get("$anchor") for _, node in _objects(schema))
    node = schema
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            return False
    return True


def _place(path: Any) -> str:
    """`properties.unit.enum[0]`"""
    place = ""
    for part in path:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    return place


def _first_line(message: str) -> str:
    line = message.splitlines()[0] if message else "not a schema"
    return (line if len(line) <= 200 else f"{line[:199]}…").rstrip(".")
