"""JSON from strangers, parsed only where it is known beforehand that this is little work.

A few bytes make a value: 15 MB of empty lists take Python's parser seconds, in which nothing else runs, and
half a gigabyte. The separators are counted first, which takes milliseconds.
"""

import json
from collections import Counter

MAX_VALUES = 100_000
"""Enough for any request, answer or output that is meant well; they may have less by their own limits."""
_LONGEST_INTEGER = 400  # digits, more than any float has; Python reads thousands of them in quadratic time


class TooManyValuesError(ValueError):
    """The text may well be JSON, but has more values than its reader takes."""


class DuplicateNameError(ValueError):
    """An object of the text has this name twice. Which of the values counts, readers decide differently."""


def parse(text: str | bytes, most_values: int = MAX_VALUES, *, unique_names: bool = False) -> object:
    """The value of a JSON text in UTF-8, in which no object or array is larger than `most_values`.

    Of values with the same name in one object the last counts, as in most readers; with `unique_names` they
    are refused. Raises `TooManyValuesError`, `DuplicateNameError`, another `ValueError` for what is no JSON,
    and `RecursionError` for what is nested too deeply.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if has_more_values(raw, most_values):
        raise TooManyValuesError(f"more than {most_values} values")
    decoded = text if isinstance(text, str) else raw.decode("utf-8-sig")
    return json.loads(decoded, parse_int=_integer, object_pairs_hook=_object if unique_names else None)


def has_more_values(raw: bytes, most: int) -> bool:
    """Whether a JSON text has more than `most` commas, objects and arrays. For other texts it means nothing.

    Nearly all values have a comma before them or an array or object around them alone.
    """
    if _separators(raw) <= most:  # those within strings included
        return False
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 4 * (most + 1):  # a value has at most a name and a string
        return True
    return _separators(b"".join(bare.split(b'"')[::2])) > most


def _separators(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise DuplicateNameError(name)
    return made


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER:
        raise ValueError(f"an integer of more than {_LONGEST_INTEGER} digits")
    return int(digits)
