"""How well a chunk answers a query, on a scale from 0 to 1, and in which order chunks are best read.

BM25 finds candidates by how rare the words are that they share with the query. It does not see whether they
stand together, in the query's order, or under a fitting heading: that is what is looked at here. Its weights
were fitted on an evaluation set of manual pages, documentation and source code that is not part of this
repository; `tests/benchmarks/file_search.py` measures them on one made from the documents of a machine.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from assistants_tui.engine.search.analysis import TermFinder, terms

_BM25, _NEARNESS, _PHRASES, _HEADING = 0.5, 0.25, 0.15, 0.1
# Of nearness in meaning. Small, so that vectors which say little do no harm. Over 2,000 files of that
# benchmark (10,000 chunks) averaged word vectors change the mean reciprocal rank of its tuning questions
# (in brackets: held-out ones) by -0.002 (+0.006) at this weight, by 0.000 (-0.003) at 0.1 and by -0.015
# (-0.007) at 0.15, while vectors that faintly know the answers add 0.036 (0.036), 0.057 (0.053) and
# 0.087 (0.076).
_MEANING = 0.06

_WORD_LENGTH = 6  # characters, with the blank after it
_BETWEEN = 6  # characters between two words of a phrase: room for a stop word
_BM25_MOST = 2.2  # how often a word's weight it counts at most: k1 + 1, with tantivy's k1 of 1.2

_SHARED_TEXT = 0.5  # taken off the score of a chunk whose text was all in better ones
_SAME_DOCUMENT = 0.9  # times the score for each better chunk of the same document
_SAME_DOCUMENT_LEAST = 0.7


class Query:
    """A query in its terms, and how much each of them says."""

    def __init__(self, text: str) -> None:
        self.sequence = list(terms(text))
        self.terms = list(dict.fromkeys(self.sequence))
        self._weights: dict[str, float] = {}
        self._total = 0.0
        self._phrases: dict[tuple[str, str], float] = {}
        self._phrases_total = 0.0
        self._reach = (2 * len(self.sequence) + 4) * _WORD_LENGTH  # within which all of them are near
        self._finder = TermFinder(self.terms)

    def weigh(self, weights: dict[str, float]) -> None:
        """Set the weight of each term: its inverse document frequency."""
        self._weights = weights
        self._total = sum(weights.values()) or 1.0
        self._phrases = {
            pair: weights[pair[0]] + weights[pair[1]]
            for pair in pairwise(self.sequence)
            if pair[0] != pair[1]
        }
        self._phrases_total = sum(self._phrases.values())

    def bm25(self, score: float) -> float:
        """A BM25 score as the part of what a text could reach that has every word of the query many times."""
        return min(1.0, score / (_BM25_MOST * self._total))

    def estimated_bm25(self, text: str) -> float:
        """The BM25 score of a text of usual length, for texts that the index was not asked about."""
        counts = Counter(term for _, _, term in self._finder.places(text))
        return sum(
            self._weights[term] * _BM25_MOST * count / (count + _BM25_MOST - 1)
            for term, count in counts.items()
        )

    def relevance(self, text: str, title: str, bm25: float) -> float:
        """How well a text under a title answers the query, given its BM25 score."""
        places = self._finder.places(text)
        return (
            _BM25 * self.bm25(bm25)
            + _NEARNESS * self._nearness(places)
            + _PHRASES * self._phrase_coverage(places)
            + _HEADING * self._coverage(term for _, _, term in self._finder.places(title))
        )

    def _coverage(self, found: Iterable[str]) -> float:
        return sum(self._weights[term] for term in set(found)) / self._total

    def _nearness(self, places: Sequence[tuple[int, int, str]]) -> float:
        """The most of the query's weight that stands together anywhere in the text."""
        counts: defaultdict[str, int] = defaultdict(int)
        best = inside = 0.0
        first = 0
        for start, _, term in places:
            if counts[term] == 0:
                inside += self._weights[term]
            counts[term] += 1
            while places[first][0] < start - self._reach:
                left = places[first][2]
                counts[left] -= 1
                if counts[left] == 0:
                    inside -= self._weights[left]
                first += 1
            best = max(best, inside)
        return best / self._total

    def _phrase_coverage(self, places: Sequence[tuple[int, int, str]]) -> float:
        """How much of the query is in the text in the same order; a single word is always in order."""
        if not self._phrases:
            return self._coverage(term for _, _, term in places)
        found = {
            (one, other)
            for (_, end, one), (start, _, other) in pairwise(places)
            if start - end <= _BETWEEN and (one, other) in self._phrases
        }
        return sum(self._phrases[pair] for pair in found) / self._phrases_total


class Meaning:
    """How near chunks are in meaning, on a scale set by the nearest ones: cosines differ between models."""

    def __init__(self, cosines: Sequence[float]) -> None:
        self._least = min(cosines, default=0.0)
        self._range = max(cosines, default=0.0) - self._least

    def join(self, relevance: float, cosine: float | None) -> float:
        """The score of a chunk by words and meaning; by words alone where there is no vector."""
        if cosine is None or not self._range:
            return relevance
        nearness = max(0.0, (cosine - self._least) / self._range)
        return (1 - _MEANING) * relevance + _MEANING * nearness


class Span(NamedTuple):
    """Where a chunk is."""

    document: int
    start: int
    end: int


Item = TypeVar("Item")


def without_repetition(ranked: Sequence[tuple[float, Span, Item]]) -> list[tuple[float, Item]]:
    """The order in which to read chunks, best first, if what was read already says less the second time.

    Neighbouring chunks share text, and a document that fits in one place fits in many. A chunk's score falls
    with the text it shares with better ones, and a little with each better chunk of its document, so that
    other documents get their turn.
    """
    taken: defaultdict[int, list[Span]] = defaultdict(list)
    found = []
    for score, span, item in sorted(ranked, key=lambda entry: -entry[0]):
        better = taken[span.document]
        shared = max((_shared(span, other) for other in better), default=0.0)
        factor = max(_SAME_DOCUMENT_LEAST, _SAME_DOCUMENT ** len(better)) * (1 - _SHARED_TEXT * shared)
        better.append(span)
        found.append((score * factor, item))
    return sorted(found, key=lambda entry: -entry[0])


def _shared(span: Span, other: Span) -> float:
    """The part of a span that is in another one."""
    both = min(span.end, other.end) - max(span.start, other.start)
    return max(0, both) / max(1, span.end - span.start)
