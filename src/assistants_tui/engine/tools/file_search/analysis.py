"""From text to index terms, the same way for documents and for queries.

A word becomes its English stem, without accents. An identifier becomes its words too, so that `parse`, `file`
and `parseFile` all find `parse_file`. Languages that write no blanks are cut into pairs of characters. Words
that are in every text are left out.
"""

import re
import unicodedata
from collections.abc import Iterator

import Stemmer

_CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]+")
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
    for match in _WORD.finditer(text):
        yield from word_terms(match[0])


def word_terms(word: str) -> tuple[str, ...]:
    """The terms that one word stands for: none for a stop word, several for an identifier."""
    found = _remembered.get(word)
    if found is None:
        if len(_remembered) >= _MAX_REMEMBERED:
            _remembered.clear()
        found = _remembered[word] = tuple(_analyse(word))
    return found


def words(text: str) -> Iterator[re.Match[str]]:
    """The words of a text, with their places."""
    return _WORD.finditer(text)


def _analyse(word: str) -> Iterator[str]:
    if word[0] >= "\u3040":
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
