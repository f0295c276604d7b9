"""From bytes to text, as browsers do it: a byte that cannot be read costs that byte, not the file."""

import codecs
import re
from typing import NamedTuple

import charset_normalizer

from assistants_tui.engine.search.errors import IngestError

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What browsers take an encoding for (WHATWG Encoding Standard), by the names of Python's codecs: mostly a
# larger one, in which pages are really written. Names that Python does not know stand below; the rest means
# the same to both.
_BROWSERS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "dos-874": "cp874",
    "windows-949": "cp949",
}
# Python's codecs for text inside other text, such as names of hosts, which no page is written in.
_NO_CHARACTER_SETS = frozenset({"charmap", "idna", "punycode", "raw-unicode-escape", "unicode-escape"})
_SAMPLE = 65_536
_MAX_CONTROLS = 0.02  # the part of control characters above which something is not text
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # not those of layout, nor ESC, which logs have
_HIGH = re.compile(rb"[\x80-\xff]")
_PAIR = re.compile(rb"[\x80-\xff]{2}")
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")  # katakana
_MAX_HALF_WIDTH = 0.3  # of the bytes of a text
_BROKEN = "\N{REPLACEMENT CHARACTER}"
# The encodings that are told apart, those preferred among equals first.
_EAST_ASIAN = ("gb18030", "shift_jis", "euc_jp", "big5", "euc_kr")
_OTHERS = ("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp874")
_EQUAL = 0.03  # of what charset-normalizer calls mess


class Decoded(NamedTuple):
    """Text, and what its reader should know of how it was read; None if there is no doubt about it."""

    text: str
    note: str | None


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """The text in bytes. `declared` is the encoding that the file names itself, if it does.

    A byte order mark decides, then UTF-8 where it fits, then what is declared, then what the bytes look like.
    Raises `IngestError` for what is no text, such as binary data under the name of one.
    """
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)
    encoding = encoding or _without_mark(data)
    if encoding is not None:
        text = data.decode(encoding, "replace")
        note = _broken(text.count(_BROKEN)) if _BROKEN in text else None
        return _checked(text, note)
    try:
        return _checked(data.decode(), None)
    except UnicodeDecodeError as error:
        first_bad = error.start
    if _is_binary(data[:_SAMPLE].decode("latin-1")):
        raise _binary()
    if (named := _named(declared)) is not None:
        text = data.decode(named, "replace")
        bad = text.count(_BROKEN)
        return _checked(text, _broken(bad) if bad else None)
    text = data.decode("utf-8", "replace")
    bad = text.count(_BROKEN)
    letters = sum(letter > "\x7f" for letter in text[:_SAMPLE]) - text[:_SAMPLE].count(_BROKEN)
    if letters > text[:_SAMPLE].count(_BROKEN):  # UTF-8 with some damage: its letters are no accident
        return _checked(text, _broken(bad))
    guess = _guess(data, first_bad)
    text = data.decode(guess, "replace")
    bad = text.count(_BROKEN)
    name = guess.replace("_", "-").replace("cp125", "windows-125").replace("cp874", "windows-874")
    note = f"The file is not UTF-8; it was read as {name}."
    return _checked(text, f"{note} {_broken(bad)}" if bad else note)


def _named(label: str | None) -> str | None:
    """Python's codec for an encoding as a page names it; None for those that it cannot be in."""
    if label is None:
        return None
    label = label.strip().lower().removeprefix("x-")
    label = _BROWSERS.get(label, label)
    try:
        "".encode(label)  # knows what is no encoding of text, such as base64
    except LookupError:
        return None
    except UnicodeError:  # Python has an encoding that always fails, named "undefined"
        return None
    name = codecs.lookup(label).name
    return None if name.startswith("utf") or name in _NO_CHARACTER_SETS else _BROWSERS.get(name, name)


def _without_mark(data: bytes) -> str | None:
    """UTF-16 without a mark shows by zeros in every other byte."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    if half:
        for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if sample[place::2].count(0) > 0.4 * half and sample[1 - place :: 2].count(0) < 0.05 * half:
                return name
    return None


def _guess(data: bytes, first_bad: int) -> str:
    """The encoding that the bytes around the first that is not UTF-8 look like."""
    start = data.rfind(b"\n", max(0, first_bad - 2000), first_bad) + 1
    sample = data[start : start + _SAMPLE]
    sample = sample[: sample.rfind(b"\n") + 1] or sample if len(sample) == _SAMPLE else sample
    # Two bytes for a letter come in pairs; an accented letter mostly stands between plain ones.
    paired = 2 * len(_PAIR.findall(sample)) >= 0.5 * len(_HIGH.findall(sample))
    candidates: list[str] = [*(_EAST_ASIAN if paired else ()), *_OTHERS]
    matches: dict[str, float] = {
        match.encoding: match.chaos
        for match in charset_normalizer.from_bytes(sample, cp_isolation=candidates, enable_fallback=False)
    }
    if len(_HALF_WIDTH.findall(sample.decode("shift_jis", "replace"))) > _MAX_HALF_WIDTH * len(sample):
        matches.pop("shift_jis", None)  # any single byte can be such a letter, and hardly any text has many
    least = min(matches.values(), default=0.0)
    likely = [name for name in candidates if matches.get(name, 1.0) <= least + _EQUAL]
    if not likely or (set(likely).isdisjoint(_EAST_ASIAN) and _same_in_western(sample, likely[0])):
        return "cp1252"
    return likely[0]


def _same_in_western(sample: bytes, encoding: str) -> bool:
    """Whether it makes no difference, but for what is undefined, which browsers read as Western."""
    return sample.decode(encoding, "replace") == sample.decode("cp1252", "replace")


def _is_binary(sample: str) -> bool:
    return len(_CONTROL.findall(sample)) > _MAX_CONTROLS * len(sample)


def _checked(text: str, note: str | None) -> Decoded:
    if _is_binary(text[:_SAMPLE]):
        raise _binary()
    return Decoded(text, note)


def _binary() -> IngestError:
    return IngestError("invalid_file", "The file is not text: it contains binary data.")


def _broken(count: int) -> str:
    places = "One place" if count == 1 else f"{count:,} places"
    return f"{places} could not be read and {'is' if count == 1 else 'are'} shown as {_BROKEN}."
