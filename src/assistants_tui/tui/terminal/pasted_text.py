"""The text of a paste without what a terminal or a program put between its characters.

Whoever copies out of a log, or tmux out of its history, copies escape sequences too (ECMA-48). tmux with
`extended-keys-format csi-u` also sends line breaks of a paste as the key that makes one.
"""

import re

_CSI = r"(?:\x1b\[|\x9b)"
_LINE_BREAK_KEYS = re.compile(
    _CSI + r"(?:(?:10|13)(?:;\d*)?u|27;\d*;(?:10|13)~|(?:106|109);5u|27;5;(?:106|109)~)|\r\n?|[\x0b\x0c\x85]"
)
"""Enter, Ctrl+J and Ctrl+M as CSI-u and as `modifyOtherKeys` write them, and other systems' line ends."""
_TAB_KEYS = re.compile(_CSI + r"(?:9(?:;1?)?u|27;1?;9~|105;5u|27;5;105~)")
_ESCAPES = re.compile(
    _CSI + r"[0-?]*[ -/]*[@-~]"  # colours, cursor moves, keys, the marks of a paste
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90-\x9f\r\n]*(?:\x07|\x1b\\|\x9c)"  # titles, links, …
    r"|\x1b[#%()*+./-][0-9A-Za-z@<=>]"  # character sets
    r"|\x1b[78=>c\\]"
    r"|\x1b[\[\]PX^_]?"  # begun, and nothing that ends it
    r"|[\x00-\x08\x0e-\x1f\x7f-\x9f]"
)
_LINE_BREAK = re.compile(r"[^\S\n]*\n\s*")


def without_escapes(text: str) -> str:
    """The text with line feeds as its only line ends and tabs as its only other control characters."""
    text = _LINE_BREAK_KEYS.sub("\n", text)
    return _ESCAPES.sub("", _TAB_KEYS.sub("\t", text))


def one_line(text: str) -> str:
    """The text for a field of one line: a space for each line break, with the white space around it."""
    return _LINE_BREAK.sub(" ", text.strip("\n")).replace("\t", " ")
