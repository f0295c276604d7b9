"""Which commands a typed text means, the best first. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

_WORD = re.compile(r"\w+|[^\w\s]")


class _Rank(IntEnum):
    """How a command was found, from best to worst."""

    SYNONYM = 0
    """The text is a synonym."""
    KEY = 1
    BEGINNING = 2
    """The title begins with the text."""
    TITLE = 3
    """Each typed word begins a word of the title, or of the label."""
    SYNONYM_BEGINNING = 4
    """Each typed word begins a word of one synonym."""
    ANY = 5
    """Each typed word begins a word of something that is known of the command."""
    INSIDE = 6
    """Each typed word is somewhere in that."""
    LETTERS = 7
    """The letters are in group and title in this order, in few pieces that begin words."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What can be found of a command."""

    id: str
    """Of the binding, such as `threads.rename`."""
    title: str
    """What the command does."""
    label: str = ""
    """The same in one word, as the key bar has it."""
    group: str = ""
    """The pane or object that it belongs to."""
    keys: tuple[str, ...] = ()
    """As they are shown and as config.toml names them: `^N`, `ctrl+n`."""
    synonyms: tuple[str, ...] = ()
    """Other words that people use for it; those that mean it most of all come first."""


@dataclass(frozen=True, slots=True)
class Match:
    """A command that was found, and the characters of its title that were typed."""

    entry: Entry
    marked: tuple[int, ...] = ()


def ranked(entries: Iterable[Entry], query: str, recent: Sequence[str] = ()) -> list[Match]:
    """The commands that `query` finds; all of them if it is empty.

    `recent` are the IDs of the commands that were used last, the newest first: among commands that were
    found equally well they come first.
    """
    text = " ".join(_folded(query).split())
    newest = {command: place for place, command in enumerate(recent)}
    found: list[tuple[tuple[int, ...], Match]] = []
    for entry in entries:
        used = newest.get(entry.id, len(newest))
        if not text:
            found.append(((used,), Match(entry)))
        elif (hit := _found(entry, text)) is not None:
            rank, cost, marked = hit
            found.append(((rank, cost, used), Match(entry, marked)))
    found.sort(key=lambda one: one[0])  # stable: else the order of the entries
    return [match for _, match in found]


def _found(entry: Entry, text: str) -> tuple[_Rank, int, tuple[int, ...]] | None:
    """How `text` finds a command, at what cost, and where in the title it stands."""
    title, group, label = _folded(entry.title), _folded(entry.group), _folded(entry.label)
    synonyms = [_folded(one) for one in entry.synonyms]
    everything = " ".join((group, title, label, *synonyms))
    words = text.split()
    starts = [_beginning(title, word) for word in words]
    begun = next((place for place, one in enumerate(synonyms) if _begins_all(one, words)), None)
    cost = 0
    if text in synonyms:
        rank, cost = _Rank.SYNONYM, synonyms.index(text)
    elif text in (_folded(key) for key in entry.keys):
        rank = _Rank.KEY
    elif title.startswith(text):
        rank = _Rank.BEGINNING
    elif all(start >= 0 for start in starts) or _begins_all(label, words):
        rank = _Rank.TITLE
    elif begun is not None:
        rank, cost = _Rank.SYNONYM_BEGINNING, begun
    elif _begins_all(everything, words):
        rank = _Rank.ANY
    elif all(word in everything for word in words):
        rank = _Rank.INSIDE
    else:
        return _by_letters(group, title, text.replace(" ", ""))
    places = {
        at
        for start, word in zip(starts, words, strict=True)
        if start >= 0
        for at in range(start, start + len(word))
    }
    return rank, cost, tuple(sorted(places))


def _folded(text: str) -> str:
    """The text without regard to capital letters, each character in its place: ß stays one."""
    return "".join(low if len(low := letter.casefold()) == 1 else letter for letter in text)


def _begins_all(text: str, words: Sequence[str]) -> bool:
    """Whether each of `words` begins a word of `text`."""
    return all(_beginning(text, word) >= 0 for word in words)


def _beginning(text: str, word: str) -> int:
    """Where a word of `text` begins with `word`; −1 if none does."""
    return next((match.start() for match in _WORD.finditer(text) if text.startswith(word, match.start())), -1)


_MOST_PIECES = 4
"""Letters that are spread over more pieces than this are in nearly every sentence."""


def _by_letters(group: str, title: str, letters: str) -> tuple[_Rank, int, tuple[int, ...]] | None:
    """Find letters in their order, each piece of them at the beginning of a word."""
    line = f"{group} {title}"
    starts = [match.start() for match in _WORD.finditer(line)]
    best = _fewest_pieces(line, starts, letters)
    if best is None or len(best) > _MOST_PIECES:
        return None
    places = [at for start, length in best for at in range(start, start + length)]
    offset = len(group) + 1
    return _Rank.LETTERS, len(best), tuple(at - offset for at in places if at >= offset)


def _fewest_pieces(line: str, starts: Sequence[int], letters: str) -> tuple[tuple[int, int], ...] | None:
    """Cut `letters` into the fewest pieces that begin words of `line` in this order; (start, length) each."""
    # best[n]: the fewest pieces that cover the first n letters with the words so far
    best: dict[int, tuple[tuple[int, int], ...]] = {0: ()}
    for start in starts:
        for done, pieces in sorted(best.items(), reverse=True):
            length = 0
            while (
                done + length < len(letters)
                and start + length < len(line)
                and line[start + length] == letters[done + length]
            ):
                length += 1
                known = best.get(done + length)
                if known is None or len(known) > len(pieces) + 1:
                    best[done + length] = (*pieces, (start, length))
    return best.get(len(letters))
