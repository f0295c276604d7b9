"""What benchmarks hand to whoever runs them."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure: what it is, the most or the least that it should be, and the samples behind the median."""

    name: str
    unit: str
    samples: tuple[float, ...]
    budget: float | None = None
    least: bool = False
    """Whether the budget is a lower bound."""

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def met(self) -> bool | None:
        """Whether the median is within the budget; None without one."""
        if self.budget is None:
            return None
        return self.median >= self.budget if self.least else self.median <= self.budget

    def __str__(self) -> str:
        budget = "" if self.budget is None else f"{'≥' if self.least else '≤'} {self.budget:g} {self.unit}"
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        spread = f"{min(self.samples):.2f} to {max(self.samples):.2f}"
        return f"{self.name:62} {self.median:9.2f} {self.unit:2}  {spread:18} {budget:10} {verdict}"


def percentile(samples: list[float], share: float) -> float:
    """The sample below which this share of all lies."""
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * share))]
