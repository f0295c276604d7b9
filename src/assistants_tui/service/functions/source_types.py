"""Type hints of a Python source as JSON Schema, told from the text alone.

Classes and aliases of the same source are understood: enumerations, typed dictionaries, data classes and
pydantic models. What cannot be told allows any value, and a note says so.
"""

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any

from assistants_tui.protocol.objects import Json

_MAX_DEPTH = 12  # of types within types
_MAX_TYPES = 2000  # of one function; classes that hold each other several times would grow without end


class Names:
    """What a source itself calls by a name: classes, and aliases of types."""

    def __init__(self, module: ast.Module) -> None:
        self.classes: dict[str, ast.ClassDef] = {}
        self.aliases: dict[str, ast.expr] = {}
        for node in module.body:
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name):
                self.aliases[target.id] = _of_new_type(node.value)
            elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
                self.aliases[node.target.id] = node.value

    def members(self, name: str) -> dict[str, Any]:
        """The values of an enumeration of the source by their names; empty for anything else.

        `auto()` counts as the enumeration itself would.
        """
        node = self.classes.get(name)
        bases = {_last_name(base) for base in node.bases} if node else set()
        if node is None or not bases & _ENUMERATIONS:
            return {}
        members: dict[str, Any] = {}
        for item in node.body:
            if not (isinstance(item, ast.Assign) and isinstance(target := item.targets[0], ast.Name)):
                continue
            if isinstance(item.value, ast.Call) and _last_name(item.value.func) == "auto":
                members[target.id] = target.id.lower() if "StrEnum" in bases else len(members) + 1
            elif (value := _literal(item.value)) is not None:
                members[target.id] = value
        return members


class TypeReader:
    """Reads the type hints and default values of one function; `notes` collects what they leave open."""

    def __init__(self, names: Names) -> None:
        self.notes: list[str] = []
        self._names = names
        self._open: list[str] = []  # the classes that are being described
        self._read = 0

    def value(self, node: ast.expr) -> Any:
        """The JSON value of an expression; None where it has none that can be told without running it."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return self._names.members(node.value.id).get(node.attr)
        return _literal(node)

    def schema(self, node: ast.expr, depth: int = 0) -> Json:
        """The JSON Schema of a type hint; a new object each time."""
        self._read += 1
        if depth > _MAX_DEPTH or self._read > _MAX_TYPES:
            self.notes.append("The types nest too deep to be described to the end.")
            return {}
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._quoted(node.value, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return _any_of([self.schema(node.left, depth + 1), self.schema(node.right, depth + 1)])
        if isinstance(node, ast.Subscript):
            return self._subscript(node, depth)
        return self._named(node, depth)

    def _quoted(self, text: str, depth: int) -> Json:
        try:
            inner = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return self._unknown(repr(text))
        return self.schema(inner, depth + 1)

    def _named(self, node: ast.expr, depth: int) -> Json:
        name = _last_name(node)
        if name in self._names.classes:
            return self._class(self._names.classes[name], depth)
        if isinstance(node, ast.Name) and name in self._names.aliases:
            return self.schema(self._names.aliases[name], depth + 1)
        if (simple := _SIMPLE.get(_ALSO.get(name, name))) is not None:
            return dict(simple)
        return self._unknown(ast.unparse(node))

    def _unknown(self, what: str) -> Json:
        self.notes.append(f"The type {what[:60]} is not known here: any value is allowed.")
        return {}

    def _subscript(self, node: ast.Subscript, depth: int) -> Json:
        name = _last_name(node.value)
        name = _ALSO.get(name, name)
        inner: Sequence[ast.expr] = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if not inner:  # tuple[()]
            return {"type": "array", "maxItems": 0}
        schema: Json
        match name:
            case "Literal":
                values = [self.value(one) for one in inner]
                told = all(
                    v is not None or _last_name(one) == "None" for v, one in zip(values, inner, strict=True)
                )
                schema = _enumeration(values) if told else self._unknown(ast.unparse(node))
            case "Optional":
                schema = _any_of([self.schema(inner[0], depth + 1), {"type": "null"}])
            case "Union":
                schema = _any_of([self.schema(one, depth + 1) for one in inner])
            case "Annotated":
                schema = self._annotated(inner, depth)
            case "list" | "set":
                schema = {**_SIMPLE[name], "items": self.schema(inner[0], depth + 1)}
            case "tuple":
                schema = self._tuple(inner, depth)
            case "dict":
                schema = {"type": "object", "additionalProperties": self.schema(inner[-1], depth + 1)}
            case "Required" | "NotRequired" | "ReadOnly" | "Final":
                schema = self.schema(inner[0], depth + 1)
            case _:
                schema = self._unknown(ast.unparse(node))
        return schema

    def _tuple(self, inner: Sequence[ast.expr], depth: int) -> Json:
        if len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is ...:
            return {"type": "array", "items": self.schema(inner[0], depth + 1)}
        items = [self.schema(one, depth + 1) for one in inner]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}

    def _annotated(self, inner: Sequence[ast.expr], depth: int) -> Json:
        schema = self.schema(inner[0], depth + 1)
        for extra in inner[1:]:
            if isinstance(extra, ast.Constant) and isinstance(extra.value, str):
                schema["description"] = extra.value
            elif isinstance(extra, ast.Call):
                schema.update(self._extras(extra))
        return schema

    def _extras(self, call: ast.Call) -> Json:
        """What `Field(description=…, ge=…)` of pydantic or `Doc("…")` of PEP 727 adds to a schema."""
        name = _last_name(call.func)
        if name == "Doc" and call.args:
            return {"description": self.value(call.args[0])}
        given = {_FIELD_KEYWORDS.get(word.arg or ""): self.value(word.value) for word in call.keywords}
        if name != "Field":
            return {}
        return {key: value for key, value in given.items() if key is not None and value is not None}

    def _class(self, node: ast.ClassDef, depth: int) -> Json:
        if members := self._names.members(node.name):
            return _enumeration(list(members.values()))
        if node.name in self._open:
            self.notes.append(f"{node.name} holds itself, and is not described to the end.")
            return {"type": "object"}
        self._open.append(node.name)
        fields = self._fields(node, depth)
        self._open.pop()
        if not fields:
            return self._unknown(node.name)
        properties = {name: schema for name, (schema, _) in fields.items()}
        schema: Json = {"type": "object", "properties": properties}
        if required := [name for name, (_, needed) in fields.items() if needed]:
            schema["required"] = required
        if doc := ast.get_docstring(node):
            schema["description"] = " ".join(doc.partition("\n\n")[0].split())
        return schema

    def _fields(self, node: ast.ClassDef, depth: int) -> dict[str, tuple[Json, bool]]:
        """The annotated fields of a class and of its bases here: their schemas, and whether they must be."""
        fields: dict[str, tuple[Json, bool]] = {}
        for base in node.bases:
            inherited = self._names.classes.get(_last_name(base))
            if inherited is not None and inherited.name not in self._open:
                self._open.append(inherited.name)
                fields.update(self._fields(inherited, depth))
                self._open.pop()
        total = not any(word.arg == "total" and _literal(word.value) is False for word in node.keywords)
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                hint = item.annotation
                outer = _last_name(hint.value if isinstance(hint, ast.Subscript) else hint)
                if outer != "ClassVar":
                    schema = self.schema(hint, depth + 1)
                    has_default = self._default(item.value, schema)
                    needed = outer == "Required" or (total and outer != "NotRequired" and not has_default)
                    fields[item.target.id] = (schema, needed)
        return fields

    def _default(self, node: ast.expr | None, schema: Json) -> bool:
        """Put what stands behind a field's `=` into its schema. Whether it gives the field a default."""
        if node is None:
            return False
        if isinstance(node, ast.Call) and _last_name(node.func) in {"Field", "field"}:
            schema.update(self._extras(node))
            first = node.args[0] if node.args else None
            given = first is not None and not (isinstance(first, ast.Constant) and first.value is ...)
            return given or any(word.arg in {"default", "default_factory"} for word in node.keywords)
        if (value := self.value(node)) is not None:
            schema["default"] = value
        return True


_ENUMERATIONS = {"Enum", "StrEnum", "IntEnum"}
_SIMPLE: Mapping[str, Json] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "None": {"type": "null"},
    "Any": {},
    "object": {},
    "list": {"type": "array"},
    "tuple": {"type": "array"},
    "set": {"type": "array", "uniqueItems": True},
    "dict": {"type": "object"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "timedelta": {"type": "string", "format": "duration"},
    "UUID": {"type": "string", "format": "uuid"},
    "Path": {"type": "string"},
    "Decimal": {"type": "number"},
}
_ALSO = {  # other names for the same JSON
    "List": "list",
    "Sequence": "list",
    "MutableSequence": "list",
    "Iterable": "list",
    "Collection": "list",
    "Tuple": "tuple",
    "Set": "set",
    "FrozenSet": "set",
    "frozenset": "set",
    "AbstractSet": "set",
    "Dict": "dict",
    "Mapping": "dict",
    "MutableMapping": "dict",
    "LiteralString": "str",
}
_FIELD_KEYWORDS = {
    "description": "description",
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "default": "default",
}
_JSON_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


def _of_new_type(value: ast.expr) -> ast.expr:
    """The second argument of `NewType("Name", type)`; anything else as it is."""
    if isinstance(value, ast.Call) and _last_name(value.func) == "NewType" and len(value.args) == 2:
        return value.args[1]
    return value


def _last_name(node: ast.expr) -> str:
    """`Literal` of both `Literal` and `typing.Literal`; `None` of the constant; else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return "None" if isinstance(node, ast.Constant) and node.value is None else ""


def _literal(node: ast.expr) -> Any:
    """The JSON value of a literal; None if it is none, or has no form in JSON."""
    try:
        value = ast.literal_eval(node)
        return json.loads(json.dumps(value, allow_nan=False))
    except (ValueError, TypeError, SyntaxError):
        return None


def _enumeration(values: list[Any]) -> Json:
    distinct: list[Any] = []
    for value in values:
        if not any(value == other and type(value) is type(other) for other in distinct):
            distinct.append(value)
    kinds = list(dict.fromkeys(_JSON_TYPES.get(type(value), "") for value in distinct))
    schema: Json = {"enum": distinct}
    if all(kinds):
        schema = {"type": kinds[0] if len(kinds) == 1 else kinds, **schema}
    return schema


def _any_of(schemas: list[Json]) -> Json:
    """Either of the schemas, in the shortest form: models follow `"type": ["string", "null"]` best."""
    flat: list[Json] = []
    for one in (one for schema in schemas for one in _alternatives(schema)):
        if one not in flat:
            flat.append(one)
    null = {"type": "null"}
    if {} in flat:
        return {}
    if len(flat) == 1:
        return flat[0]
    if all(one.keys() == {"type"} and isinstance(one["type"], str) for one in flat):
        return {"type": [one["type"] for one in flat]}
    if len(flat) == 2 and null in flat:
        other = flat[1 - flat.index(null)]
        if isinstance(kind := other.get("type"), str):
            nullable = {**other, "type": [kind, "null"]}
            return {**nullable, "enum": [*other["enum"], None]} if "enum" in other else nullable
    return {"anyOf": flat}


def _alternatives(schema: Json) -> list[Json]:
    """The schemas of which a value may follow any."""
    if schema.keys() == {"anyOf"}:
        return list(schema["anyOf"])
    if schema.keys() == {"type"} and isinstance(schema["type"], list):
        return [{"type": kind} for kind in schema["type"]]
    return [schema]
