"""Functions that are `strict`: their arguments fit their schema before a client sees the call."""

from collections.abc import Iterable

from assistants_tui.engine.runs.schema_deviation import deviation
from assistants_tui.protocol import bounded_json
from assistants_tui.protocol.objects import Json

MAX_REFUSALS = 2
"""How often a run tells the model that its arguments do not fit and asks again, before the run fails."""

NOT_CALLED = (
    "Nothing was called, because another call beside this one was refused. Make this call again, too."
)


class StrictFunctions:
    """Those of a run's functions that are strict, by name. `tools`: as the model gets them."""

    def __init__(self, tools: Iterable[Json]) -> None:
        self._schemas: dict[str, Json] = {
            tool["function"]["name"]: tool["function"]["parameters"]
            for tool in tools
            if tool["function"].get("strict")
        }

    def __bool__(self) -> bool:
        return bool(self._schemas)

    def fault(self, name: str, arguments: str) -> str | None:
        """What is wrong with the arguments of a call, as a sentence; None for nothing. May take a while."""
        if name not in self._schemas:
            return None
        try:
            value = bounded_json.parse(arguments)
        except bounded_json.TooManyValuesError:
            return f"The arguments of '{name}' have more than {bounded_json.MAX_VALUES:,} values."
        except (ValueError, RecursionError):
            return f"The arguments of '{name}' are not valid JSON."
        found = deviation(value, self._schemas[name])
        return None if found is None else f"The arguments of '{name}' do not fit its schema: {found}."
