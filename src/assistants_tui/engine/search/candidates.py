"""Which of the chunks that were found are looked at closely."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

_FROM_ONE_DOCUMENT = 2  # before those of other documents have had their turn


class Candidate(Protocol):
    """A chunk that was found."""

    @property
    def document(self) -> int: ...


Chunk = TypeVar("Chunk", bound=Candidate)


def chosen(found: Sequence[Chunk], wanted: int) -> list[Chunk]:
    """The first so many, but few of one document as long as there are others."""
    early, late = _turns(found)
    return (early + late)[:wanted]


def are_enough(kept: Sequence[Candidate], wanted: int) -> bool:
    """Whether more candidates, all of them worse than these, would change nothing in what is chosen."""
    return len(_turns(kept)[0]) >= wanted


def meeting(found: Sequence[Chunk], documents: Collection[int]) -> list[Chunk]:
    """Those of certain documents, in the same order."""
    return [candidate for candidate in found if candidate.document in documents]


def _turns(found: Sequence[Chunk]) -> tuple[list[Chunk], list[Chunk]]:
    """Those that come first, and those that wait until other documents have had their turn."""
    early: list[Chunk] = []
    late: list[Chunk] = []
    counts: Counter[int] = Counter()
    for candidate in found:
        counts[candidate.document] += 1
        (early if counts[candidate.document] <= _FROM_ONE_DOCUMENT else late).append(candidate)
    return early, late
