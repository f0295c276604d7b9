"""Filters on the attributes of files, as search requests of the API have them."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

Attributes = Mapping[str, Any]
Matcher = Callable[[Attributes], bool]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def matcher(condition: Mapping[str, Any]) -> Matcher:
    """Whether attributes meet a condition: `{type, key, value}`, or `{type: and | or, filters}`.

    A key that a file does not have meets `ne` and `nin` only. Values of different kinds (text, number, flag)
    are never equal and have no order. Raises `ValueError` for what is not a filter.
    """
    kind = condition["type"]
    if kind in {"and", "or"}:
        parts = [matcher(part) for part in condition["filters"]]
        joined = all if kind == "and" else any
        return lambda attributes: joined(part(attributes) for part in parts)
    key: str = condition["key"]
    value: Any = condition["value"]
    match kind:
        case "eq" | "in":
            wanted = {_comparable(item) for item in (value if kind == "in" else [value])}
            return lambda attributes: key in attributes and _comparable(attributes[key]) in wanted
        case "ne" | "nin":
            unwanted = {_comparable(item) for item in (value if kind == "nin" else [value])}
            return lambda attributes: key not in attributes or _comparable(attributes[key]) not in unwanted
        case "gt" | "gte" | "lt" | "lte":
            compare, limit = _ORDERS[kind], _comparable(value)
            return lambda attributes: (
                key in attributes and _ordered(compare, _comparable(attributes[key]), limit)
            )
    raise ValueError(f"unknown type of filter: {kind!r}")


def _comparable(value: object) -> tuple[str, Any]:
    """With its kind, because Python takes True for 1."""
    if isinstance(value, bool):
        return "flag", value
    if isinstance(value, int | float):
        return "number", value
    if isinstance(value, str):
        return "text", value
    raise ValueError(f"not a value of an attribute: {value!r}")


def _ordered(compare: Callable[[Any, Any], bool], one: tuple[str, Any], other: tuple[str, Any]) -> bool:
    return one[0] == other[0] and compare(one[1], other[1])
