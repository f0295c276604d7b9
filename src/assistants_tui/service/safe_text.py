"""Which characters of outside text may not reach a terminal, for every layer that prints some.

Control characters (ECMA-48 C0 and C1, DEL) start escape sequences: titles, clipboard writes, cursor moves.
The bidirectional controls of Unicode (UAX #9), line and paragraph separators, deprecated format characters,
interlinear annotations and the byte order mark reorder or hide text ("Trojan Source", CVE-2021-42574). Lone
surrogates cannot be encoded at all. Tab and newline are left to whoever lays out the text; joiners (U+200C,
U+200D) and variation selectors stay, because emoji and several scripts need them.
"""

import re

UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""One character that must not be printed."""


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def clean(text: str) -> str:
    """The text with each unsafe character replaced by a visible one (U+2400..U+2421 or U+FFFD), one cell
    wide."""
    return UNSAFE.sub(_picture, text)
