"""Files that are text already: plain text, Markdown, LaTeX, source code."""

import json
import re

from assistants_tui.engine.search.documents.document import Document, Heading, clean, one_line
from assistants_tui.engine.search.documents.encodings import decode

_ESCAPED = re.compile(r"(?<!\\)(?:\\u[0-9a-fA-F]{4})+")

_MARKDOWN_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t#]*$|^( {0,3}(?:```|~~~))", re.MULTILINE)
_LATEX_HEADING = re.compile(
    r"^[ \t]*\\(part|chapter|section|subsection|subsubsection|paragraph)\*?(?:\[[^\]\n]*\])?\{([^{}\n]+)\}",
    re.MULTILINE,
)
_LATEX_LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph")
# The line that names a definition, in the languages that have a keyword for it
_DEFINITION = re.compile(
    r"^([ \t]*)(?:(?:export|default|public|private|protected|internal|static|abstract|final|async|pub"
    r"|override|sealed|partial|open|data)(?:\([^)\n]*\))?[ \t]+)*"
    r"(?:class|interface|struct|enum|trait|impl|module|namespace|def|fn|func|fun|function|type|protocol)\b"
    r"[ \t]*(?:\([^)\n]{0,80}\)[ \t]*)?([A-Za-z_$][\w$]*(?:(?:\.|::)[\w$]+)*)",
    re.MULTILINE,
)


def read_text(data: bytes) -> Document:
    text, note = decode(data)
    return Document(clean(text), lined=True, note=note)


def read_json(data: bytes) -> Document:
    """JSON, with the letters that it writes as numbers, such as `\\u00e9`, in their place."""
    text, note = decode(data)
    return Document(clean(_ESCAPED.sub(_unescaped, text)), lined=True, note=note)


def _unescaped(match: re.Match[str]) -> str:
    letters: str = json.loads(f'"{match[0]}"')
    return letters if letters.isprintable() else match[0]


def read_markdown(data: bytes) -> Document:
    decoded, note = decode(data)
    text = clean(decoded)
    headings = []
    fence = ""
    for match in _MARKDOWN_HEADING.finditer(text):
        mark = match[3].strip() if match[3] else ""
        if mark:  # what looks like a heading inside a block of code is a comment
            fence = "" if fence == mark else fence or mark
        elif not fence:
            headings.append(Heading(match.start(), len(match[1]), one_line(match[2])))
    return Document(text, tuple(headings), lined=True, note=note)


def read_latex(data: bytes) -> Document:
    decoded, note = decode(data)
    text = clean(decoded)
    headings = (
        Heading(match.start(), _LATEX_LEVELS.index(match[1]) + 1, one_line(match[2]))
        for match in _LATEX_HEADING.finditer(text)
    )
    return Document(text, tuple(headings), lined=True, note=note)


def read_source(data: bytes) -> Document:
    """Source code. Classes and functions are its headings, nested as they are indented."""
    decoded, note = decode(data)
    text = clean(decoded)
    headings = (
        Heading(match.start(), 1 + len(match[1].expandtabs(4)) // 4, match[2])
        for match in _DEFINITION.finditer(text)
    )
    return Document(text, tuple(headings), lined=True, note=note)
