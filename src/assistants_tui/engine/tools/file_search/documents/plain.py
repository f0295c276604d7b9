"""Files that are text already: plain text, Markdown, LaTeX, source code."""

import codecs
import json
import re

from assistants_tui.engine.tools.file_search.documents.document import Document, Heading, clean, one_line
from assistants_tui.engine.tools.file_search.errors import IngestError

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE = 65_536
_MAX_CONTROLS = 0.02  # the part of control characters above which something is not text
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # not those of layout, nor ESC, which logs have

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


def decode(data: bytes) -> str:
    """The text in UTF-8, UTF-16 or ASCII bytes; other encodings cannot be told apart with certainty.

    Raises `IngestError` for anything else, such as binary data under the name of a text.
    """
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)
    try:
        text = data.decode(encoding or _guess(data))
    except UnicodeDecodeError:
        if encoding is None and not _is_binary(data[:_SAMPLE].decode("latin-1")):
            raise IngestError(
                "invalid_file", "The text is not in UTF-8, UTF-16 or ASCII. Save the file as UTF-8."
            ) from None
        raise _binary() from None
    if _is_binary(text[:_SAMPLE]):
        raise _binary()
    return text


def _guess(data: bytes) -> str:
    """UTF-16 without a mark shows by zeros in every other byte."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    if len(data) % 2 == 0 and half:
        for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if sample[place::2].count(0) > 0.4 * half and sample[1 - place :: 2].count(0) < 0.05 * half:
                return name
    return "utf-8"


def _is_binary(sample: str) -> bool:
    return len(_CONTROL.findall(sample)) > _MAX_CONTROLS * len(sample)


def _binary() -> IngestError:
    return IngestError("invalid_file", "The file is not text: it contains binary data.")


def read_text(data: bytes) -> Document:
    return Document(clean(decode(data)), lined=True)


def read_json(data: bytes) -> Document:
    """JSON, with the letters that it writes as numbers, such as `\\u00e9`, in their place."""
    return Document(clean(_ESCAPED.sub(_unescaped, decode(data))), lined=True)


def _unescaped(match: re.Match[str]) -> str:
    letters: str = json.loads(f'"{match[0]}"')
    return letters if letters.isprintable() else match[0]


def read_markdown(data: bytes) -> Document:
    text = clean(decode(data))
    headings = []
    fence = ""
    for match in _MARKDOWN_HEADING.finditer(text):
        mark = match[3].strip() if match[3] else ""
        if mark:  # what looks like a heading inside a block of code is a comment
            fence = "" if fence == mark else fence or mark
        elif not fence:
            headings.append(Heading(match.start(), len(match[1]), one_line(match[2])))
    return Document(text, tuple(headings), lined=True)


def read_latex(data: bytes) -> Document:
    text = clean(decode(data))
    headings = (
        Heading(match.start(), _LATEX_LEVELS.index(match[1]) + 1, one_line(match[2]))
        for match in _LATEX_HEADING.finditer(text)
    )
    return Document(text, tuple(headings), lined=True)


def read_source(data: bytes) -> Document:
    """Source code. Classes and functions are its headings, nested as they are indented."""
    text = clean(decode(data))
    headings = (
        Heading(match.start(), 1 + len(match[1].expandtabs(4)) // 4, match[2])
        for match in _DEFINITION.finditer(text)
    )
    return Document(text, tuple(headings), lined=True)
