"""Which chunks are looked at closely, and that a filter may be applied before or after they are searched."""

from typing import NamedTuple

from hypothesis import assume, example, given
from hypothesis import strategies as st

from assistants_tui.engine.search import candidates


class Chunk(NamedTuple):
    number: int
    document: int


RANKINGS = st.lists(st.integers(0, 3), max_size=20).map(
    lambda owners: [Chunk(number, document) for number, document in enumerate(owners)]
)


@example([Chunk(number, document) for number, document in enumerate([0, 0, 0, 1])], {0, 1}, 3, 3)
@given(RANKINGS, st.sets(st.integers(0, 3)), st.integers(1, 6), st.integers(0, 20))
def test_a_filter_on_the_best_chooses_as_a_filter_on_all_would(
    ranking: list[Chunk], documents: set[int], wanted: int, depth: int
) -> None:
    """When there are enough that meet it among the `depth` best; otherwise all have to be asked."""
    kept = candidates.meeting(ranking[:depth], documents)
    assume(len(ranking) < depth or candidates.are_enough(kept, wanted))
    everything = [chunk for chunk in ranking if chunk.document in documents]
    assert candidates.chosen(kept, wanted) == candidates.chosen(everything, wanted)


@given(RANKINGS, st.integers(1, 6))
def test_other_documents_have_their_turn(ranking: list[Chunk], wanted: int) -> None:
    found = candidates.chosen(ranking, wanted)
    assert len(found) == min(wanted, len(ranking)) == len(set(found))
    assert set(found) <= set(ranking)
    late = {chunk for chunk in ranking if sum(is_better(other, chunk) for other in ranking) >= 2}
    assert not late & set(found) or set(ranking) - late <= set(found)


def is_better(one: Chunk, other: Chunk) -> bool:
    return one.document == other.document and one.number < other.number
