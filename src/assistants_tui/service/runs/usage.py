"""What runs have used together, and what that costs at the user's prices."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from assistants_tui.protocol.objects import Run, Usage
from assistants_tui.settings.config import Price

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


class UsageCount:
    """What runs have used, as far as the server has counted; each run is put in as often as it changes.

    A thread is asked for its sum with every token that comes, so the sum must not take longer with more runs.
    """

    def __init__(self) -> None:
        self._counted: dict[str, Usage] = {}
        self._models: dict[str, Counter[str]] = {}

    def put(self, run: Run) -> None:
        """Count a run, in place of what was counted of it before."""
        usage, before = run.get("usage"), self._counted.get(run["id"])
        if usage is None or usage is before:
            return
        sums = self._models.setdefault(run.get("model") or "", Counter())
        sums.update(_tokens(usage))
        if before is not None:
            sums.subtract(_tokens(before))
        self._counted[run["id"]] = usage

    @property
    def tokens(self) -> int:
        return sum(sums["total"] for sums in self._models.values())

    def total(self, prices: Mapping[str, Price]) -> Total:
        """The sum, and its cost at these prices for a million tokens of a model."""
        read = written = unpriced = 0
        cost: float | None = None
        for model, sums in self._models.items():
            read += sums["input"]
            written += sums["output"]
            price = prices.get(model)
            if price is None:
                unpriced += sums["total"]
            else:
                spent = sums["input"] * price.input + sums["output"] * price.output
                cost = (cost or 0.0) + spent / _MILLION
        return Total(read, written, cost, unpriced)


def _tokens(usage: Usage) -> dict[str, int]:
    return {
        "input": usage["prompt_tokens"],
        "output": usage["completion_tokens"],
        "total": usage["total_tokens"],
    }
