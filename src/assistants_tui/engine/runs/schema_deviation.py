"""Where a JSON value leaves its schema, in words for a model or for the run's error."""

from assistants_tui.protocol.json_schema import TooMuchWorkError, deviations
from assistants_tui.protocol.objects import Json


def deviation(value: object, schema: Json) -> str | None:
    """What is wrong with a value, as half a sentence; None if it follows the schema, or if nobody can say."""
    from jsonschema.exceptions import UnknownType  # a tenth of a second that only strict schemas need
    from referencing.exceptions import Unresolvable

    try:
        errors = deviations(value, schema, most=1)
    except Unresolvable as missing:
        return f"the schema refers to {missing.ref}, which is not in it"
    except RecursionError:
        return "the schema refers to itself without end"
    except TooMuchWorkError:
        return None
    except (UnknownType, AttributeError, LookupError, TypeError, ValueError, ArithmeticError):
        return None  # it is no schema: those of functions that are not strict are not checked when they come
    if not errors:
        return None
    return f"at {errors[0].json_path}, '{errors[0].validator}' does not hold"
