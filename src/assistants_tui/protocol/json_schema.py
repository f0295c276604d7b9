"""Where a value leaves its JSON Schema, found out in bounded work: schemas and values come from strangers.

A schema of a few lines can ask for more checks than there are atoms, by naming itself twice at each level,
and a pattern of ten characters for as many steps. So checks are counted, and patterns go to an engine without
backtracking, which takes time in proportion to the text.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jsonschema
    import jsonschema_rs

_MOST_WORK = 200_000  # of all checks of a value, which may then take a tenth of a second
_CHECK = 20  # what a check costs at least; a value in the schema or in what is checked costs 1
_TEXT = 100  # characters that cost as much as a value
_PATTERN_BYTES = 1 << 20  # of a compiled pattern
# The names of properties are compared with patterns by the library itself, with an engine that backtracks.
_UNCHECKED = ("patternProperties", "unevaluatedProperties", "unevaluatedItems")

_Check = Callable[[Any, Any, Any, Any], Iterator["jsonschema.ValidationError"] | None]


class TooMuchWorkError(Exception):
    """Nobody can say whether the value follows the schema."""


def deviations(value: object, schema: Mapping[str, Any], *, most: int) -> "list[jsonschema.ValidationError]":
    """At most so many places where a value leaves a schema of the draft that `$schema` names, or of 2020-12.

    Nothing is fetched. Patterns that compare with what was matched before, or look around, are passed over,
    and so is what depends on patterns of property names. Raises `TooMuchWorkError`, `RecursionError`, the
    errors of `jsonschema` and `referencing`, and for what is no schema `AttributeError`, `LookupError`,
    `TypeError`, `ValueError` or `ArithmeticError`.
    """
    import jsonschema  # a tenth of a second that only schemas need
    import referencing

    if _names_other_draft(schema):
        raise TooMuchWorkError("checks of another draft are not counted")
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    schema = {name: part for name, part in schema.items() if name != "$schema"}
    token = _budget.set(_Budget(value))
    try:
        # with a registry of its own it looks nowhere else
        checker = _counted(kind)(schema, registry=referencing.Registry())
        return list(islice(checker.iter_errors(value), most))
    finally:
        _budget.reset(token)


class _Budget:
    def __init__(self, value: object) -> None:
        self._left = _MOST_WORK
        self._sizes = _sizes(value)

    def spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise TooMuchWorkError("more checks than are made")

    def size(self, value: object) -> int:
        """How much is in a part of the value: its errors are written with all of it."""
        return self._sizes.get(id(value), 1)


def _sizes(value: object) -> dict[int, int]:
    """What is larger than a simple value, by its identity."""
    found: list[object] = [value]
    for part in found:
        if isinstance(part, dict):
            found += part.keys()
            found += part.values()
        elif isinstance(part, list):
            found += part
    sizes: dict[int, int] = {}
    for part in reversed(found):  # the inner ones first
        inner: list[object] = [*part, *part.values()] if isinstance(part, dict) else []
        if isinstance(part, list):
            inner = part
        size = 1 + sum(sizes.get(id(one), 1) for one in inner)
        if isinstance(part, str):
            size += len(part) // _TEXT
        if size > 1:
            sizes[id(part)] = size
    return sizes


_budget: ContextVar[_Budget] = ContextVar("_budget")


def _names_other_draft(schema: Mapping[str, Any]) -> bool:
    """Whether a part of the schema wants to be read by the rules of a draft: those checks would not count."""
    waiting: list[object] = list(schema.values())
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if isinstance(part.get("$schema"), str):
                return True
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return False


@cache
def _counted(kind: Any) -> Any:
    """A draft whose checks count."""
    import jsonschema

    checks: dict[str, _Check] = {**kind.VALIDATORS, "pattern": _pattern, "uniqueItems": _unique_items(kind)}
    if "additionalProperties" in checks:
        checks["additionalProperties"] = _additional_properties(checks["additionalProperties"])
    counted = {name: _counting(check) for name, check in checks.items()}
    unchecked: dict[str, _Check] = {name: _nothing for name in _UNCHECKED if name in checks}
    extend: Any = jsonschema.validators.extend  # has no types
    return extend(kind, {**counted, **unchecked})


def _counting(check: _Check) -> _Check:
    def counting(
        validator: Any, asked: Any, value: Any, schema: Any
    ) -> "Iterator[jsonschema.ValidationError]":
        budget = _budget.get()
        budget.spend(_CHECK + (len(asked) if isinstance(asked, list | dict) else 0) + budget.size(value))
        yield from check(validator, asked, value, schema) or ()

    return counting


def _nothing(validator: Any, asked: Any, value: Any, schema: Any) -> None:
    return None


def _additional_properties(check: _Check) -> _Check:
    def checked(
        validator: Any, asked: Any, value: Any, schema: Any
    ) -> "Iterator[jsonschema.ValidationError] | None":
        return None if "patternProperties" in schema else check(validator, asked, value, schema)

    return checked


def _unique_items(kind: Any) -> _Check:
    def checked(
        validator: Any, asked: Any, value: Any, schema: Any
    ) -> "Iterator[jsonschema.ValidationError] | None":
        if isinstance(value, list):  # objects are compared each with each
            _budget.get().spend(len(value) ** 2)
        check: _Check = kind.VALIDATORS["uniqueItems"]
        return check(validator, asked, value, schema)

    return checked


def _pattern(validator: Any, asked: Any, value: Any, schema: Any) -> "Iterator[jsonschema.ValidationError]":
    import jsonschema

    if isinstance(value, str) and (pattern := _compiled(asked)) is not None and not pattern.is_valid(value):
        yield jsonschema.ValidationError(f"{value!r} does not match {asked!r}")


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> "jsonschema_rs.Draft202012Validator | None":
    """A check of texts against a pattern; None if it cannot be made in linear time."""
    import jsonschema_rs

    options = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES)
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options)
    except ValueError:
        return None
