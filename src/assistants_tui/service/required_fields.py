"""Objects of a server, checked once against `protocol.objects` before anything else reads them.

A field that the program cannot do without must be there (`Essential`), and no field may be of another kind
than it says. Anything else that is missing, or null where that is not a value, gets a neutral value:
servers leave out much that is not needed. Fields that it does not list stay as they are.
"""

from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from assistants_tui.protocol.objects import ESSENTIAL

Thing = TypeVar("Thing")
_Read = Callable[[object, str], object]
"""Gives the value as it is to be used, from the value and the place where it stands."""
_MISSING: Any = object()
_MAX_PLACE = 120
_WORDS: dict[type, str] = {
    NoneType: "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


class MalformedError(ValueError):
    """An object is not what the API promises. `str` says which field and what is wrong with it."""


def checked(kind: type[Thing], value: object, place: str = "") -> Thing:
    """`value` as an object of `kind`, a TypedDict; `place` is where it stands in the answer.

    The same dictionary if nothing had to be filled in, otherwise a copy. Raises `MalformedError`.
    """
    return cast(Thing, _reader(cast(Any, kind))(value, place))


@cache
def _reader(kind: Any) -> _Read:
    """What reads a value of a type, as it is written in a TypedDict."""
    if is_typeddict(kind):
        return _object_reader(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _union_reader(arguments)
    if origin is list:
        return _list_reader(_reader(arguments[0]))
    if origin is dict and arguments[1] is str:
        return _texts_reader
    plain = str if origin is Literal else origin or kind
    return _plain_reader(plain)


def _object_reader(kind: Any) -> _Read:
    fields: dict[str, tuple[_Read, bool, Any]] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        bare, optional, essential = hint, name not in kind.__required_keys__, False
        while get_origin(bare) in (NotRequired, Required):
            bare = get_args(bare)[0]
        if ESSENTIAL in getattr(bare, "__metadata__", ()):
            bare, essential = bare.__origin__, True
        fallback = _MISSING if essential else None if optional else _neutral(bare)
        fields[name] = _reader(bare), optional, fallback

    def read(value: object, place: str) -> object:
        if not isinstance(value, dict):
            raise _wrong(place, value, dict)
        changes: dict[str, object] = {}
        for name, (reader, optional, fallback) in fields.items():
            given = value.get(name, _MISSING)
            if given is _MISSING and optional:
                continue
            where = f"{place}.{name}" if place else name
            if given is _MISSING or (given is None and fallback is not None):
                if fallback is _MISSING:
                    raise MalformedError(f"`{where[-_MAX_PLACE:]}` is missing")
                # no value may be shared between objects
                changes[name] = fallback() if callable(fallback) else fallback
                continue
            if given is None and optional:
                continue
            new = reader(given, where)
            if new is not given:
                changes[name] = new
        return {**value, **changes} if changes else value

    return read


def _neutral(kind: Any) -> Any:
    """What a field of this type is when it is missing: a value, or what makes one."""
    if is_typeddict(kind):
        return lambda: _reader(kind)({}, "")
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return arguments[0] if len(arguments) == 1 else ""  # of several states none can be assumed
    if origin in (Union, UnionType):
        return None if NoneType in arguments else _neutral(arguments[0])
    return origin or kind  # empty text, list and object, zero


def _union_reader(kinds: tuple[Any, ...]) -> _Read:
    readers = [_reader(kind) for kind in kinds if kind is not NoneType]
    nullable = NoneType in kinds

    def read(value: object, place: str) -> object:
        if value is None and nullable:
            return None
        for reader in readers[:-1]:
            try:
                return reader(value, place)
            except MalformedError:
                continue
        return readers[-1](value, place)

    return read


def _list_reader(reader: _Read) -> _Read:
    def read(value: object, place: str) -> object:
        if not isinstance(value, list):
            raise _wrong(place, value, list)
        new = [reader(item, f"{place}[{number}]") for number, item in enumerate(value)]
        same = all(one is other for one, other in zip(new, value, strict=True))
        return value if same else new

    return read


def _texts_reader(value: object, place: str) -> object:
    """An object of texts, as `metadata` is; some servers let other plain values through."""
    if not isinstance(value, dict):
        raise _wrong(place, value, dict)
    if all(isinstance(one, str) for one in value.values()):
        return value
    return {name: one if isinstance(one, str) else str(one) for name, one in value.items()}


def _plain_reader(kind: Any) -> _Read:
    def read(value: object, place: str) -> object:
        if kind is Any:
            return value
        if kind is int and isinstance(value, float) and value.is_integer():
            return int(value)  # some servers send times as fractions
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return value
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise _wrong(place, value, kind)
        return value

    return read


def _wrong(place: str, value: object, kind: type) -> MalformedError:
    found = _WORDS.get(type(value), "something else")
    wanted = _WORDS.get(kind, "something else")
    if isinstance(value, float) and kind is int:
        found, wanted = "a fraction", "a whole number"
    return MalformedError(f"`{place[-_MAX_PLACE:] or 'the object'}` is {found} instead of {wanted}")
