"""Text that is to be approved, shown so that nothing in it can hide or pass for something else.

Characters that cannot be seen, that look like a blank, or that reorder what is shown get a visible mark. So
do letters of other scripts that look like Latin ones, where they could be taken for them. Long runs of blanks
and of empty lines, which push what follows out of sight, are counted instead.
"""

import re
import unicodedata

_BLANKS = 8
"""Blanks in a row after the beginning of a line, from which on they are counted."""
_EMPTY = 3
"""Empty lines in a row, from which on they are counted."""
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters, marks and symbols that are drawn as a blank, or not at all."""
_RUN = re.compile(rf"(?<=\S) {{{_BLANKS},}}")
_EMPTY_LINES = re.compile(rf"(?:^[^\S\n]*\n){{{_EMPTY},}}", re.MULTILINE)

_LETTER = re.compile(
    "["
    "АВЕЅІЈКМНОРСТУХЬаеіјорсухѕһԁԛԝӏҮүҺԌԚԜ"
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧινορυ"
    "օոսցհյգՕՍԼ"
    "ᎠᎡᎢᎪᎬᎳᎷᎻᏀᏃᏎᏒᏔᏙᏚᏟᏢᏞᏦ"
    "ɑɡıɩǀᴄᴏᴜᴠᴡᴢ"
    "ℂℊℋℌℍℎℐℑℒℓℕℙℚℛℜℝℤℨℬℭℯℰℱℳℴℹⅅⅆⅇⅈⅉ"
    "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"  # of the width of Chinese ones
    "\U0001d400-\U0001d7ff"  # of mathematics
    "]"
)
"""Letters and digits that most fonts draw as an ASCII one."""
_SIGN = re.compile("[\u01c3\u2010\u2011\u2024\u2044\u2212\u2215\u2236\u29f8\ua789]")
"""Signs that look like one of `!-./:`."""
_PIECE = re.compile(r"\S+")
_WORD = re.compile(r"[^\W_]+")
_LATIN = re.compile("[A-Za-z]")
_ALONE = re.compile(rf"(?:{_LETTER.pattern}|\\d)+")
_JOINED = re.compile(r"[./\\@:_=\u2024\u2044\u2215\u29f8](?=\S)")
"""What stands between the parts of a URL, a path, an address or a name."""


def exact(text: str, *, code: bool = False) -> str:
    """The text with marks for whatever a reader could not see in it, or would take for something else.

    A word that mixes Latin letters with others that look like them has those marked. In `code`, and in URLs,
    paths and addresses, a word that consists of look-alikes alone is marked as well; elsewhere it may just
    belong to another language.

    A million characters take up to half a second: more than that of a message, or on an event loop, should be
    cut before, or done in a thread.
    """
    text = _EMPTY_LINES.sub(lambda match: f"‹{match[0].count(chr(10))} empty lines›\n", text)
    text = _RUN.sub(lambda match: f" ‹{len(match[0])} blanks› ", text)
    if not text.isascii() and (_LETTER.search(text) or _SIGN.search(text)):
        text = _PIECE.sub(lambda match: _piece(match[0], code), text)
    return text.translate(_MARKS)


def _piece(piece: str, code: bool) -> str:
    """What stands between two blanks, with its look-alikes marked."""
    if piece.isascii():
        return piece
    name = code or _JOINED.search(piece) is not None
    if name:
        piece = _SIGN.sub(_similar, piece)
    return _WORD.sub(lambda match: _word(match[0], name), piece)


def _word(word: str, name: bool) -> str:
    if word.isascii() or _LETTER.search(word) is None:
        return word
    mixed = _LATIN.search(word) is not None
    return _LETTER.sub(_similar, word) if mixed or (name and _ALONE.fullmatch(word)) else word


def _similar(match: re.Match[str]) -> str:
    return f"‹U+{ord(match[0]):04X} {match[0]}›"


def _mark(character: str) -> str:
    if character in " \n":
        return character
    if character == "\t":
        return "⇥   "
    if character in _INVISIBLE or unicodedata.category(character)[0] in "CZ" or _joins(character):
        return f"‹U+{ord(character):04X}›"
    return character


def _joins(character: str) -> bool:
    """Whether it only changes the character before it, and is itself not drawn."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


class _Marks(dict[int, str]):
    """What each character is shown as, worked out when it is met first."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _mark(chr(code))
        return found


_MARKS = _Marks()
