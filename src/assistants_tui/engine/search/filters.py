"""Filters on the attributes of files, as search requests of the API have them."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, true

Attributes = Mapping[str, Any]
Matcher = Callable[[Attributes], bool]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
# What SQLite's JSON paths and numbers take as they are.
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_ .-]+")
_EXACT = 2**53
_MOST = 100  # values in a condition of SQL: what it cannot hold is for the matcher alone
_DEEPEST = 10  # levels of and/or in it: the parser of SQLite takes some thirty


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


def likely(condition: Mapping[str, Any], column: ColumnElement[Any]) -> ColumnElement[bool]:
    """What SQLite can say about a filter on a column of attributes, so that few rows are left to look at.

    All that meet the filter meet this as well; others may, too.
    """
    simple = _size(condition) <= _MOST and _depth(condition) <= _DEEPEST
    return _likely(condition, column) if simple else true()


def _size(condition: Mapping[str, Any]) -> int:
    if condition["type"] in {"and", "or"}:
        return sum(map(_size, condition["filters"]))
    return len(_values(condition))


def _depth(condition: Mapping[str, Any]) -> int:
    if condition["type"] in {"and", "or"}:
        return 1 + max(map(_depth, condition["filters"]), default=0)
    return 1


def _values(condition: Mapping[str, Any]) -> list[Any]:
    return list(condition["value"]) if condition["type"] in {"in", "nin"} else [condition["value"]]


def _likely(condition: Mapping[str, Any], column: ColumnElement[Any]) -> ColumnElement[bool]:
    kind = condition["type"]
    if kind in {"and", "or"}:
        parts = [_likely(part, column) for part in condition["filters"]]
        return and_(true(), *parts) if kind == "and" else or_(false(), *parts)
    values = _values(condition)
    if kind in {"ne", "nin"} or not _PLAIN_KEY.fullmatch(condition["key"]) or not all(map(_is_plain, values)):
        return true()
    values = [int(value) if isinstance(value, bool) else value for value in values]  # flags are 0 and 1 there
    found: ColumnElement[Any] = func.json_extract(column, f'$."{condition["key"]}"')
    if kind in {"eq", "in"}:
        return found.in_(values)
    ordered: ColumnElement[bool] = found.op(_SIGNS[kind], is_comparison=True)(values[0])
    return ordered


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return value.isprintable()
    return isinstance(value, int | float) and abs(value) < _EXACT


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
