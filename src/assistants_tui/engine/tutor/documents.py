"""Answers questions about documents with what they say: quotes from the passages that fit, each cited."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistants_tui.engine.search.analysis import terms
from assistants_tui.engine.search.queries import rewrite
from assistants_tui.engine.tutor.conversation import Call, Conversation, Reply, Say

# What questions say besides their subject
_ASKING = frozenset(
    terms(
        """
        according answer any anything attach attached check describe detail details document documents each
        every exactly explain file files find get give hello hey hi know list look many mean mention much ok
        pdf please question read report say search tell thank thanks text use used
        """
    )
)
_OVERVIEW = re.compile(r"\b(?:summar\w+|overview|about|contents?|gist)\b", re.IGNORECASE)
_PASSAGE = re.compile(r"^(【\d+:\d+†([^】\n]+)】)(?: .*)?\n", re.MULTILINE)
_STILL_READING = re.compile(r"^\d+ of the documents are still being read\b", re.MULTILINE)
_HEADING = re.compile(r"#{1,6} ")
_HEADING_LINE = re.compile(r"^#{1,6} [^\n]*$", re.MULTILINE)  # text may follow on the very next line
# Before lines that do not go on with the sentence above: headings, list items, rows of tables
_BREAK = re.compile(r"\n\s*\n|\n(?=\s*(?:#{1,6} |[-*•|>] |\d+[.)] ))|(?<=[|:;}])\n")
_SENTENCE_END = re.compile(
    r"(?<=[.!?。！？])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bNo\.)[\"')\]]*\s+(?=[^a-z\s])"
)
_MARKUP = re.compile(r"^[\s#>*•|-]+")

_ENOUGH = 0.45  # of what a question says has to be in a passage that answers it
_NEAR_BEST = 0.6  # of the best passage's score: others that are quoted beside it
_BY_HEADING = 0.5  # what a word counts that only the heading above has
_ADDS = 0.25  # of a question: what a second sentence of a passage has to add to be quoted, too
_MAX_QUOTES = 6
_MAX_PER_FILE = 2
_MAX_LENGTH = 400  # characters of a quote


@dataclass(frozen=True, slots=True)
class _Passage:
    marker: str
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class _Quote:
    score: float
    passage: _Passage
    text: str


def reply(talk: Conversation) -> Reply | None:
    """The search that the question needs, or the answer from what was found; None if it is about nothing."""
    if talk.search_tool is None:
        return None
    found = [result.output for result in talk.results if result.name == talk.search_tool]
    if found:
        return Say(_answer(talk, found[-1]))
    query = _query(talk)
    if query is None or not (talk.documents or talk.not_read):
        return None
    return [Call(talk.search_tool, {"query": query})] if talk.documents else Say(_nothing(talk))


def search(talk: Conversation) -> Reply:
    """The search for a run that insists on one, whatever the question is."""
    assert talk.search_tool is not None
    return [Call(talk.search_tool, {"query": _query(talk) or talk.question.strip() or "?"})]


def _query(talk: Conversation) -> str | None:
    if _subject(talk.question):
        return talk.question.strip()
    if _OVERVIEW.search(talk.question):
        # There is no word to look for but those of the documents' names.
        return " ".join(name.rpartition(".")[0] or name for name in talk.attached or talk.documents)
    return None


def _subject(question: str) -> list[str]:
    """The terms of what a question is about."""
    return [
        term
        for term in dict.fromkeys(terms(question))
        if term not in _ASKING and not _OVERVIEW.fullmatch(term) and not term.startswith("summar")
    ]


def _answer(talk: Conversation, output: str) -> str:
    passages = list(_passages(output))
    if _subject(talk.question):
        quotes = [quote for part in rewrite(talk.question) for quote in _quotes(_subject(part), passages)]
    else:
        quotes = list(_beginnings(passages))
    shown = _chosen(quotes)
    if shown:
        files = dict.fromkeys(quote.passage.file for quote in shown)
        parts = [_told(file, [quote for quote in shown if quote.passage.file == file]) for file in files]
        if len(files) > 1:
            parts.insert(0, "Several of your documents say something about this.")
    else:
        parts = []
    if still_reading := _STILL_READING.search(output):
        parts.append(f"{still_reading[0]}, so ask again in a moment for what they say.")
    elif not shown:
        parts.append(_nothing(talk))
    return "\n\n".join(parts)


def _passages(output: str) -> Iterator[_Passage]:
    heads = list(_PASSAGE.finditer(output))
    ends = [head.start() for head in heads[1:]] + [len(output)]
    for head, end in zip(heads, ends, strict=False):
        yield _Passage(head[1], head[2], output[head.end() : end])


def _quotes(wanted: Sequence[str], passages: Sequence[_Passage]) -> Iterator[_Quote]:
    """The best sentence of each passage that says enough of what is wanted."""
    if not wanted or not passages:
        return
    contents = [set(terms(f"{passage.file} {passage.text}")) for passage in passages]
    # The fewer passages have a word, the more it says; one that none has is missed the most.
    weights = {
        term: math.log(1 + len(passages) / (sum(term in content for content in contents) or 0.5))
        for term in wanted
    }
    total = sum(weights.values())
    for passage, content in zip(passages, contents, strict=True):
        if sum(weights[term] for term in wanted if term in content) < _ENOUGH * total:
            continue
        score, sentence = max(_scored(weights, passage), default=(0.0, ""))
        if score > 0:
            yield _Quote(score / total, passage, sentence)
            said = set(terms(sentence))
            rest = {term: weight for term, weight in weights.items() if term not in said}
            more, other = max(_scored(rest, passage))
            if other != sentence and more >= _ADDS * total:
                yield _Quote(score / total, passage, other)


def _scored(weights: dict[str, float], passage: _Passage) -> Iterator[tuple[float, str]]:
    """The sentences of a passage, each with the weight of the words that are in it or in its heading."""
    for heading, sentence in _sentences(passage.text):
        own, above = set(terms(sentence)), set(terms(heading))
        score = sum(weight for term, weight in weights.items() if term in own)
        score += _BY_HEADING * sum(
            weight for term, weight in weights.items() if term in above and term not in own
        )
        yield score, sentence


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """The sentences of a passage, each with the heading above it. A heading is none."""
    heading = ""
    for block in _BREAK.split(_HEADING_LINE.sub(r"\g<0>\n", text)):
        stripped = " ".join(block.split())
        if _HEADING.match(stripped):
            heading = stripped
            continue
        for sentence in _SENTENCE_END.split(stripped):
            if plain := _MARKUP.sub("", sentence).strip():
                yield heading, plain


def _beginnings(passages: Sequence[_Passage]) -> Iterator[_Quote]:
    """How each file's best passage begins: for questions that are about the whole of it."""
    for passage in passages:
        first = [sentence for _, sentence in _sentences(passage.text)][:2]
        if first:
            yield _Quote(1.0, passage, " ".join(first))


def _chosen(quotes: Sequence[_Quote]) -> list[_Quote]:
    """The best quotes, from as many files as have good ones."""
    chosen: list[_Quote] = []
    ranked = sorted(quotes, key=lambda quote: -quote.score)
    for quote in ranked:
        of_file = sum(other.passage.file == quote.passage.file for other in chosen)
        if (
            quote.score >= _NEAR_BEST * ranked[0].score
            and of_file < _MAX_PER_FILE
            and all(quote.text not in other.text for other in chosen)
        ):
            chosen.append(quote)
    return chosen[:_MAX_QUOTES]


def _told(file: str, quotes: Sequence[_Quote]) -> str:
    lines = [f"> {_shortened(quote.text)}{quote.passage.marker}" for quote in quotes]
    return f"**{file}** says:\n\n" + "\n>\n".join(lines)


def _shortened(text: str) -> str:
    # What looks like a marker in a document is not one.
    text = text.replace("【", "[").replace("】", "]")
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH].rpartition(' ')[0]} …"


def _nothing(talk: Conversation) -> str:
    not_read = "I could not read these documents:\n\n" + "\n".join(talk.not_read) if talk.not_read else ""
    if not talk.documents:
        if not_read:
            return f"{not_read}\n\nAttach another version of them to your next message and ask me again."
        return "There is no document to search yet. Attach one to your next message and ask me again."
    names = ", ".join(f"**{name}**" for name in talk.documents)
    nothing = (
        f"I searched {names} and found nothing that answers this. I only look for the words of a question, "
        "so try those that the document would use, or attach a document that has the answer."
    )
    return f"{nothing}\n\n{not_read}" if not_read else nothing
