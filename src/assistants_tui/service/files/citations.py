"""From a footnote to the passage that it stands for, and to what stands around that in its file."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistants_tui.protocol.objects import Json, Message, RunStep
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.message_text import Footnote

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend

_AROUND = 3000
"""Characters before and after a passage that are shown."""
_MAX_TEXT = 20_000_000
"""Characters of a file that is put together; a place beyond them is not believed."""
_MARKER = re.compile(r"【(\d+):(\d+)†")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_QUOTED = 120
"""Characters of a quotation."""
_WORD = re.compile(r"\w{3,}")
_HEADING = re.compile(r"(?:^|\f)#{1,6} +(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a file that file search found."""

    file_id: str
    file_name: str
    text: str
    score: float | None = None
    page: int | None = None
    """The page or slide on which it begins, from 1; this and all below where the server says it."""
    line: int | None = None
    """The line of the file on which it begins, from 1."""
    heading: str = ""
    start: int | None = None
    """Where it begins in the text of its file, in characters."""

    @property
    def place(self) -> str:
        """Where it begins, in words."""
        return ", ".join([*_numbers(self.page, self.line), *([self.heading] if self.heading else [])])


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands before and after a passage in its file."""

    before: str = ""
    after: str = ""


def results_of(call: Mapping[str, Any]) -> Iterator[Passage]:
    """The results of one file search, best first. Those without their text have an empty one."""
    for result in (call.get("file_search") or {}).get("results") or ():
        score = result.get("score")
        pieces = [piece for piece in result.get("content") or () if isinstance(piece, dict)]
        yield Passage(
            file_id=str(result.get("file_id", "")),
            file_name=str(result.get("file_name") or result.get("filename") or result.get("file_id", "")),
            text="\n\n".join(str(piece.get("text", "")) for piece in pieces),
            score=float(score) if isinstance(score, (int, float)) else None,
            page=_number(pieces, "page"),
            line=_number(pieces, "line"),
            heading=heading if pieces and isinstance(heading := pieces[0].get("heading"), str) else "",
            start=_number(pieces, "start"),
        )


def cited_passages(footnote: Footnote, steps: Iterable[RunStep], claim: str) -> list[Passage]:
    """The passages that a footnote may stand for, the most likely first.

    The marker names the search and the result (`【search:result†file】`). Where a server counts otherwise,
    the passages of the same file follow, those first that have the most words of `claim` in them.
    """
    searches = [
        list(results_of(call))
        for step in steps
        for call in step["step_details"].get("tool_calls") or ()
        if call.get("type") == "file_search"
    ]
    named: list[Passage] = []
    if match := _MARKER.match(footnote.marker):
        search, result = int(match[1]), int(match[2])
        if search < len(searches) and result < len(searches[search]):
            named = [searches[search][result]]
    others = [passage for found in searches for passage in found]
    wanted = _words(claim)
    others.sort(key=lambda passage: -len(wanted & _words(passage.text)))
    found = [passage for passage in [*named, *others] if passage.file_id == footnote.file_id]
    return [passage for passage in dict.fromkeys(found) if passage.text]


def claim_of(message: Message, footnote: Footnote) -> str:
    """What the message says right before the footnote's mark: the statement that the passage supports."""
    for part in message["content"]:
        text = part.get("text") or {"value": "", "annotations": []}
        for annotation in text.get("annotations") or ():
            if annotation.get("text") == footnote.marker:
                before = text["value"][: annotation["start_index"]].rstrip()
                sentences = re.split(r"(?<=[.!?。])\s+|\n", before)
                return sentences[-1] if sentences[-1].strip() else before[-200:]
    return ""


def highlights(text: str, claim: str) -> list[tuple[int, int]]:
    """Where a passage says what the claim says: the sentences with the most of its words, in order.

    The whole passage, if no sentence has any.
    """
    wanted = _words(claim)
    scored = [
        (len(wanted & _words(match[0])), match.start(), match.end()) for match in _SENTENCE.finditer(text)
    ]
    best = max((score for score, _, _ in scored), default=0)
    if best == 0:
        return [(0, len(text))] if text.strip() else []
    return [_trimmed(text, start, end) for score, start, end in scored if score == best]


def quotation(passage: Passage, claim: str) -> str:
    """The sentence of a passage that says most of what the claim says, shortened to be read at a glance."""
    start, end = _quoted(passage, claim)
    words = " ".join(passage.text[start:end].split())
    return words if len(words) <= _QUOTED else f"{words[:_QUOTED].rstrip()}…"


def quoted_place(passage: Passage, claim: str) -> str:
    """Where in its file the quotation stands, in words: page or line, else the heading above it.

    Line ends are counted, and form feeds: the engine writes one between two pages.
    """
    text = passage.text
    before = text[len(text) - len(text.lstrip()) : _quoted(passage, claim)[0]]
    page = None if passage.page is None else passage.page + before.count("\f")
    line = None if passage.line is None else passage.line + before.count("\n")
    if numbers := _numbers(page, line):
        return ", ".join(numbers)
    headings = [heading.rstrip(" #") for heading in _HEADING.findall(before)]
    return next((heading for heading in reversed(headings) if heading), passage.heading)


def _quoted(passage: Passage, claim: str) -> tuple[int, int]:
    marked = highlights(passage.text, claim)
    return marked[0] if marked else (0, len(passage.text))


async def surroundings(backend: "Backend", store_ids: Sequence[str], passage: Passage) -> Surroundings:
    """What stands around a passage, from the first of the stores that has its file; nothing if none tells."""
    for store_id in store_ids:
        try:
            pieces = await backend.vector_stores.content(store_id, passage.file_id)
        except ServiceError:
            continue
        found = _around(pieces, passage)
        if found is not None:
            return found
    return Surroundings()


def _around(pieces: Sequence[Json], passage: Passage) -> Surroundings | None:
    if passage.start is not None and all(_is_place(piece.get("start")) for piece in pieces):
        text, offset = _joined(pieces), passage.start
        end = offset + len(passage.text)
        if text[offset:end] == passage.text:
            return Surroundings(text[max(0, offset - _AROUND) : offset], text[end : end + _AROUND])
    texts = [str(piece.get("text", "")) for piece in pieces]
    if passage.text not in texts:
        return None
    place = texts.index(passage.text)
    return Surroundings(
        "\n\n".join(texts[max(0, place - 1) : place])[-_AROUND:],
        "\n\n".join(texts[place + 1 : place + 2])[:_AROUND],
    )


def _is_place(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= _MAX_TEXT


def _joined(pieces: Sequence[Json]) -> str:
    """The text of a file from pieces that overlap. What no piece has is filled with blanks."""
    text = ""
    for piece in sorted(pieces, key=lambda one: int(one["start"])):
        start = int(piece["start"])
        text = text.ljust(start) + str(piece.get("text", ""))[max(0, len(text) - start) :]
    return text


def _number(pieces: Sequence[Json], name: str) -> int | None:
    value = pieces[0].get(name) if pieces else None
    return value if isinstance(value, int) else None


def _numbers(page: int | None, line: int | None) -> list[str]:
    return [f"{name} {number}" for name, number in (("page", page), ("line", line)) if number is not None]


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), start + len(inner.rstrip())
