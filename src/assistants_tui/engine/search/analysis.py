"""From text to index terms, the same way for documents and for queries.

A word becomes its English stem, without accents. An identifier becomes its words too, so that `parse`, `file`
and `parseFile` all find `parse_file`. Languages that write no blanks are cut into pairs of characters. Words
that are in every text are left out.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

import Stemmer

# Languages that write no blanks between words: Thai and its neighbours, Chinese, Japanese, Korean.
_CJK = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]+")
_ASCII_WORD = re.compile(r"\w+", re.ASCII)  # the same for most texts, in half the time
_UNDIVIDED = re.compile(rf"[{_CJK}]")
# Soft hyphens, zero-width blanks and joiners, variation selectors: they divide no word.
_INVISIBLE = dict.fromkeys((0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF, *range(0xFE00, 0xFE10)))
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_STOP_WORDS = """
a about am an and are as at be been being but by can could did do does doing for from had has have having he
her here him his how i if in into is it its itself me my of on or our she should so some such than that the
their them then there these they this those to too was we were what when where which while who whom why will
with would you your yours s t ll re ve d m
"""
_STOPPED = frozenset(_STOP_WORDS.split())
_MAX_WORD = 80  # characters; what is longer is data, such as base64
_MAX_REMEMBERED = 100_000

_stem = Stemmer.Stemmer("english")
_stem.maxCacheSize = 0  # `_remembered` is enough
_remembered: dict[str, tuple[str, ...]] = {}


def terms(text: str) -> Iterator[str]:
    """The terms of a text, in order."""
    for word in words(text):
        yield from word_terms(word)


def word_terms(word: str) -> tuple[str, ...]:
    """The terms that one word stands for: none for a stop word, several for an identifier."""
    found = _remembered.get(word)
    if found is None:
        if len(_remembered) >= _MAX_REMEMBERED:
            _remembered.clear()
        found = _remembered[word] = tuple(_analyse(word))
    return found


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    return _ASCII_WORD.findall(text) if text.isascii() else _WORD.findall(normal(text))


def normal(text: str) -> str:
    """The text with one way to write each letter: no ligatures, full-width forms, or invisible characters."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_INVISIBLE))


class TermFinder:
    """Finds the places of some terms in texts, without looking at every other word."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self._wanted = frozenset(wanted)
        self._known: dict[str, tuple[str, ...]] = {}
        # A stem is how its words begin, but for a last letter that some of them have changed.
        parts = {term[:-1] if len(term) > 2 and term[-1] in "ei" else term for term in self._wanted}
        longest_first = sorted(parts, key=lambda part: (-len(part), part))
        self._parts = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def places(self, text: str) -> list[tuple[int, int, str]]:
        """Where the terms are: the start and end of a word, and a term that it stands for, in order."""
        text = normal(text)
        if text.isascii():
            spans = self._likely_words(text)
        else:
            spans = (match.span() for match in _WORD.finditer(text))
        return [(start, end, term) for start, end in spans for term in self._terms(text[start:end])]

    def _likely_words(self, text: str) -> Iterator[tuple[int, int]]:
        lower = text.lower()
        end = 0
        while (match := self._parts.search(lower, end)) is not None:
            start, end = match.span()
            while start > 0 and (lower[start - 1].isalnum() or lower[start - 1] == "_"):
                start -= 1
            while end < len(lower) and (lower[end].isalnum() or lower[end] == "_"):
                end += 1
            yield start, end

    def _terms(self, word: str) -> tuple[str, ...]:
        found = self._known.get(word)
        if found is None:
            found = self._known[word] = tuple(term for term in word_terms(word) if term in self._wanted)
        return found


def _analyse(word: str) -> Iterator[str]:
    if _UNDIVIDED.match(word):
        yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))
        return
    word = word.strip("_")[:_MAX_WORD]
    whole = _plain(word)
    if not whole or whole in _STOPPED:
        return
    yield _stem.stemWord(whole) if whole.isalpha() else whole
    parts = _PART.findall(word) if word.isascii() else word.split("_")
    if len(parts) > 1:
        for part in parts:
            plain = _plain(part)
            if len(plain) > 1 and plain not in _STOPPED:
                yield _stem.stemWord(plain)


def _plain(word: str) -> str:
    """In lower case, without accents and other marks."""
    word = word.casefold()
    if word.isascii():
        return word
    return "".join(sign for sign in unicodedata.normalize("NFKD", word) if not unicodedata.combining(sign))
