"""What runs have used together, and what that costs at the user's prices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assistants_tui.service.runs.state import RunState
from assistants_tui.settings.function_settings import Price

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Total:
    """Tokens of several runs. `cost` counts the runs that have a price, and is None where none has."""

    input: int = 0
    output: int = 0
    cost: float | None = None
    unpriced: int = 0
    """Tokens of models without a price."""

    @property
    def tokens(self) -> int:
        return self.input + self.output


def total_usage(runs: Iterable[RunState], prices: Mapping[str, Price]) -> Total:
    """The sum of what the runs used, as far as they are over and the server counted."""
    read = written = unpriced = 0
    cost: float | None = None
    for state in runs:
        usage = state.run.get("usage") if state.run is not None else None
        if usage is None or state.run is None:
            continue
        read += usage["prompt_tokens"]
        written += usage["completion_tokens"]
        price = prices.get(state.run.get("model") or "")
        if price is None:
            unpriced += usage["total_tokens"]
        else:
            spent = usage["prompt_tokens"] * price.input + usage["completion_tokens"] * price.output
            cost = (cost or 0.0) + spent / _MILLION
    return Total(read, written, cost, unpriced)
