"""Notices when a model makes the same call again and again although the result stays the same."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress

from assistants_tui.protocol import bounded_json
from assistants_tui.protocol.objects import Json

LIMIT = 3
"""How often a run makes equal calls with equal results before the model has to answer without tools."""

NOTE = (
    f"[The same call has now been made {LIMIT} times, each time with the same result. Once more will not "
    "help. Answer now with what you know, and say what did not work.]"
)

# What changes each time in results that say the same: the number of a search, that of a cell, an address.
_CHANGING = re.compile(r"【\d+:|\bIn ?\[\d+\]|\b0x[0-9a-fA-F]{6,}")


class Repetitions:
    """The calls of one run. A call that is new, or has a new result, begins the count of all others anew."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.is_stuck = False
        """Whether the last round repeated a call for the last time."""
        self.goes_on = False
        """Whether it repeated one even after that, although the model was told to call nothing."""

    def add_round(self, turns: Sequence[Json], *, without: Iterable[str] = ()) -> None:
        """Count the calls of one turn of the model. `turns`: that turn, and the results that followed it.

        A call that the turn makes twice counts once: the model could not know its result. `without`: names of
        functions whose calls are not told apart here.
        """
        spoken, *results = turns
        told = {result["tool_call_id"]: result["content"] for result in results}
        made = {
            _digest(call["function"]["name"], call["function"]["arguments"], told.get(call["id"], ""))
            for call in spoken.get("tool_calls", ())
            if call["function"]["name"] not in without
        }
        if not made <= self._counts.keys():
            self._counts = Counter(dict.fromkeys([*self._counts, *made], 1))
        else:
            self._counts.update(made)
        most = max((self._counts[call] for call in made), default=0)
        self.is_stuck, self.goes_on = most >= LIMIT, most > LIMIT

    def kept(self) -> Json:
        """The counts as JSON, for a run that waits; `resume` takes them up again."""
        return dict(self._counts)

    def resume(self, kept: Json) -> None:
        """Go on with what `kept` gave."""
        self._counts = Counter(kept)


def last_round(turns: Sequence[Json]) -> Sequence[Json]:
    """The last turn of the model with calls, and what followed it; nothing if it made none."""
    starts = [index for index, turn in enumerate(turns) if turn.get("tool_calls")]
    return turns[starts[-1] :] if starts else ()


def _digest(name: str, arguments: str, result: str) -> str:
    with suppress(ValueError, RecursionError):
        arguments = json.dumps(bounded_json.parse(arguments), sort_keys=True)
    text = json.dumps([name, arguments, _CHANGING.sub("", result)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
