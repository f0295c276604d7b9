"""Cutting a document into chunks: the pieces that are found, shown to the model, and cited."""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from assistants_tui.engine.search import tokens
from assistants_tui.engine.search.documents.document import Document
from assistants_tui.engine.search.errors import IngestError

MAX_TOKENS = 5_000_000
"""Tokens of a file that can be searched, as the API's file search guide has it; counted approximately."""

# The best places for a cut, best first: before a heading, after a paragraph, a line, a sentence, a word.
_CUTS = (
    re.compile(r"\n(?=#{1,6} |\\(?:chapter|section|subsection)\b|(?:class|def|fn|func|function) )"),
    re.compile(r"\n[ \t]*\n+"),
    re.compile(r"\n"),
    re.compile(r"[.!?…][\"')\]]*\s+|[。！？]"),
    re.compile(r"\s+|[,;}\])>]"),
)
_SLACK = 0.2  # of a chunk, or of the overlap, may be given up for a better cut


@dataclass(frozen=True, slots=True)
class Chunking:
    """How to cut: the `static` chunking strategy of the API. `auto` means the defaults.

    A chunk has at most `max_tokens` (100..4,096), about `overlap_tokens` of which (at most half of them) are
    the end of the chunk before.
    """

    max_tokens: int = 800
    overlap_tokens: int = 400


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: `document.text[start:end] == text`. Neighbours touch or overlap."""

    text: str
    start: int
    end: int
    page: int | None
    """The page or slide on which it begins, from 1, for files that have them."""
    line: int | None
    """The line of the file on which it begins, from 1, for files that are text."""
    heading: str
    """The headings that it stands under, from the highest down, separated by ` > `."""


def chunks(document: Document, chunking: Chunking) -> Iterator[Chunk]:
    """The document in pieces that together cover its whole text.

    Raises `IngestError` if there is more text than a file may have.
    """
    text = document.text
    starts = tokens.starts(text)
    if len(starts) > MAX_TOKENS:
        raise IngestError(
            "invalid_file",
            f"The file has about {len(starts):,} tokens; a file that is searched may have {MAX_TOKENS:,}.",
        )
    marks = _Marks(document)
    for start, end in _cuts(text, starts, chunking):
        page, line, heading = marks.at(start + _blanks(text[start:end]))
        yield Chunk(text[start:end], start, end, page, line, heading)


def _cuts(text: str, starts: list[int], chunking: Chunking) -> Iterator[tuple[int, int]]:
    """The spans of the chunks. Positions are found in estimated tokens and moved to a good place nearby."""
    start = 0
    while start < len(text):
        first = bisect_left(starts, start)
        if first + chunking.max_tokens >= len(starts):
            yield start, len(text)
            return
        limit = starts[first + chunking.max_tokens]
        earliest = starts[first + int(chunking.max_tokens * (1 - _SLACK))]
        end = _last_cut(text, earliest, limit)
        yield start, end
        start = _next_start(text, starts, start, end, chunking)


def _next_start(text: str, starts: list[int], start: int, end: int, chunking: Chunking) -> int:
    """Where the next chunk begins: the overlap before the end of this one, or a little later."""
    if chunking.overlap_tokens == 0:
        return end
    last = bisect_left(starts, end)
    earliest = starts[last - chunking.overlap_tokens]
    latest = starts[last - math.ceil(chunking.overlap_tokens * (1 - _SLACK))]
    found = _first_cut(text, earliest, latest)
    return found if found > start else end


def _last_cut(text: str, earliest: int, limit: int) -> int:
    """The end of the best boundary between two positions, the later the better among equals."""
    for pattern in _CUTS:
        cut = 0
        for match in pattern.finditer(text, earliest, limit):
            cut = match.end()
        if cut > earliest:
            return cut
    return limit


def _first_cut(text: str, earliest: int, latest: int) -> int:
    for pattern in _CUTS:
        match = pattern.search(text, earliest, latest)
        if match is not None:
            return match.end()
    return earliest


def _blanks(piece: str) -> int:
    """How many blanks a piece begins with: they may lie on the page and line before the one that matters."""
    return len(piece) - len(piece.lstrip())


class _Marks:
    """Looks up page, line and headings. Positions must be asked for in ascending order."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._counted = 0
        self._line = 1
        self._above: list[tuple[int, str]] = []  # level and title of the headings in force
        self._seen = 0

    def at(self, position: int) -> tuple[int | None, int | None, str]:
        document = self._document
        page = bisect_right(document.pages, position) if document.pages else None
        if document.after_pages is not None and position >= document.after_pages:
            page = None
        line = None
        if document.lined:
            self._line += document.text.count("\n", self._counted, position)
            self._counted = position
            line = self._line
        while self._seen < len(document.headings) and document.headings[self._seen].offset <= position:
            _, level, title = document.headings[self._seen]
            while self._above and self._above[-1][0] >= level:
                self._above.pop()
            self._above.append((level, title[:200]))
            self._seen += 1
        return page, line, " > ".join(title for _, title in self._above)
