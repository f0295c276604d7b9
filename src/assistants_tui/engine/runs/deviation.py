"""Where a JSON value leaves its schema."""

import re
from typing import Any

Json = dict[str, Any]


def deviation(value: object, schema: Json) -> str | None:
    """What is wrong with a value, as half a sentence; None if it follows the schema, or if nobody can say."""
    import jsonschema  # a tenth of a second that only strict schemas need
    from jsonschema.exceptions import UnknownType
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # With a registry of its own it looks nowhere else: no schema makes this process fetch anything.
    checker = jsonschema.Draft202012Validator(schema, registry=Registry())
    try:
        error = next(iter(checker.iter_errors(value)), None)
    except Unresolvable as missing:
        return f"the schema refers to {missing.ref}, which is not in it"
    except re.error:
        return None  # a pattern that JavaScript may understand
    except RecursionError:
        return "the schema refers to itself without end"
    except (UnknownType, AttributeError, LookupError, TypeError, ValueError):
        return None  # it is no schema: large ones are not checked when they come
    if error is None:
        return None
    return f"at {error.json_path}, '{error.validator}' does not hold"
